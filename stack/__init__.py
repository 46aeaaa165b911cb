"""A packet-level TCP/IP emulator: unmodified Python programs over byte-exact networks in virtual time."""
