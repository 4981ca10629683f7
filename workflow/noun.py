"""The base of every noun: a frozen record with the fields that its class names.

What ``dataclass(frozen=True)`` gives, without generated code: half a millisecond for each of some fifty
classes was a quarter of a turn's process (decision 014).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

N = TypeVar("N", bound="Noun")


@dataclass_transform(frozen_default=True)
class Noun:
    """Fields in the order of the class, defaults as written; equal if of one class and equal in every field.

    A default that is a list or a dict is made anew for each. ``hide`` names fields that no ``repr`` shows.
    """

    _names: ClassVar[tuple[str, ...]] = ()
    _known: ClassVar[frozenset[str]] = frozenset()
    _defaults: ClassVar[dict[str, Any]] = {}
    _anew: ClassVar[tuple[str, ...]] = ()
    _hidden: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, *, hide: tuple[str, ...] = ()) -> None:
        own = [name for name, kind in vars(cls).get("__annotations__", {}).items() if "ClassVar" not in str(kind)]
        cls._names = tuple(dict.fromkeys((*cls._names, *own)))
        cls._known = frozenset(cls._names)
        cls._defaults = {**cls._defaults, **{name: vars(cls)[name] for name in own if name in vars(cls)}}
        cls._anew = tuple(name for name, value in cls._defaults.items() if isinstance(value, (dict, list)))
        cls._hidden = (*cls._hidden, *hide)

    def __init__(self, *values: Any, **named: Any) -> None:
        cls, state = type(self), self.__dict__
        state.update(cls._defaults)
        for name in cls._anew:
            state[name] = cls._defaults[name].copy()
        twice = False
        if values:
            state.update(zip(cls._names, values, strict=False))
            twice = not named.keys().isdisjoint(cls._names[: len(values)])
        state.update(named)
        if twice or len(values) > len(cls._names) or state.keys() != cls._known:
            raise TypeError(_misfit(cls, values, named))

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen; make another with replace()")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and _values(self) == _values(other)

    def __hash__(self) -> int:
        return hash(_values(self))

    def __repr__(self) -> str:
        shown = (f"{name}={self.__dict__[name]!r}" for name in self._names if name not in self._hidden)
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def __copy__(self) -> Self:
        return self


def replace(noun: N, **changes: Any) -> N:
    """The same noun with some fields changed; a name that is no field raises ``TypeError``."""
    cls, state = type(noun), noun.__dict__
    if not changes.keys() <= cls._known:
        raise TypeError(_misfit(cls, (), {**state, **changes}))
    other = cls.__new__(cls)
    other.__dict__.update({name: state[name] for name in cls._names}, **changes)
    return other


def names(noun: type[Noun]) -> tuple[str, ...]:
    """The names of its fields, in the order of the class."""
    return noun._names


def as_dict(noun: Noun) -> dict[str, Any]:
    """A noun as a dict of its fields, with the nouns inside it as dicts too; tuples become lists."""
    return {name: _plain(noun.__dict__[name]) for name in noun._names}


def _plain(value: Any) -> Any:
    if isinstance(value, Noun):
        return as_dict(value)
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return value


def _values(noun: Any) -> tuple[Any, ...]:
    return tuple(noun.__dict__[name] for name in noun._names)


def _misfit(cls: type[Noun], values: tuple[Any, ...], named: Mapping[str, Any]) -> str:
    names = cls._names
    if len(values) > len(names):
        return f"{cls.__name__} takes {len(names)} values, not {len(values)}"
    placed = names[: len(values)]
    strange = [name for name in named if name not in names]
    twice = [name for name in named if name in placed]
    missing = [name for name in names if name not in placed and name not in named and name not in cls._defaults]
    faults = (("has no field", strange), ("got twice", twice), ("needs", missing))
    fault, found = next((fault, found) for fault, found in faults if found)
    return f"{cls.__name__} {fault} {', '.join(found)}"
