"""The format of UDP."""
