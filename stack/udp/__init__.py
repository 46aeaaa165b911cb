"""UDP: its format, and the port space that UDP and TCP each have one of."""
