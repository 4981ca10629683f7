"""A shop: a free plan, and an order that costs money."""
