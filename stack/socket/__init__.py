"""BSD sockets of a host, and the switch between them and the real ones."""
