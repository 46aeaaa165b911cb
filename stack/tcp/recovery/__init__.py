"""Loss recovery: what was sent, what of it is lost, and sending it again."""
