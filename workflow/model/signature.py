"""Signature: what a passkey signed as a person answered, and the challenge that ties it to that one question.

Texts are base64url without padding, as browsers give them. Nothing here believes a signature: who checks it is
:class:`Passkeys`, by the same key, wherever it is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from workflow.model.digest import digest, sha256
from workflow.model.frozen import Noun, as_dict
from workflow.model.strict_json import JsonError, read_json

FORM = "phasegate-approval/1"
LENGTH = 32
"""Hex digits of a question's code."""
LONGEST = 4096
"""Characters of each text of an assertion: authenticators send some hundred."""
UNSIGNED = "no passkey has signed it"
_GROUP, _GROUPS = 4, 5


class Assertion(Noun):
    """What a browser sends after a touch: which ``credential`` has signed, and what."""

    credential: str
    client_data: str
    authenticator_data: str
    signature: str


class Signature(Noun):
    """An assertion with what it is checked by: the public ``key`` (COSE) and the ``origin`` that it was paired at.

    ``device`` is what its approver calls it, which nothing signs. ``code`` is that of the question, and ``subjects``
    are the digests of what was answered: one, or one for each file. Both are empty before a decision compares them.
    """

    device: str
    origin: str
    key: str
    client_data: str
    authenticator_data: str
    signature: str
    code: str = ""
    subjects: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """The key's, as a person compares it."""
        return fingerprint(self.key)

    @property
    def challenge(self) -> str:
        """What was signed, as the browser says; empty where it says nothing that can be read."""
        try:
            said = read_json(plain(self.client_data))
        except (JsonError, ValueError):
            return ""
        found = said.get("challenge") if isinstance(said, dict) else None
        return found if isinstance(found, str) else ""

    def as_json(self) -> dict[str, Any]:
        """For the journal."""
        return as_dict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Signature:
        """The inverse of :meth:`as_json`; raises ``TypeError``, ``KeyError`` or ``ValueError`` for anything else."""
        texts = {name: each for name, each in value.items() if name != "subjects"}
        subjects = tuple(value["subjects"])
        if not all(isinstance(each, str) for each in (*texts.values(), *subjects)):
            raise ValueError("a part of a signature is not text")
        return cls(**texts, subjects=subjects)


class Passkeys(Protocol):
    """The passkeys of the user's approvers, and the mathematics of their signatures."""

    def signed(self, approver: str | None, assertion: Assertion | None) -> Signature | str:
        """The signature, if a confirmed passkey of this approver made it; or why it is none."""

    def why_not(self, signature: Signature) -> str:
        """Why its key has not signed what it says, whoever has the key; empty if it has."""


class NoPasskeys:
    """Where nobody has a passkey."""

    def signed(self, approver: str | None, assertion: Assertion | None) -> Signature | str:
        """Nobody has signed anything."""
        return UNSIGNED

    def why_not(self, signature: Signature) -> str:
        """Nothing can be checked."""
        return "nothing here can check a signature"


NO_PASSKEYS = NoPasskeys()


def code_of(opened: str, event: str, approver: str, before: Sequence[str] = ()) -> str:
    """The code of a question for one answer of one person: ``opened`` is the hash of the entry that asked it.

    The same question asked again has another entry, and a no has another event than a yes. ``before`` are the times of
    the answers to it that are held of the same person: no signature counts for another answer.
    """
    return digest([opened, event, approver, *before])[:LENGTH]


def challenge(session: str, gate: str, code: str, subjects: Sequence[str]) -> str:
    """What has to be signed for an answer to count as `signed`; for several files, the digest of all their digests."""
    about = subjects[0] if len(subjects) == 1 else digest(list(subjects))
    return coded(bytes.fromhex(sha256("|".join((FORM, session, gate, code, about)).encode())))


def fingerprint(key: str) -> str:
    """Twenty hex digits of the digest of a public key, in groups; empty for what is none."""
    try:
        digits = sha256(plain(key))
    except ValueError:
        return ""
    return "-".join(digits[start : start + _GROUP] for start in range(0, _GROUP * _GROUPS, _GROUP))


def holding(fingerprint: str) -> str:
    """What holding a passkey is called beside the roles of people; no role can be called so."""
    return f"passkey {fingerprint}"


def plain(text: str) -> bytes:
    """What a text in base64url holds; raises ``ValueError`` for every other spelling of the same bytes."""
    import base64  # a turn that nobody signed does not need it

    found = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if coded(found) != text:
        raise ValueError("not base64url")
    return found


def coded(content: bytes) -> str:
    """Bytes in base64url without padding."""
    import base64

    return base64.urlsafe_b64encode(content).decode().rstrip("=")
