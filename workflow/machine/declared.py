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
        self._values = {name: _copied(values[name]) for name in known if name in values}

    def __getitem__(self, name: str) -> Any:
        return self._values[self._checked(name)]

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or the default where a declared name has none."""
        return self._values.get(self._checked(name), default)

    def __contains__(self, name: object) -> bool:
        return self._checked(name) in self._values

    def __iter__(self) -> Iterator[str]:
        self._refuse("reads everything there is", "Read what it declares by name.")

    def __len__(self) -> int:
        self._refuse("counts everything there is", "Read what it declares by name.")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(sorted(self._known))})"

    def _checked(self, name: Any) -> Any:
        if name not in self._known:
            listed = ", ".join(f'"{each}"' for each in (*sorted(self._known), str(name)[:64]))
            self._refuse(f"reads '{str(name)[:64]}', which it does not declare", f"Declare it: reads=[{listed}].")
        return name

    def _refuse(self, what: str, hint: str) -> NoReturn:
        raise UndeclaredRead(f"the guard '{self._owner}' {what}", hint)


class Options(Mapping[str, Any]):
    """The settings that the bundle has; reading any other name raises :class:`UndeclaredRead`."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

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
            raise UndeclaredRead(f"the bundle has no setting '{str(name)[:64]}'", hint)
        return name


def _copied(value: Any) -> Any:
    """A copy that a guard may change; text needs none."""
    return value if isinstance(value, str) else deepcopy(value)
