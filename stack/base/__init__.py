"""What every room may use: the engine contract, quantities, seeded randomness, addresses, events, errors."""
