"""The formats of TCP: its header and its options."""
