"""The page: a browser is where a person answers what a session asks, and sees where sessions stand."""
