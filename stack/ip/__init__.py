"""The internet layer: formats, neighbours, routes, fragments."""
