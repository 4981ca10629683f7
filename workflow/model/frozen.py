"""The base of every noun: a frozen record with the fields that its class names.

What ``dataclass(frozen=True)`` gives, without generated code: half a millisecond for each of some fifty
classes was a quarter of a turn's process (decision 014).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

N = TypeVar("N", bound="Noun")
_set = object.__setattr__


@dataclass_transform(frozen_default=True)
class Noun:
    """Fields in the order of the class, defaults as written; equal if of one class and equal in every field.

    A default that is a list or a dict is made again for each. ``hide`` names fields that no ``repr`` shows.
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
        cls = type(self)
        if len(values) > len(cls._names):
            raise TypeError(f"{cls.__name__} takes {len(cls._names)} values, not {len(values)}")
        for name, value in zip(cls._names, values, strict=False):
            if name in named:
                raise TypeError(f"{cls.__name__} got twice {name}")
            named[name] = value
        if len(named) < len(cls._names):
            named = cls._defaults | named
            for name in cls._anew:
                if named[name] is cls._defaults[name]:
                    named[name] = named[name].copy()
        if named.keys() != cls._known:
            raise TypeError(_misfit(cls, named))
        _set(self, "__dict__", named)

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
    """The same noun with some fields changed; a name that is not a field raises ``TypeError``."""
    cls, state = type(noun), noun.__dict__
    if not changes.keys() <= cls._known:
        raise TypeError(_misfit(cls, {**state, **changes}))
    if len(state) > len(cls._names):  # beside the fields there is what was found out of them, and they change
        state = {name: state[name] for name in cls._names}
    other = cls.__new__(cls)
    _set(other, "__dict__", {**state, **changes})
    return other


def written(noun: N, text: str | None) -> N:
    """The same noun, whose ``text`` is known and need not be made again."""
    noun.__dict__["text"] = text
    return noun


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


def _misfit(cls: type[Noun], named: Mapping[str, Any]) -> str:
    strange = [name for name in named if name not in cls._known]
    missing = [name for name in cls._names if name not in named]
    fault, found = ("has no field", strange) if strange else ("needs", missing)
    return f"{cls.__name__} {fault} {', '.join(found)}"
