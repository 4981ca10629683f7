"""The token of what a reply handed over, ``6-b3993f09``: an answer on an agent's word says which reply it answers.

It proves that the agent was handed the text, not that a person read it. Whoever cannot show a reply cannot make its
token: the digest is over the hash of an entry, which no reply gives whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from workflow.machine import gates, wishes
from workflow.machine.definition import Definition
from workflow.model.digest import digest
from workflow.model.frozen import replace
from workflow.model.session import Session

Named = Literal["none", "present", "other", "unreadable"]
"""What a turn's token names: it has none, the question as it stands, something else, or it is not a token."""
DIGITS = 8
LONGEST = 64
"""Characters of a token with whatever stands around it."""
_TOKEN = re.compile(rf"\W*([0-9]{{1,9}})[\W_]+([0-9a-f]{{{DIGITS}}})\W*", re.ASCII)


def token(definition: Definition, session: Session, seq: int, head: str) -> str:
    """The token of a reply that was made when the journal ended with entry ``seq``, whose hash is ``head``.

    ``session.shown`` has the wordings that were handed over.
    """
    return f"{seq}-{_digits(definition, session, head)}"


def parse(text: str) -> tuple[int, str] | None:
    """Sequence and digits of a token, whatever its case and the marks around it; None for anything else."""
    found = _TOKEN.fullmatch(text.strip().lower())
    return (int(found[1]), found[2]) if found else None


def names_the_present(definition: Definition, session: Session, digits: str, head: str) -> bool:
    """Whether a token's digits are those of the questions as they are now; ``head`` is the hash that it counts from."""
    return digits == _digits(definition, session, head)


def with_wordings(session: Session, wordings: Mapping[str, str]) -> Session:
    """The session with its questions shown in these wordings."""
    return replace(session, shown={**session.shown, **wordings}) if wordings else session


def _digits(definition: Definition, session: Session, head: str) -> str:
    asked = [
        [
            gate.name,
            session.opened.get(gate.name),  # asked again, it is another question
            gates.question(definition, gate, session),
            session.shown.get(gate.name),
        ]
        for gate in gates.questions(definition, definition.states[session.state])
    ]
    wish = wishes.asked(definition, session)
    if wish:
        asked.append([wish.key, session.opened.get(wish.key), wish.words, session.shown.get(wish.key)])
    return digest([head, session.revision, session.state, asked])[:DIGITS]
