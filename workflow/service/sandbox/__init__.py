"""Offline stand-ins for a service, on the loopback interface."""
