"""Text as editors, shells and spreadsheets write it. One rule for byte order marks, ends of lines and encodings."""

from __future__ import annotations

MARK = "\ufeff"
_WIDE = (b"\xff\xfe", b"\xfe\xff")
"""How UTF-16 and UTF-32 begin, as some editors and shells write them."""


class NotPlain(ValueError):
    """Why bytes are not text in UTF-8: ``str()`` is the reason, ``line`` and ``column`` the place."""

    def __init__(self, reason: str, line: int = 1, column: int = 1) -> None:
        super().__init__(reason)
        self.line, self.column = line, column


def plain(content: bytes) -> str:
    """The text in UTF-8: without a byte order mark at its front, each line ended by a line feed alone.

    Raises :class:`NotPlain`, which repeats nothing of the content.
    """
    try:
        return content.decode().removeprefix(MARK).replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        if content.startswith(_WIDE):
            raise NotPlain("UTF-16, not UTF-8; save it as UTF-8") from None
        before = content[: error.start].decode()
        place = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        raise NotPlain("not UTF-8; save it as UTF-8", *place) from None
