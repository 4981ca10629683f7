"""The address of a PostgreSQL database: what may be shown of it, and what never is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, unquote

from workflow.model.errors import UsageError
from workflow.model.surface import Machine

HIDDEN = "…"
_PART = r"[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2}"
_ADDRESS = (
    rf"postgres(?:ql)?://(?:(?P<user>(?:{_PART})*)(?::(?P<password>(?:{_PART})*))?@)?"
    rf"(?P<hosts>(?:{_PART}|[:\[\]])*)(?:/(?P<name>(?:{_PART})*))?(?:\?(?P<options>(?:{_PART}|[/:@])*))?"
)
_SECRET_OPTIONS = ("password", "sslpassword")
_HINT = Machine(
    "Write it as postgresql://user@host:5432/name; what else stands in a name or password is written as %40 for '@'. "
    "A password is better kept in ~/.pgpass."
)


class Address:
    """An address that libpq reads the same way; no ``repr`` and no error holds its password."""

    def __init__(self, text: str) -> None:
        """Raises :class:`UsageError` for any other text, which no message quotes."""
        match = re.fullmatch(_ADDRESS, text, re.ASCII)  # compiled here: most turns have no address
        if match is None:
            raise UsageError("the address of the store is not one of a PostgreSQL database", _HINT)
        options = dict(parse_qsl(match["options"] or "", keep_blank_values=True))
        said = [match["password"], *(options.get(name) for name in _SECRET_OPTIONS)]
        self.text = text
        self._secrets = _spellings(each for each in said if each)
        user, hosts, name = (unquote(match[each] or "") for each in ("user", "hosts", "name"))
        hosts = hosts or options.get("host", "")
        self.shown = f"postgresql://{user}{'@' if user else ''}{hosts}/{name or options.get('dbname', user)}"

    def __repr__(self) -> str:
        return f"Address({self.shown!r})"

    @property
    def has_password(self) -> bool:
        """Whether a password stands in it."""
        return bool(self._secrets)

    def redacted(self, text: str) -> str:
        """A text of the driver's or the server's on one line, without the password."""
        told = " ".join(text.split())
        for each in self._secrets:
            told = told.replace(each, HIDDEN)
        return told


def _spellings(secrets: Iterable[str]) -> list[str]:
    """Each as it was written and as it is meant, the longest first."""
    found = {form for each in secrets for form in (each, unquote(each))}
    return sorted(found, key=len, reverse=True)
