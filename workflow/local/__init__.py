"""This user's own files and clock: configuration, secrets, tokens, approvers, and the files that a turn names."""
