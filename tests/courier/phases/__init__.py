"""A courier: the smallest bundle that prices, asks, pays once and waits."""
