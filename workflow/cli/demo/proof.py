"""What the sandbox recorded, against what the person agreed to: the proof that no attempt got through."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workflow.model.frozen import Noun
from workflow.model.strict_json import write_json

CREATE = "/v1/openapi/tasks"
"""The request that makes a picture, and costs money at the real service."""
UPLOAD = "/v1/openapi/files/upload"

Requests = Sequence[Mapping[str, Any]]


class Claim(Noun):
    """Something that is to be true, and whether it is."""

    text: str
    holds: bool


def claims(recorded: Requests, picture: bytes, plan: str, decoy: str) -> Iterator[Claim]:
    """Exactly one order, of the plan that was shown; exactly one file, of the bytes agreed to; never the key."""
    orders = [each for each in recorded if _is(each, CREATE)]
    sent = [file["sha256"] for each in recorded if _is(each, UPLOAD) for file in each["files"]]
    agreed = hashlib.sha256(picture).hexdigest()
    yield Claim("exactly one picture was ordered", len(orders) == 1)
    yield Claim(
        "with the plan that the person was shown, to the byte",
        [(each["json"] or {}).get("prompt") for each in orders] == [plan],
    )
    yield Claim(f"exactly one file was sent: the one agreed to, SHA-256 {agreed[:12]}…", sent == [agreed])
    yield Claim("the key of the environment and of the file is in no request", decoy not in write_json(list(recorded)))


def _is(request: Mapping[str, Any], path: str) -> bool:
    return bool(request["method"] == "POST" and request["path"] == path)
