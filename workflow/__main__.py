"""``python -m workflow``: the same as the command ``workflow``."""

from workflow.cli import main

main()
