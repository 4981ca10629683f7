"""The code of the bundle: one module per phase, and the sandbox."""
