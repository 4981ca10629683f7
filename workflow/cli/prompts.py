"""Questions on a terminal, and answers that a turn can hold."""

from __future__ import annotations

from typing import Any

import click

from workflow.machine.decide import LONGEST_TEXT
from workflow.machine.messages import visible


def ask_line(label: str) -> str:
    """One line as it was typed, without blanks at its ends; it may be empty."""
    while True:
        suffix = " " if label.endswith("?") else ": "
        typed = str(click.prompt(visible(label), default="", show_default=False, prompt_suffix=suffix)).strip()
        if len(typed) > LONGEST_TEXT:
            click.echo(f"That is longer than {LONGEST_TEXT} characters.")
        elif any(ord(char) < 32 or 0xD800 <= ord(char) <= 0xDFFF for char in typed):
            click.echo("That holds characters that no text may hold.")
        else:
            return typed


def ask_words(label: str, otherwise: str = "") -> str:
    """What a person typed, never empty; Enter stands for ``otherwise``, which they typed before."""
    while True:
        typed = ask_line(f"{label} (Enter: “{otherwise}”)" if otherwise else label) or otherwise
        if typed:
            return typed
        click.echo("It must not be empty; Ctrl-C leaves without an answer.")


def ask_value(name: str, kind: str, kept: str = "") -> Any:
    """One datum that comes with the answer; Enter stands for the words of the wish that was ``kept``."""
    label = name.replace("_", " ")
    if kind == "text":
        return ask_words(f"{label}, in your own words", kept)
    while True:
        typed = ask_words({"url": f"{label} (the full link)", "flag": f"{label} (yes or no)"}.get(kind, label))
        if kind == "flag" and typed.lower() in ("y", "yes", "n", "no"):
            return typed.lower().startswith("y")
        if kind == "number":
            try:
                return float(typed) if "." in typed else int(typed)
            except ValueError:
                pass
        elif kind != "flag":
            return typed
        click.echo("That cannot be read.")
