"""What comes in: who is let in, the window offered, when to acknowledge."""
