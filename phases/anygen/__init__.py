"""The AnyGen service: how its calls are made, and its offline twin."""
