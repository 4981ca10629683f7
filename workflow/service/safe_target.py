"""What a request may be aimed at: paths and headers that mean the same to every reader."""

from __future__ import annotations

import re
from urllib.parse import unquote

_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:%/-]*")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_OURS = re.compile(
    "accept-encoding|authorization|connection|content-(?:encoding|length|type)|cookie|expect|forwarded|host|keep-alive"
    "|range|te|trailer|transfer-encoding|upgrade|user-agent|via"
    "|(?:proxy|sec|x-forwarded|x-http-method|x-method|x-original|x-rewrite)-.*",
    re.IGNORECASE,
)
"""Headers that carry the key, frame the message, or say who is asking: none of them is a bundle's to set."""
_MAX_VALUE = 1024


def harmless(path: str) -> bool:
    """Whether it is a path to every reader: to us, to the library, to a server that decodes it first."""
    plain = unquote(path, errors="replace")
    return (
        _PATH.fullmatch(path) is not None
        and not path.startswith("//")
        and not any(segment in (".", "..") for segment in re.split(r"[/\\]", plain))
        and not re.search(r"[\x00-\x20\x7f\\@]", plain)
    )


def free_header(name: str) -> bool:
    """Whether a bundle may set this header by itself."""
    return _HEADER.fullmatch(name) is not None and _OURS.fullmatch(name) is None


def key_header(name: str) -> bool:
    """Whether the key may be sent in this header."""
    return name.lower() == "authorization" or free_header(name)


def header_value(text: str) -> bool:
    """Whether it is one line of visible ASCII, as a header's value must be."""
    return 0 < len(text) <= _MAX_VALUE and text == text.strip() and all(" " <= each <= "~" for each in text)
