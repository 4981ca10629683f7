"""Commands that take turns, wait, serve agents and check the installation."""
