"""Applications: one protocol, one file or folder, each with its messages, client and server."""
