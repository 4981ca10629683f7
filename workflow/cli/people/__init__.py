"""The command `workflow-admin`: answers, doubts, passphrases, tokens and upgrades, for people alone."""
