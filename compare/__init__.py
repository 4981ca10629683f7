"""The same procedure on several systems, put through the same failures: ``make compare``."""
