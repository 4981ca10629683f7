"""The commands ``workflow`` (for agents and people) and ``workflow-admin`` (for people only)."""

from workflow.cli.app import main

__all__ = ["main"]
