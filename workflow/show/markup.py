"""Elements of a page or a picture: text that is put into one is escaped there, and nobody's text is ever markup."""

from __future__ import annotations

import html

from workflow.machine.messages import visible


class Markup(str):
    """Text that is markup already; all other text is escaped where it is put into some."""


def tag(name: str, *inner: str, cls: str = "", **attributes: str) -> Markup:
    """An element; its inner texts are escaped unless they are elements, its attributes always."""
    given = {**({"class": cls} if cls else {}), **attributes}
    written = "".join(f' {key}="{escaped(value)}"' for key, value in given.items())
    return Markup(f"<{name}{written}>{joined(*inner)}</{name}>")


def joined(*inner: str) -> Markup:
    """One after the other, each escaped unless it is an element."""
    return Markup("".join(each if isinstance(each, Markup) else escaped(each) for each in inner))


def escaped(text: str) -> str:
    """As it is read: what would hide or turn letters around is written out."""
    return html.escape(visible(text, keep="\n\t"))
