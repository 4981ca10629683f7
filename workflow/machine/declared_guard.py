"""Guards that are written in YAML: one test of one datum or one setting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflow.model.frozen import Noun

TESTS = ("is", "not", "in", "set")
"""What a declared guard may ask."""


class DeclaredGuard(Noun):
    """A guard that is declared: ``test`` is is, not, in or set, and ``value`` what it is held against.

    It looks at a datum, or ``of_setting`` at an option of the user's configuration.
    """

    name: str
    looks_at: str
    test: str
    value: Any
    because: str = ""
    of_setting: bool = False

    def passes(self, value: Any) -> bool:
        """Whether this value of what it looks at passes."""
        if self.test == "set":
            return _empty(value) is not self.value
        if self.test == "in":
            return any(same(value, each) for each in self.value)
        return same(value, self.value) is (self.test == "is")

    @property
    def why_not(self) -> str:
        """Why it does not pass; what is there is not repeated."""
        if self.because:
            return self.because
        if self.test == "set":
            return f"'{self.looks_at}' is {'missing' if self.value else 'there already'}"
        wanted = " or ".join(str(each) for each in (self.value if self.test == "in" else [self.value]))
        return f"'{self.looks_at}' is {'' if self.test == 'not' else 'not '}{wanted}"


def same(value: Any, wanted: Any) -> bool:
    """Equal, and of one type to a reader of YAML: 1 is not true."""
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, (str, list, Mapping)) and not value)
