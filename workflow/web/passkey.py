"""Passkeys on the page: pairing a device, and answers that one signs. What a browser gets and sends is plain JSON.

The page says who is signed in, and at which ``origin`` it is; everything else is looked up. An answer becomes a turn
that the engine checks again by itself: nothing that this module says makes one `signed`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workflow.engine import Engine
from workflow.engine.question import to_sign
from workflow.local import passkeys
from workflow.local.approvers import LONGEST_NAME, Approvers, Device
from workflow.machine.messages import visible
from workflow.model.errors import UsageError
from workflow.model.evidence import SIGNED
from workflow.model.frozen import replace
from workflow.model.session import Turn
from workflow.model.signature import Assertion

Json = Mapping[str, Any]
_AGAIN = "Look at the question again, and answer it once more."
_DEVICE = "device"
"""What one is called by a person who gives it no name."""


def creation_options(approvers: Approvers, origin: str, approver: str, challenge: bytes) -> dict[str, Any]:
    """What the browser makes a passkey of for this approver; ``challenge`` is the page's, for this browser alone.

    Raises :class:`UsageError` for an origin that can have none, such as an IP address, and for nobody's name.
    """
    return passkeys.creation_options(origin, approver, challenge, approvers.find(approver).devices)


def pair(
    approvers: Approvers, origin: str, approver: str, challenge: bytes, response: Json, *, name: str, since: str
) -> Device:
    """Keep the passkey that a browser has made. Its ``fingerprint`` is to be shown: the person confirms it elsewhere.

    ``since`` is now, ISO 8601. Raises :class:`UsageError` where that cannot be one, or is one too many.
    """
    credential, key = passkeys.created(origin, challenge, response)
    called = visible(" ".join(name.split()))[:LONGEST_NAME] or _DEVICE
    device = Device(called, origin, credential, key, since)
    approvers.pair(approver, device)
    return device


def strength(approvers: Approvers, origin: str, approver: str) -> str:
    """The most that an answer of this approver can be worth on the page at ``origin``."""
    return SIGNED if any(each.confirmed for each in _devices(approvers, origin, approver)) else "asked"


def request_options(approvers: Approvers, origin: str, engine: Engine, session: str, turn: Turn) -> Json | None:
    """What the browser has to have signed for ``turn``, by a device of its approver that was paired at ``origin``.

    None where they have none, or where the turn would be refused however it is signed. Writes nothing.
    """
    devices = _devices(approvers, origin, turn.approver or "")
    challenge = to_sign(engine, session, turn) if devices else None
    return passkeys.request_options(origin, challenge, devices) if challenge else None


def answered(approvers: Approvers, origin: str, engine: Engine, session: str, turn: Turn, response: Json) -> Turn:
    """The turn as the engine takes it, with what the browser sent: `signed`, or `asked` by an unconfirmed device.

    Raises :class:`UsageError` where the device of another person, or another question, has signed.
    """
    assertion = _assertion(response)
    known = _devices(approvers, origin, turn.approver or "")
    device = next((each for each in known if each.credential == assertion.credential), None)
    if device is None:
        raise UsageError(f"this passkey is not one of '{turn.approver}' on this page", _AGAIN)
    if device.confirmed:
        return replace(turn, strength=SIGNED, assertion=assertion)
    found = passkeys.checked(approvers, turn.approver or "", device, assertion)
    if isinstance(found, str):
        raise UsageError(f"the answer is not signed: {found}", _AGAIN)
    if found.challenge != to_sign(engine, session, turn):
        raise UsageError("the passkey has signed another question than the one that is asked now", _AGAIN)
    return turn


def _devices(approvers: Approvers, origin: str, approver: str) -> Sequence[Device]:
    known = next((each for each in approvers.known() if each.name == approver), None)
    return [each for each in known.devices if each.origin == origin] if known else []


def _assertion(response: Json) -> Assertion:
    """What a browser sends, as JSON; raises :class:`UsageError` for anything else."""
    inner = response.get("response")
    found = inner if isinstance(inner, Mapping) else {}
    texts = (response.get("id"), *(found.get(name) for name in ("clientDataJSON", "authenticatorData", "signature")))
    if not all(isinstance(each, str) for each in texts):
        raise UsageError("what the browser sent cannot be a signature", _AGAIN)
    return Assertion(*map(str, texts))
