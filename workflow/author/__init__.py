"""A bundle on trial: its scenarios are played, and random walks taken, offline and on a clock set by hand."""
