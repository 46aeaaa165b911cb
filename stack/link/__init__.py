"""Links: frame formats, interfaces, links and their faults, queue disciplines, switches."""
