"""The surface that shows a reply: what its caller calls the fields, and how the next step is taken there.

Texts for agents are made from these values. A text that only the person at the machine can follow is a
:class:`Machine`: it names commands, which no other surface shows.
"""

from __future__ import annotations

from workflow.model.frozen import Noun, replace


class Machine(str):
    """A text for the person at the machine: it names commands that are typed there."""

    __slots__ = ()


class Surface(Noun):
    """A surface by its ``name``; phrases with ``{}`` take the session's name.

    ``quote``, ``items`` and ``translation`` are what the fields of an answer are called. ``asks`` says that the surface
    puts a form to the person, ``types`` that its caller types commands. ``in_person`` is a terminal of the person's
    own, ``on_page`` the page on which a passkey signs.
    """

    name: str
    quote: str
    items: str
    translation: str
    go_on: str
    say_again: str
    list_all: str
    begin: str
    log: str
    in_person: str
    on_page: str
    asks: bool = False
    types: bool = False

    def how(self, needs: str) -> str:
        """Where the person gives an answer that is worth what a gate ``needs``."""
        return self.on_page if needs == "signed" else self.in_person

    def told(self, text: str) -> str:
        """The text as this surface may show it."""
        return ELSEWHERE if isinstance(text, Machine) and not self.types else text


ELSEWHERE = "Only somebody at the machine where this runs can settle it. Tell the user so."
"""What is told instead of a text for the person at the machine."""

SHELL = Surface(
    name="shell",
    quote="evidence.quote",
    items="evidence.items",
    translation="evidence.translation",
    go_on="run `workflow advance {}`",
    say_again="`workflow resume {}`",
    list_all="`workflow sessions` lists them",
    begin="`workflow start` begins a new one",
    log="`workflow audit log {}`",
    in_person="with `workflow-admin approve {}` in a terminal of their own",
    on_page="on the page of `workflow serve`, with their passkey",
    types=True,
)
RELAY = Surface(
    name="mcp",
    quote="quote",
    items="items",
    translation="translation",
    go_on="call workflow_advance without an event",
    say_again="workflow_advance without an event",
    list_all="workflow_sessions lists them",
    begin="workflow_start begins a new one",
    log="the resource workflow://sessions/{}/audit",
    in_person="in a terminal of their own, outside this conversation",
    on_page="on the page where they approve, with their passkey",
)
"""MCP with a client that shows no forms."""
FORMS = replace(RELAY, name="forms", asks=True)
"""MCP with a client that shows forms: the person answers there, and the agent passes nothing on."""
SURFACES = {each.name: each for each in (SHELL, RELAY, FORMS)}
