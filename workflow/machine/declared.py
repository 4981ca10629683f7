"""What a guard is shown: the data and the input that it declared to read, and the settings of its bundle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, NoReturn

from workflow.model.errors import UndeclaredRead


class Declared(Mapping[str, Any]):
    """A copy of the values under the declared names; reading any other name raises :class:`UndeclaredRead`.

    A declared name without a value is missing, as in any mapping: ``get`` gives the default, ``[]`` raises
    ``KeyError``. Iterating reads everything, whatever was declared, and so raises as well.
    """

    def __init__(self, owner: str, known: frozenset[str], values: Mapping[str, Any]) -> None:
        self._owner = owner
        self._known = known
        self._values = values
        self._copies: dict[str, Any] = {}
        self.fault: UndeclaredRead | None = None
        """The first read that was refused; a guard that catches the error has not read it either."""

    def __getitem__(self, name: str) -> Any:
        self._check(name)
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
