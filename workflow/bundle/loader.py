"""Reading ``workflow.yaml`` strictly, with the place of every key: one meaning per text; all faults told.

The values are built straight from the parser's events, by rules of our own: no anchor, tag, merge key, repeated key
or implicit type ever becomes a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from workflow.bundle import grammar
from workflow.machine.definition import USER
from workflow.model.duration import seconds
from workflow.model.errors import BundleFaults, DefinitionError
from workflow.model.frozen import Noun
from workflow.model.plain_text import NotPlain, plain
from workflow.model.spelling import did_you_mean, near

MAX_BYTES = 262_144
MAX_EVENTS = 20_000
MAX_LEVELS = 50
MAX_FAULTS = 50
"""More faults than this are one fault: it is another kind of file."""

Keys = tuple[str | int, ...]
Position = tuple[int, int]
Form = Any
"""A dataclass, that of a whole document."""

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")
_MAX_DIGITS = 18  # what fits into 64 bits, and is converted in no time
_WORDS: Mapping[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_EXPECTED = {
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a table",
    "dataclass_type": "a table",
    "bool_type": "true or false",
    "int_type": "a number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
}


class Source(Noun, hide=("keys", "values")):
    """A document that the grammar accepts, and where each of its keys and values stands."""

    document: dict[str, Any]
    path: str
    keys: Mapping[Keys, Position]
    values: Mapping[Keys, Position]

    def at(self, *keys: str | int) -> Position:
        """Line and column, from 1, of this key, or of the nearest key above it that is there."""
        return self._nearest(self.keys, keys)

    def value_at(self, *keys: str | int) -> Position:
        """Line and column, from 1, of the value of this key, or of the nearest above it."""
        return self._nearest(self.values, keys)

    def _nearest(self, places: Mapping[Keys, Position], keys: Keys) -> Position:
        for length in range(len(keys), 0, -1):
            if keys[:length] in places:
                return places[keys[:length]]
        return self.values.get((), (1, 1))


def read(text: str | bytes, path: str) -> Source:
    """The document in ``text``; raises :class:`BundleFaults` with all that is wrong in ``path``."""
    return read_as(grammar.Document, text, path, _beside_grammar)


def read_as(form: Form, text: str | bytes, path: str, beside: Callable[[Source], Iterable[DefinitionError]]) -> Source:
    """A document of this form, read as strictly; ``beside`` finds what types cannot say."""
    builder = _Builder(path)
    try:
        for event in _events(_decoded(text, path), path):
            builder.take(event)
    except DefinitionError as fault:
        builder.faults.append(fault)
    if not builder.faults and not isinstance(builder.root, dict):
        what = "is empty" if builder.root is None else "must be a table"
        builder.faults.append(DefinitionError(f"the document {what}", path, 1, 1))
    if builder.faults:
        raise BundleFaults(sorted(builder.faults, key=place_of))
    source = Source(builder.root, path, builder.keys, builder.values)
    faults = {fault.message: fault for fault in (*_against(form, source), *beside(source))}
    if faults:
        raise BundleFaults(sorted(faults.values(), key=place_of))
    return source


def typed(form: Form, source: Source) -> Any:
    """What :func:`read_as` has read, as a value of its form."""
    adapter, _ = _grammar(form)
    return adapter.validate_python(source.document)


def schema(form: Form = grammar.Document) -> dict[str, Any]:
    """The JSON schema of the grammar, or of another form, for editors."""
    adapter, _ = _grammar(form)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **adapter.json_schema()}


def place_of(fault: DefinitionError) -> Position:
    """To sort by."""
    return fault.line, fault.column


class _Event(NamedTuple):
    """What the parser saw: ``kind`` is document, table, list, end, scalar or alias."""

    kind: str
    line: int
    column: int
    text: str = ""
    plain: bool = False
    anchored: bool = False
    tagged: bool = False


@dataclass(slots=True)
class _Frame:
    """A table or list that is not closed yet; ``key`` is the one that waits for its value."""

    at: Keys
    value: Any
    key: str | None = None

    @property
    def wants_key(self) -> bool:
        return isinstance(self.value, dict) and self.key is None


class _Builder:
    """Makes values of events; every fault that does not stop the reading is collected."""

    def __init__(self, path: str) -> None:
        self.root: Any = None
        self.keys: dict[Keys, Position] = {}
        self.values: dict[Keys, Position] = {}
        self.faults: list[DefinitionError] = []
        self._path = path
        self._open: list[_Frame] = []
        self._documents = 0
        self._events = 0

    def take(self, event: _Event) -> None:
        """One more event; raises ``DefinitionError`` for what makes reading on useless."""
        self._events += 1
        if self._events > MAX_EVENTS:
            raise self._fault(f"more than {MAX_EVENTS:,} YAML events", event)
        if len(self.faults) >= MAX_FAULTS:
            raise self._fault("too many faults to read on", event)
        if event.anchored:
            self._note("anchors (&) are not allowed", event)
        if event.tagged:
            self._note("tags (!) are not allowed", event)
        if event.kind == "document":
            self._start(event)
        elif event.kind == "end":
            self._open.pop()
        elif self._open and self._open[-1].wants_key:
            self._key(event)
        else:
            self._value(event)

    def _start(self, event: _Event) -> None:
        self._documents += 1
        if self._documents > 1:
            raise self._fault("a second document", event)

    def _key(self, event: _Event) -> None:
        frame = self._open[-1]
        if event.kind != "scalar":
            raise self._fault("a key must be text", event)
        name = event.text
        if event.plain and name == "<<":
            self._note("merge keys (<<) are not allowed", event)
        elif not isinstance(self._scalar(event), str):
            self._note(f"a key must be text: write '{name}' in quotes, or choose another", event)
        elif name in frame.value:
            self._note(f"the key '{name}' is there twice", event)
        self.keys[(*frame.at, name)] = event.line, event.column
        frame.key = name

    def _value(self, event: _Event) -> None:
        place = self._place()
        self.values[place] = event.line, event.column
        value: Any = None
        if event.kind == "alias":
            self._note("aliases (*) are not allowed", event)
        elif event.kind == "scalar":
            value = self._scalar(event)
        else:
            value = {} if event.kind == "table" else []
        self._put(value)
        if event.kind in ("table", "list"):
            if len(self._open) >= MAX_LEVELS:
                raise self._fault(f"more than {MAX_LEVELS} levels", event)
            self._open.append(_Frame(place, value))

    def _place(self) -> Keys:
        if not self._open:
            return ()
        frame = self._open[-1]
        return (*frame.at, len(frame.value) if frame.key is None else frame.key)

    def _put(self, value: Any) -> None:
        frame = self._open[-1] if self._open else None
        if frame is None:
            self.root = value
        elif frame.key is None:
            frame.value.append(value)
        else:
            frame.value[frame.key] = value
            frame.key = None

    def _scalar(self, event: _Event) -> Any:
        """Our own resolver: words, integers and decimals; everything else is text."""
        text = event.text
        if any("\ud800" <= char <= "\udfff" for char in text):
            self._note("half of a surrogate pair is not text", event)
        if not event.plain:
            return text
        if text in _WORDS:
            return _WORDS[text]
        number = int if _INTEGER.fullmatch(text) else float if _FLOAT.fullmatch(text) else None
        if number is None:
            return text
        if sum(char.isdigit() for char in text) > _MAX_DIGITS:
            self._note("a number with too many digits; write it in quotes if it is text", event)
            return text
        return number(text)

    def _note(self, message: str, event: _Event) -> None:
        self.faults.append(self._fault(message, event))

    def _fault(self, message: str, event: _Event) -> DefinitionError:
        return DefinitionError(message, self._path, event.line, event.column)


def _decoded(text: str | bytes, path: str) -> str:
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(content) > MAX_BYTES:
        raise DefinitionError(f"larger than {MAX_BYTES // 1024} KiB", path, 1, 1)
    try:
        return plain(content)
    except NotPlain as error:
        raise DefinitionError(str(error), path, error.line, error.column) from None


def _counted(before: str) -> Position:
    """Line and column of what comes after this text."""
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _events(text: str, path: str) -> Iterator[_Event]:
    """What the parser sees; whatever it raises becomes a ``DefinitionError``.

    The pure-Python parser: it keeps its own stack, where the C one recurses and dies of deep nesting.
    """
    import yaml

    kinds = {
        yaml.DocumentStartEvent: "document",
        yaml.MappingStartEvent: "table",
        yaml.SequenceStartEvent: "list",
        yaml.MappingEndEvent: "end",
        yaml.SequenceEndEvent: "end",
        yaml.ScalarEvent: "scalar",
        yaml.AliasEvent: "alias",
    }
    last = (1, 1)
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            begin: Any = event.start_mark
            last = begin.line + 1, begin.column + 1
            kind = kinds.get(type(event))
            if kind:
                yield _Event(
                    kind,
                    *last,
                    getattr(event, "value", ""),
                    getattr(event, "style", "'") is None,
                    kind != "alias" and getattr(event, "anchor", None) is not None,
                    getattr(event, "tag", None) is not None or bool(getattr(event, "tags", None)),
                )
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else last
        raise DefinitionError(f"not YAML: {error.problem or error.context}", path, *place) from None
    except yaml.reader.ReaderError as error:
        place = _counted(text[: error.position])
        raise DefinitionError(
            f"a character that YAML does not allow: U+{ord(text[error.position]):04X}", path, *place
        ) from None
    except (ValueError, ArithmeticError, LookupError, RecursionError) as error:
        # Escapes such as "\UFFFFFFFF" and absurd %YAML versions come out of the scanner as they are.
        raise DefinitionError(f"not YAML: {type(error).__name__} after this place", path, *last) from None


@cache
def _grammar(form: Form) -> tuple[Any, type[Any]]:
    """A form as pydantic checks it, and the error it raises; imported here alone: it takes 100 ms."""
    from pydantic import TypeAdapter, ValidationError

    return TypeAdapter(form), ValidationError


def _against(form: Form, source: Source) -> Iterator[DefinitionError]:
    """What pydantic finds, in our words; the branches of a union are one fault."""
    adapter, invalid = _grammar(form)
    try:
        adapter.validate_python(source.document)
        return
    except invalid as error:
        found = error.errors(include_url=False, include_input=False)
    wrong: dict[Keys, list[dict[str, Any]]] = {}
    misspelt = set(_misspelt(form, source, found))
    for each in found:
        place = _place(source.document, each["loc"])
        if each["type"] == "missing":
            name = each["loc"][-1]
            if (*place, name) in misspelt:
                continue  # it is there, under the unknown key
            of = f" in '{place[-1]}'" if place else ""
            yield DefinitionError(f"'{name}' is missing{of}", source.path, *source.at(*place))
        elif each["type"] == "unexpected_keyword_argument":
            hint = did_you_mean(str(place[-1]), _keys_of(form, place[:-1]))
            yield DefinitionError(f"unknown key '{place[-1]}'{hint}", source.path, *source.at(*place))
        else:
            wrong.setdefault(place, []).append(each)
    for place, errors in wrong.items():
        if not any(other[: len(place)] == place and other != place for other in wrong):
            yield DefinitionError(_expected(source, place, errors), source.path, *source.value_at(*place))


def _misspelt(form: Form, source: Source, found: Iterable[Mapping[str, Any]]) -> Iterator[Keys]:
    """Where the keys belong that were probably meant by unknown ones."""
    for each in found:
        if each["type"] == "unexpected_keyword_argument":
            place = _place(source.document, each["loc"])
            yield (*place[:-1], near(str(place[-1]), _keys_of(form, place[:-1])))


def _place(document: Any, where: Iterable[str | int]) -> Keys:
    """The keys among these that the document has; between them pydantic names the branches of unions."""
    place: list[str | int] = []
    value = document
    for key in where:
        within = key in value if isinstance(value, dict) else isinstance(value, list) and isinstance(key, int)
        if within:
            place.append(key)
            value = value[key]
    return tuple(place)


def _keys_of(form: Form, place: Keys) -> list[str]:
    """What may be written in the table at ``place``: the types of the form are followed down to it."""
    kinds: list[Any] = [form]
    for key in place:
        kinds = [inner for kind in kinds for inner in _inner(kind, key)]
    return [each.name.rstrip("_") for kind in kinds if is_dataclass(kind) for each in fields(kind)]


def _inner(kind: Any, key: str | int) -> list[Any]:
    """The types that may follow a key of a table, or in a list; the arms of a union one by one."""
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        found = hints.get(str(key), hints.get(f"{key}_"))
    elif hasattr(kind, "__extra_items__"):  # a table with some known keys
        found = get_type_hints(kind).get(str(key), kind.__extra_items__)
    else:
        found = get_args(kind)[-1] if get_origin(kind) in (dict, list) else None
    return list(get_args(found)) if get_origin(found) is UnionType else [found]


def _expected(source: Source, place: Keys, errors: list[dict[str, Any]]) -> str:
    last = place[-1] if place else "the document"
    what = f"an item of '{place[-2]}'" if isinstance(last, int) else f"'{last}'"
    for error in errors:
        if error["type"] == "literal_error":
            expected = error["ctx"]["expected"].replace("'", "")
            given: Any = source.document
            for key in place:
                given = given[key]
            allowed = re.split(", | or ", expected)
            hint = "" if str(given) in allowed else did_you_mean(str(given), allowed)
            return f"{what} must be {expected}{hint}"
    wanted = dict.fromkeys(_EXPECTED.get(error["type"], error["msg"]) for error in errors)
    return f"{what} must be {', or '.join(wanted)}"


def _beside_grammar(source: Source) -> Iterator[DefinitionError]:
    """What types cannot say: that 1 is not true, and how a duration is written."""
    if source.document.get("format") is True:
        yield DefinitionError("'format' must be 1", source.path, *source.value_at("format"))
    for name, gate in _items(source.document.get("gates")):
        if dict(_items(gate)).get("least") is True:
            where = source.value_at("gates", name, "least")
            yield DefinitionError("'least' must be a number", source.path, *where)
    for name, limit in _items(source.document.get("limits")):
        if isinstance(dict(_items(limit)).get("most"), (str, bool, float)):  # which pydantic takes for a number
            yield DefinitionError(
                "'most' must be a whole number", source.path, *source.value_at("limits", name, "most")
            )
    for place in _reminders(source.document):
        yield DefinitionError("'at_most' must be a whole number", source.path, *source.value_at(*place))
    for place, value in _durations(source.document):
        try:
            seconds(value)
        except ValueError:
            message = f"'{place[-1]}' must be a duration such as 3s, 20m, 1h30m or 7d"
            yield DefinitionError(message, source.path, *source.value_at(*place))
    for place in _times(source.document):
        try:
            seconds(place[-1])
        except ValueError:
            message = f"the key '{place[-1]}' must be a duration such as 30m, 48h or 7d"
            yield DefinitionError(message, source.path, *source.at(*place))
    for place, say in _says(source.document):
        if USER not in say and not all(isinstance(each, str) for each in say.values()):
            message = f"'say' by role needs '{USER}': what the user is told"
            yield DefinitionError(message, source.path, *source.at(*place))


def _times(document: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """The keys that are durations."""
    yield from (("deadline", time) for time, _ in _items(document.get("deadline")))
    for phase, states in _items(document.get("phases")):
        for name, state in _items(states):
            yield from (("phases", phase, name, "after", time) for time, _ in _items(dict(_items(state)).get("after")))


def _reminders(document: Mapping[str, Any]) -> Iterator[Keys]:
    """Where the number of reminders is none, and pydantic takes it for one."""
    for phase, states in _items(document.get("phases")):
        for name, state in _items(states):
            if isinstance(dict(_items(dict(_items(state)).get("remind"))).get("at_most"), (str, bool, float)):
                yield "phases", phase, name, "remind", "at_most"


def _says(document: Mapping[str, Any]) -> Iterator[tuple[Keys, Mapping[str, Any]]]:
    for phase, states in _items(document.get("phases")):
        for name, state in _items(states):
            say = dict(_items(state)).get("say")
            if isinstance(say, dict):
                yield ("phases", phase, name, "say"), say


def _durations(document: Mapping[str, Any]) -> Iterator[tuple[Keys, Any]]:
    for name, gate in _items(document.get("gates")):
        valid = dict(_items(gate)).get("valid")
        if isinstance(valid, (str, int, float)):
            yield ("gates", name, "valid"), valid
    for name, action in _items(document.get("actions")):
        timeout = dict(_items(action)).get("timeout")
        if isinstance(timeout, (str, int, float)):
            yield ("actions", name, "timeout"), timeout
    for name, limit in _items(document.get("limits")):
        per = dict(_items(limit)).get("per")
        if isinstance(per, (str, int, float)):
            yield ("limits", name, "per"), per
    for phase, states in _items(document.get("phases")):
        for name, state in _items(states):
            for table in ("watch", "remind"):
                for key, value in _items(dict(_items(state)).get(table)):
                    if key in ("every", "within") and isinstance(value, (str, int, float)):
                        yield ("phases", phase, name, table, key), value


def _items(table: Any) -> Iterable[tuple[str, Any]]:
    return table.items() if isinstance(table, dict) else ()
