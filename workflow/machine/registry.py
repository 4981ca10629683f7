"""What a bundle's Python says: ``@action`` and ``@guard`` mark functions, the registry finds them.

The decorators only mark, so that a bundle can be loaded twice, or read without being run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any, NamedTuple, TypeVar, get_args

from workflow.machine.definition import HARMLESS, Effect
from workflow.model.errors import BundleError, UnknownName
from workflow.model.frozen import Noun
from workflow.model.ports import Service
from workflow.model.spelling import did_you_mean

Function = TypeVar("Function", bound=Callable[..., Any])


class Verdict(NamedTuple):
    """A guard's answer: it passes, or ``reason`` says why not, in words for the agent."""

    passes: bool
    reason: str = ""


PASSES = Verdict(True)


def because(reason: str) -> Verdict:
    """The guard does not pass, and this is why."""
    return Verdict(False, reason)


class Facts(Noun):
    """What a guard may look at: the data it declared, the event's input, and what the turn observed."""

    data: Mapping[str, Any]
    input: Mapping[str, Any]
    settings: Mapping[str, Any]
    watched: bool
    in_doubt: bool


class Call(Noun):
    """What an action may use: the data, the service, and for a file that was consented to, its bytes.

    ``item`` is the reference that is being worked on, where a gate asks item by item; ``read`` gives exactly
    the consented bytes or raises :class:`FileChanged`. ``intent`` names the paid call that is
    being made, or the one that is in doubt: for the header by which a service knows a repeat, and to look for it.
    """

    data: Mapping[str, Any]
    settings: Mapping[str, Any]
    service: Service
    base_url: str
    item: Mapping[str, Any] | None
    read: Callable[[], bytes]
    intent: str | None = None


class Done(Noun):
    """An action's result: the data it sets, and for a look how far the service is (0 to 100)."""

    data: Mapping[str, Any] = {}
    progress: int | None = None


class Action(Noun):
    """An action of the bundle, and what it touches."""

    name: str
    effect: Effect
    sets: frozenset[str]
    perform: Callable[[Call], Done]

    @property
    def once(self) -> bool:
        """Whether it is never repeated by itself; so is everything that does not say that it may be."""
        return self.effect not in HARMLESS


class Guard(Noun):
    """A guard of the bundle, and what it reads."""

    name: str
    reads: frozenset[str]
    judge: Callable[[Facts], Verdict]


class Registry(Noun):
    """All actions and guards of a bundle, by name; the guards that every bundle has are among them."""

    actions: Mapping[str, Action]
    guards: Mapping[str, Guard]


def action(*, effect: Effect, sets: Sequence[str] = ()) -> Callable[[Function], Function]:
    """Mark a function as an action: ``effect`` is ``read``, ``repeatable`` or ``once``; ``sets`` the data it gives.

    Another effect raises :class:`UnknownName`, so that the bundle does not load: everything that keeps a call from
    being made twice, or without a gate, hangs on it.
    """
    if effect not in get_args(Effect):
        raise UnknownName(
            f"unknown effect {str(effect)[:40]!r}{did_you_mean(str(effect), get_args(Effect))}",
            f"An action's effect is one of {', '.join(get_args(Effect))}.",
        )
    _check_names("sets", sets)

    def mark(function: Function) -> Function:
        marked = Action(function.__name__, effect, frozenset(sets), function)
        function._phasegate = marked  # type: ignore[attr-defined]
        return function

    return mark


def guard(*, reads: Sequence[str] = ()) -> Callable[[Function], Function]:
    """Mark a function as a guard that reads these data, of the session or of the event's input, and no others."""
    _check_names("reads", reads)

    def mark(function: Function) -> Function:
        function._phasegate = Guard(function.__name__, frozenset(reads), function)  # type: ignore[attr-defined]
        return function

    return mark


def _check_names(what: str, names: Sequence[str]) -> None:
    """A list of names, and not one text, which would be taken for a list of letters."""
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise UnknownName(f"`{what}` is a list of names of data, not {str(names)[:40]!r}", f'Write {what}=["…"].')


def collect(modules: Iterable[ModuleType], built_in: Iterable[Guard]) -> Registry:
    """Everything that is marked in ``modules``; the same name twice raises :class:`BundleError`."""
    actions: dict[str, Action] = {}
    guards: dict[str, Guard] = {each.name: each for each in built_in}
    for module in modules:
        for value in list(vars(module).values()):
            marked = getattr(value, "_phasegate", None)
            if marked is None or getattr(value, "__module__", None) != module.__name__:
                continue
            known: dict[str, Any] = actions if isinstance(marked, Action) else guards
            if marked.name in known:
                raise BundleError(f"{marked.name!r} is defined twice, the second time in {module.__name__}")
            known[marked.name] = marked
    return Registry(actions, guards)
