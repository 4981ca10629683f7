"""What a prose skill demands, sentence by sentence, and what of a bundle or its tests keeps it.

A sentence is tied to a rule by its number: in a table whose first cell is one, in a comment within or after the
sentence (``<!-- NUMBER -->``), or by a quotation of its words in a list of rules. Nothing is guessed from likeness.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Literal

from workflow.author.rule_marks import Marked
from workflow.machine.definition import Choice, Definition
from workflow.model.frozen import Noun, replace

Standing = Literal["covered", "superseded", "uncovered", "untied"]


class Sentence(Noun):
    """A demand: what must be, or what must never be; ``line`` counts from 1, ``rules`` are its numbers."""

    line: int
    kind: Literal["must", "never"]
    text: str
    rules: tuple[str, ...] = ()


class Cover(Noun):
    """What keeps a rule: a state, event, gate, guard, action, message, brief, datum or test of this name."""

    kind: str
    name: str


class Demand(Noun):
    """A sentence and what keeps it: covered if each of its rules is, untied if it has no number at all.

    It is superseded if a rule of it gave way to another, and what is to be kept is kept.
    """

    sentence: Sentence
    standing: Standing
    by: tuple[Cover, ...] = ()


def sentences(text: str, quotes: Iterable[tuple[str, str]] = ()) -> Iterator[Sentence]:
    """The demands of a text, in order; ``quotes`` are (rule, words of its sentence)."""
    wanted = [(rule, _bare(words)) for rule, words in quotes if _bare(words)]
    for sentence in _sentences(text):
        bare = _bare(sentence.text)
        found = (rule for rule, words in wanted if words in bare)
        yield replace(sentence, rules=tuple(dict.fromkeys((*sentence.rules, *found))))


def covers(definition: Definition, marked: Iterable[Marked] = ()) -> dict[str, list[Cover]]:
    """Rule → what keeps it, in the order of the file, tests last."""
    found: dict[str, list[Cover]] = {}
    for cover, rules in _declared(definition, marked):
        for rule in rules:
            found.setdefault(rule, []).append(cover)
    return found


def demands(
    found: Iterable[Sentence], kept: Mapping[str, Sequence[Cover]], instead: Mapping[str, str] = {}
) -> Iterator[Demand]:
    """Each sentence with what keeps it; ``instead`` names the rules that others gave way to."""
    for sentence in found:
        wanted = [instead.get(rule, rule) for rule in sentence.rules]
        by = tuple(dict.fromkeys(cover for rule in wanted for cover in kept.get(rule, ())))
        whole: Standing = "superseded" if wanted != list(sentence.rules) else "covered"
        standing: Standing = whole if all(kept.get(rule) for rule in wanted) else "uncovered"
        yield Demand(sentence, standing if wanted else "untied", by)


_RULE = r"[A-Z]{1,4}-?[0-9]+"
_COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)
_DEMAND = re.compile(
    r"(?P<never>\bNEVER\b|\b(?:MUST|SHALL|DO|[Dd]o|does|MAY) NOT\b|\bDo not\b|\bNever\b|\bDon['’]t\b"
    r"|绝对不能|绝不|不得|不可(?!用|能)|不要|禁止|严禁|切勿|请勿)"
    r"|(?P<must>\b(?:MUST|SHALL|REQUIRED|MANDATORY|EXACTLY|ALWAYS|Always)\b|必须|务必|必填|必需|一定要)"
)
"""What makes a sentence a demand; the first that stands in it says which kind."""
_END = r"(?:(?<!\be\.g)(?<!\bi\.e)[.!?](?=[\s\"”’)*`<]|$)|[。\uff01\uff1f\uff1b])[\"”’)*`]*"
_SENTENCE = re.compile(rf"\S.*?(?:{_END}(?:\s*<!--.*?-->)*|\Z)", re.DOTALL)
_OPENS = re.compile(r"\s*(?:(?:[-*•+]|\d+[.)]|[a-z][.)]|#+)(?:\s+|$)|>\s*|(?:```|---).*)")
"""What begins a paragraph of its own: an item, a heading, a quotation, a fence, a rule."""
_SHORT = 60
"""Columns: a shorter line was not broken for its length, so that a capital below it begins something new."""
_ROW = re.compile(r"\s*\|(.*)\|\s*")
_RULER = re.compile(r"[\s|:-]+")
_TITLES = ("rule", "title", "sentence", "规则")

_Line = tuple[int, str]


def _sentences(text: str) -> Iterator[Sentence]:
    titled: int | None = None
    for kind, lines in _blocks(text):
        if kind == "header":
            titled = next((place for place, cell in enumerate(_cells(lines[0][1])) if cell.lower() in _TITLES), None)
        elif kind == "row" and re.fullmatch(_RULE, _cells(lines[0][1])[0]):
            yield _of_row(lines[0], titled)
        elif kind == "row":
            yield from (each for cell in _cells(lines[0][1]) for each in _of_paragraph([(lines[0][0], cell)]))
        else:
            yield from _of_paragraph(lines)


def _blocks(text: str) -> Iterator[tuple[str, list[_Line]]]:
    """Headers and rows of tables one by one, and paragraphs, whose lines belong together."""
    paragraph: list[_Line] = []
    lines = [*enumerate(text.splitlines(), 1), (0, "")]
    for (number, line), (_, below) in pairwise((*lines, (0, ""))):
        row = _ROW.fullmatch(line)
        if paragraph and (row or not line.strip() or _begins(line, paragraph[-1][1])):
            yield "paragraph", paragraph
            paragraph = []
        if row and not _RULER.fullmatch(line):
            yield ("header" if _ROW.fullmatch(below) and _RULER.fullmatch(below) else "row"), [(number, line)]
        elif not row and line.strip():
            paragraph.append((number, line))


def _begins(line: str, above: str) -> bool:
    """Whether a line begins a paragraph of its own below another."""
    if _OPENS.match(line) or _OPENS.fullmatch(above):
        return True
    first = line.lstrip()[0]
    capital = first.isupper() or not (first.isascii() or first.islower())
    return capital and len(above) < _SHORT and not above.rstrip().endswith((",", ";", "\uff0c", "、"))


def _of_row(line: _Line, titled: int | None) -> Sentence:
    """A row that begins with a rule's number is a demand whatever its words."""
    cells = _cells(line[1])
    text = cells[titled] if titled and titled < len(cells) else max(cells[1:] or [""], key=len)
    found = _DEMAND.search(text)
    return Sentence(line[0], "never" if found and found["never"] else "must", _plain(text), (cells[0],))


def _of_paragraph(lines: Sequence[_Line]) -> Iterator[Sentence]:
    joined = "\n".join(line for _, line in lines)
    for match in _SENTENCE.finditer(joined):
        comments = " ".join(_COMMENT.findall(match[0]))
        plain = _plain(match[0])
        found = _DEMAND.search(plain)
        if found:
            line = lines[joined.count("\n", 0, match.start())][0]
            yield Sentence(line, "never" if found["never"] else "must", plain, tuple(re.findall(_RULE, comments)))


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip()[1:-1])]


def _plain(text: str) -> str:
    """The words alone: without comments, marks of items and headings, emphasis and line breaks."""
    text = _COMMENT.sub("", text)
    opens = _OPENS.match(text)
    text = text[opens.end() :] if opens else text
    return " ".join(text.replace("**", "").split())


def _bare(text: str) -> str:
    """For comparing: breaks, spaces and case do not count."""
    return re.sub(r"[\s*`]+", "", text).casefold()


def _declared(definition: Definition, marked: Iterable[Marked]) -> Iterator[tuple[Cover, Sequence[str]]]:
    yield from ((Cover("gate", gate.name), gate.covers) for gate in definition.gates.values())
    yield from ((Cover("event", event.name), event.covers) for event in definition.events.values())
    yield from ((Cover("state", state.name), state.covers) for state in definition.states.values())
    kinds = _kinds(definition)
    for name, rules in definition.covers.items():
        yield from ((Cover(kind, name), rules) for kind, names in kinds.items() if name in names)
    yield from ((Cover("test", each.test), each.rules) for each in marked)


def _kinds(definition: Definition) -> dict[str, set[str]]:
    """What each name without a table of its own is; one may be of several kinds."""
    states = definition.states.values()
    choices = [choice for state in states for choice in (state.then, *state.says) if choice]
    choices += [state.watch.then for state in states if state.watch]
    said = [choice for state in states for choice in state.says]
    return {
        "guard": {name for choice in choices for name in choice.names}
        | {event.guard for event in definition.events.values() if event.guard},
        "action": {state.action for state in states if state.action},
        "message": _targets([*said, definition.trouble])
        | {event.say for event in definition.events.values() if event.say},
        "brief": {state.watch.brief for state in states if state.watch},
        "datum": set(definition.data),
    }


def _targets(choices: Iterable[Choice]) -> set[str]:
    return {target for choice in choices for target in choice.targets}
