"""Opening: handshake, listeners, SYN cookies, fast open."""
