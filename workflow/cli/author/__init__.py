"""Commands for the author of a bundle."""
