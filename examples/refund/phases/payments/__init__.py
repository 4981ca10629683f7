"""The payments service, offline."""
