"""The only place where layers meet: the engine of a host, and of a router."""
