"""What goes out: which segments, when, and how large."""
