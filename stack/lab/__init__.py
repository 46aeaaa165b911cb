"""The public face: networks, hosts, links and probes as users hold them."""
