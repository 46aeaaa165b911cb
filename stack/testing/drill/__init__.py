"""packetdrill's language, read and played in virtual time."""
