"""TCP: its formats, and the machine of RFC 9293 in parts."""
