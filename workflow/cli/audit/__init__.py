"""Commands that read, replay, copy and carry on journals."""
