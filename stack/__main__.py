"""`python -m stack` is `packetstack`."""

from stack.cli import main

main()
