"""Congestion control: the seam, and one algorithm a file."""
