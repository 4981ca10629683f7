"""What the page makes with its secret: addresses that tell nothing, tokens of forms, and codes of questions."""

from __future__ import annotations

import base64
import hmac
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from workflow.model.digest import canonical
from workflow.model.instant import Instant
from workflow.model.session_names import is_name
from workflow.model.strict_json import read_json

_CODE = 20
"""Bytes of a code."""
_LONGEST = 400
"""Characters of an address or of a moment, at most."""


class Seals:
    """One for each secret of a store: what it made is known again after a restart."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._names = AESSIV(self._keyed("names", b""))

    def address(self, session: str) -> str:
        """A session within a link: the same each time, and nobody without the secret reads its name in it."""
        return _text(self._names.encrypt(session.encode(), None))

    def session(self, address: str) -> str | None:
        """The session's name; None for what this page never gave out as an address."""
        try:
            found = self._names.decrypt(_bytes(address), None).decode()
        except (InvalidTag, ValueError):
            return None
        return found if is_name(found) else None

    def form(self, cookie: str) -> str:
        """The token of the forms that one signed-in browser gets (CSRF)."""
        return _text(self._keyed("form", cookie.encode("utf-8", "surrogatepass"))[:_CODE])

    def is_form(self, cookie: str, given: str) -> bool:
        """Whether a form was one of this browser's."""
        return hmac.compare_digest(self.form(cookie).encode(), given.encode("utf-8", "surrogatepass"))

    def challenge(self, cookie: str) -> bytes:
        """What a passkey that is made in one signed-in browser answers."""
        return self._keyed("passkey", cookie.encode("utf-8", "surrogatepass"))[:32]

    def code(self, session: str, mark: str, shown: Instant, browser: str) -> str:
        """The code of one question as it was shown to one browser at one moment; ``mark`` is the question's own."""
        return _text(self._keyed("question", canonical([session, mark, shown.as_json(), browser]))[:_CODE])

    def is_code(self, given: str, session: str, mark: str, shown: Instant, browser: str) -> bool:
        """Whether the code is of this question of the session, shown then and there."""
        made = self.code(session, mark, shown, browser)
        return hmac.compare_digest(made.encode(), given.encode("utf-8", "surrogatepass"))

    def _keyed(self, purpose: str, content: bytes) -> bytes:
        return hmac.digest(self._secret, f"page/{purpose}:".encode() + content, "sha512")


def written(moment: Instant) -> str:
    """A moment as a form carries it; the code beside it says whether it is ours."""
    return _text(canonical(moment.as_json()))


def read(text: str) -> Instant | None:
    """The moment in a form; None for what is none. Whether the page wrote it is for its code to say."""
    try:
        found: Any = read_json(_bytes(text))
        wall, boot, boot_id = found
    except (TypeError, ValueError):
        return None
    numbers = all(type(each) in (int, float) for each in (wall, boot))
    return Instant(wall, boot, boot_id) if numbers and isinstance(boot_id, str) else None


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    if len(text) > _LONGEST or not text.isascii():
        raise ValueError("no address")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
