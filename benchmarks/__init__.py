"""What is measured, beside the same work on other systems: `make bench`."""
