"""A construct declaration becomes a header type; headers become packets; packets become bytes, and back."""
