"""The service outside: guarded HTTP, the key, and calls that a bundle's YAML declares."""
