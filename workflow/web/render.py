"""Templates: every value is made visible and escaped on its way into a page, whatever it is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from workflow.machine.messages import visible

FOLDER = Path(__file__).parent
STATIC = {"page.css": "text/css", "machine.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_plain,
        auto_reload=False,
    )


def _plain(value: Any) -> Any:
    """Nothing that hides or turns letters around reaches a page; what is markup already was made by us."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else visible(value, keep="\n\t")


def page(template: str, words: Mapping[str, str], /, **values: Any) -> str:
    """One page of HTML."""
    return _templates().get_template(f"{template}.html").render(w=words, **values)


def drawn(markup: str) -> Markup:
    """A drawing of ours, whose texts were escaped as it was made."""
    return Markup(markup)
