"""Tests of network code: packet scripts, and what pytest needs of them."""
