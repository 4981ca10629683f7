"""A conversation in a circle."""
