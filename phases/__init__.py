"""The reference bundle: its phases and everything that knows the service."""
