"""Three clients that speak the same lines of JSON with the harness: two in JavaScript, one in Python."""
