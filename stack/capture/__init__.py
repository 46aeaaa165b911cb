"""Captures: traces from emulations and from files, display filters, flows, replay. Nothing is imported before it is used."""
