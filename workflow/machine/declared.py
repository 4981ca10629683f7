"""What code of a bundle is shown: the data of the session, and to a guard those that it declared to read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any, NoReturn

from workflow.model.errors import UndeclaredRead, UnsetDatum
from workflow.model.spelling import did_you_mean

Setters = Callable[[], Mapping[str, tuple[str, ...]]]
"""Tells datum → what gives it a value, in words, for every datum that the bundle has; asked for an error alone."""


class Remembered(dict[str, Any]):
    """The data of a session, for the action ``owner``; a datum without a value raises :class:`UnsetDatum`.

    ``setters`` is what gives data their values, for the error.
    """

    def __init__(self, owner: str, values: Mapping[str, Any], setters: Setters) -> None:
        super().__init__(values)
        self._owner = owner
        self._setters = setters

    def __missing__(self, name: object) -> Any:
        raise unset(f"the action '{self._owner}'", str(name), self._setters)


def unset(who: str, name: str, setters: Setters) -> UnsetDatum:
    """The error for a datum that ``who`` reads and that has no value; another name is said to be no datum."""
    shown, known = name[:64], setters()
    if known and name not in known:
        return UnsetDatum(f"{who} reads '{shown}', which is not a datum{did_you_mean(name, known)}", _NO_DATUM)
    given = " or ".join(known.get(name, ())) or "nothing"
    return UnsetDatum(f"{who} reads '{shown}', which has no value yet: {given} sets it", _MAY_BE_UNSET)


_NO_DATUM = "Name it under `data` of workflow.yaml, or correct the name."
_MAY_BE_UNSET = "Read it with `.get()`, or lead to where it is read only after what sets it."


class Declared(Mapping[str, Any]):
    """A copy of the values under the declared names; reading any other name raises :class:`UndeclaredRead`.

    A declared name without a value is missing: ``get`` gives the default, ``[]`` raises :class:`UnsetDatum`, which is
    a ``KeyError``. Iterating reads everything, whatever was declared, and so raises as well.
    """

    def __init__(self, owner: str, known: frozenset[str], values: Mapping[str, Any], setters: Setters = dict) -> None:
        self._owner = owner
        self._known = known
        self._values = values
        self._setters = setters
        self._copies: dict[str, Any] = {}
        self.fault: UndeclaredRead | None = None
        """The first read that was refused; a guard that catches the error has not read it either."""

    def __getitem__(self, name: str) -> Any:
        self._check(name)
        if name not in self._values:
            raise unset(f"the guard '{self._owner}'", name, self._setters)
        if name not in self._copies:
            self._copies[name] = _copied(self._values[name])
        return self._copies[name]

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or the default where a declared name has none."""
        self._check(name)
        return self[name] if name in self._values else default

    def __contains__(self, name: object) -> bool:
        self._check(name)
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        self._refuse("reads everything there is", "Read what it declares by name.")

    def __len__(self) -> int:
        self._refuse("counts everything there is", "Read what it declares by name.")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(sorted(self._known))})"

    def _check(self, name: Any) -> None:
        if name not in self._known:
            listed = ", ".join(f'"{each}"' for each in (*sorted(self._known), str(name)[:64]))
            self._refuse(f"reads '{str(name)[:64]}', which it does not declare", f"Declare it: reads=[{listed}].")

    def _refuse(self, what: str, hint: str) -> NoReturn:
        self.fault = self.fault or UndeclaredRead(f"the guard '{self._owner}' {what}", hint)
        raise self.fault


class Options(Mapping[str, Any]):
    """The settings that the bundle has; reading any other name raises :class:`UndeclaredRead`."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self.fault: UndeclaredRead | None = None
        """The first read that was refused."""

    def __getitem__(self, name: str) -> Any:
        return self._values[self._checked(name)]

    def get(self, name: str, default: Any = None) -> Any:
        """The value; every setting has one."""
        return self._values.get(self._checked(name), default)

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def _checked(self, name: Any) -> Any:
        if name not in self._values:
            known = ", ".join(self._values) or "none"
            hint = f"Add it to `settings` of workflow.yaml; it has {known}."
            self.fault = self.fault or UndeclaredRead(f"the bundle has no setting '{str(name)[:64]}'", hint)
            raise self.fault
        return name


def _copied(value: Any) -> Any:
    """A copy that a guard may change; text needs none."""
    return value if isinstance(value, str) else deepcopy(value)
