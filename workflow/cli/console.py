"""What people see on a terminal; the only importer of rich, which is imported when something is shown."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from workflow.cli.manner import no_colour, quiet
from workflow.cli.turn_form import turn_form
from workflow.machine import foreign
from workflow.machine.foreign import MARGIN
from workflow.machine.hosts import command
from workflow.machine.messages import visible
from workflow.model.reply import Option, Reply, Said
from workflow.show.times import here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

COLOURS = {
    "working": "cyan",
    "waiting": "yellow",
    "watching": "cyan",
    "in_doubt": "bold red",
    "done": "green",
    "cancelled": "magenta",
    "failed": "red",
}
KINDS = {
    "event": "green",
    "refusal": "red",
    "partial": "bold yellow",
    "unproven": "red",
    "failure": "red",
    "doubt": "bold red",
    "intent": "yellow",
    "result": "cyan",
}


def console(*, error: bool = False) -> Console:
    """A console that knows the width of the terminal and whether colours are wanted."""
    from rich.console import Console

    if _recording and not error:
        return _recording.console
    return Console(stderr=error, highlight=False, no_color=no_colour(), soft_wrap=False)


def show(reply: Reply, facts: Sequence[tuple[str, str]] = ()) -> None:
    """A reply for a person: where the run stands, what is said, what may come next; ``facts`` are labelled."""
    out = console()
    if reply.session:
        out.print(_headline(reply))
    if reply.phase:
        out.print(visible(reply.phase), style="dim", markup=False)
    for label, text in facts:
        labelled(label, text)
    for said in reply.say:
        show_message(out, said)
    if reply.error:
        show_error(reply)
    for notice in reply.notices:
        _hang(out, "  ", notice, "dim")
    if reply.watch:
        if not facts:
            _hang(out, "  ", f"Waiting for the service, until {here(reply.watch['until'])} at most.", "cyan")
        _hang(out, "  ", f"Watch: {command(reply.session or '')}", "cyan")
    if reply.next:
        show_options(out, reply.next)
    forms = [f"{each.event}: {form}" for each in reply.next if (form := turn_form(each, reply.seen))]
    for line in ["As JSON, for --input -:", *forms] if forms else ():
        _hang(out, "  ", line, "dim")


def show_message(out: Console, said: Said) -> None:
    """One message, framed; what is foreign in it stands behind a margin, and nothing is read as markup.

    A link that the frame breaks is told once more below it, so that it can be copied.
    """
    from rich.panel import Panel
    from rich.text import Text

    marks = [mark for mark in ("repeat", "maybe_said", "unsaid", "withheld") if getattr(said, mark)]
    title = said.id + (f" ({', '.join(marks).replace('_', ' ')})" if marks else "")
    subtitle = f"to be translated to {said.translate_to}" if said.translate_to else None
    text = Text(foreign.message(said.parts or ({"text": said.text},), out.width - _FRAME))
    out.print(
        Panel(text, title=Text(title), title_align="left", subtitle=subtitle, border_style="green", padding=(0, 1))
    )
    lines = [line.plain for line in text.wrap(out, out.width - _FRAME)]
    for link in dict.fromkeys(re.findall(_LINK, visible(said.text, keep="\n\t"))):
        if not any(link in line for line in lines):
            out.print(_plain(link, "green"), soft_wrap=True)


def show_error(reply: Reply) -> None:
    """Why not, and the next step; in a pipe nothing is folded, so that paths and names can be found in it."""
    assert reply.error is not None
    out = console(error=True)
    for head, text, style in (("✗ ", reply.error.message, "red"), ("  → ", reply.error.hint, "")):
        if text and out.is_terminal:
            _hang(out, head, text, style)
        elif text:
            out.print(_plain(head + " ".join(text.split("\n")), style), soft_wrap=True)


def show_options(out: Console, options: Sequence[Option]) -> None:
    """What may come next, and who may send it."""
    rows = []
    for option in options:
        gate = f"{option.gate.name} ({option.gate.needs})" if option.gate else ""
        rows.append((option.event, option.who, gate, ", ".join(f"{k}: {v}" for k, v in option.input.items())))
    show_table(("next", "who", "gate", "input"), rows, out)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]], out: Console | None = None) -> None:
    """A plain table; every cell's control characters are made visible.

    Only its widest column is folded; where that would leave too little of it, each row is a paragraph instead.
    """
    from rich import box
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    out, shown = out or console(), [[visible(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, cells)) for cells in zip(columns, *shown, strict=True)]
    widest = max(widths)
    if sum(widths) - widest + 3 * (len(widths) - 1) + min(widest, _LEAST) > out.width:
        _show_paragraphs(columns, shown, out)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0))
    for number, name in enumerate(columns):
        table.add_column(Text(name), overflow="fold", no_wrap=number != widths.index(widest))
    for row in shown:
        table.add_row(*map(Text, row))
    out.print(table)


def show_quoted(text: str, indent: int = 4) -> None:
    """Foreign text in full, each line of it behind a margin."""
    out = console()
    for line in foreign.block(text, max(20, out.width - indent)):
        out.print(_plain(" " * indent + line, ""), soft_wrap=True)


def show_log(lines: Iterable[tuple[str, str, str, str, str, Sequence[tuple[str, str]]]]) -> None:
    """Entries of a journal: number, day, time, kind, what happened, and notes with their labels below it.

    Only a label begins a line: what a note says continues behind a margin.
    """
    from rich import box
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    out, rows = console(), list(lines)
    beside = out.width >= _NARROW
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0))
    table.add_column("#", justify="right", style="dim")
    table.add_column("time", style="dim", no_wrap=True)
    table.add_column("entry", no_wrap=True)
    table.add_column("what happened", overflow="fold")
    taken = _DATE + sum(
        max(map(len, each)) for each in (["#", *(row[0] for row in rows)], ["entry", *(row[3] for row in rows)])
    )
    room = max(20, out.width - taken - _GAPS if beside else out.width - 2)
    last = ""
    for seq, day, time, kind, what, notes in rows:
        story = _hung(what, KINDS.get(kind, ""), room)
        for label, text in notes:
            story.append("\n")
            style = "default" if label == "evidence" else "dim"
            story.append_text(_hung(f"{label}: {text}", style, room, dim=len(visible(label)) + 2))
        name = Text(visible(kind), style=KINDS.get(kind, ""))
        if beside:
            when = visible(time if day == last else f"{day}\n{time}", keep="\n")
            table.add_row(Text(seq), Text(when), name, story)
        else:
            when = visible(time if day == last else f"{day} {time}")
            out.print(Text.assemble((f"{seq}  {when}  ", "dim"), name))
            out.print(Padding(story, (0, 0, 0, 2)))
        last = day
    if beside:
        out.print(table)


def say(text: str, style: str = "", *, error: bool = False) -> None:
    """One line; never markup."""
    from rich.text import Text

    console(error=error).print(Text(visible(text), style=style))


def remark(text: str, *, error: bool = False) -> None:
    """One line beside what was asked for: it is left out where quiet is asked for."""
    if not quiet():
        say(text, "dim", error=error)


def show_lines(lines: Iterable[tuple[str, str]]) -> None:
    """Lines with their styles, as they stand: never markup, and folded by nobody."""
    out = console()
    for text, style in lines:
        out.print(_plain(text, style), soft_wrap=True)


def show_pieces(lines: Iterable[Sequence[tuple[str, str]]], *, fold: bool = False) -> None:
    """Lines of several pieces, each with its style, and never markup.

    They are not folded, so that paths can be opened; a sentence without any is folded at its words by ``fold``.
    """
    from rich.text import Text

    out = console()
    for pieces in lines:
        out.print(Text.assemble(*((visible(text), style) for text, style in pieces)), soft_wrap=not fold)


def width() -> int:
    """Columns of the terminal."""
    return int(console().width)


def on_terminal() -> bool:
    """Whether somebody looks at stdout."""
    return sys.stdout.isatty()


def labelled(label: str, text: str, style: str = "", *, most: int = 0) -> None:
    """A paragraph after a label; its lines keep their left edge, and words are broken only where they must be.

    Of more than ``most`` lines, if that is given, the rest is left out; the last one then ends with ``…``.
    """
    from rich.text import Text

    out = console()
    indent = 11
    width = max(20, out.width - indent)
    lines = list(_plain(text, style).wrap(out, width))
    if most and len(lines) > most:
        lines = lines[:most]
        lines[-1] = _plain(_shortened(lines[-1].plain.rstrip(), width - 2), style)
    for number, line in enumerate(lines):
        line.rstrip()
        head = f"{visible(label):>{indent - 2}}  " if number == 0 else " " * indent
        out.print(Text.assemble((head, "dim"), line))


def rule(title: str) -> None:
    """A heading across the terminal."""
    from rich.rule import Rule
    from rich.text import Text

    console().print(Rule(Text(title, style="bold"), align="left", style="dim"))


@contextmanager
def progress(title: str) -> Iterator[Callable[[int | None], None]]:
    """A progress bar on stderr, for a terminal; the function given takes percent (None = unknown)."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    name = TextColumn("{task.description}", markup=False)
    columns = (name, BarColumn(bar_width=None), TextColumn("{task.fields[done]}"), TimeElapsedColumn())
    out = console(error=True)
    with Progress(*columns, console=out, transient=True, expand=out.width < _NARROW) as bars:
        task = bars.add_task(visible(title), total=None, done="")

        def update(percent: int | None) -> None:
            total, done = (None, "") if percent is None else (100, f"{percent} %")
            bars.update(task, total=total, completed=percent or 0, done=done)

        yield update


def interactive() -> bool:
    """Whether a person can be asked: both ends are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


class Recording:
    """What is printed, kept for a picture; only what is printed while it is ``on`` is in it."""

    def __init__(self, width: int) -> None:
        from rich.console import Console

        self.console = Console(record=True, width=width, highlight=False, no_color=no_colour())
        self.console.record = False
        self._begun = False

    def turn(self, on: bool, mark: bool) -> None:
        """Go on, or pause; to ``mark`` where something was left out, the picture has a line with ``⋮``."""
        if on and mark and self._begun and not self.console.record:
            file, self.console.file = self.console.file, io.StringIO()
            self.console.record = True
            self.console.print(_plain("\n⋮", "dim"))
            self.console.file = file
        self.console.record = on
        self._begun = self._begun or on

    def as_svg(self, title: str, template: str, colours: Sequence[tuple[int, int, int]]) -> str:
        """The picture: ``colours`` are background, foreground, then the eight of a terminal, then their bright ones."""
        from rich.terminal_theme import TerminalTheme

        theme = TerminalTheme(colours[0], colours[1], list(colours[2:10]), list(colours[10:]))
        options = {"title": title, "theme": theme, "code_format": template, "unique_id": "shot"}
        return self.console.export_svg(**options, font_aspect_ratio=0.6)  # type: ignore[arg-type]


_recording: Recording | None = None
_FRAME = 4
"""Columns that the frame of a message takes."""
_LEAST = 24
"""Columns that the folded column of a table must have, or all that it needs."""
_DATE = 10
"""Columns of a day."""
_GAPS = 9
"""Columns between the four columns of a log."""
_NARROW = 60
"""Columns below which an entry of a log is told below its head, not beside it."""
_LINK = r"https?://[^\s<>)\]\u3000-\u303f\uff00-\uffef]+"


@contextmanager
def recording(width: int) -> Iterator[Recording]:
    """Everything that is printed, at this fixed width, for a picture as well."""
    global _recording
    _recording = Recording(width)
    try:
        yield _recording
    finally:
        _recording = None


def in_picture(on: bool, *, mark: bool = True) -> None:
    """Whether what comes next belongs into the picture, if one is being made; see :meth:`Recording.turn`."""
    if _recording:
        _recording.turn(on, mark)


def recorded() -> bool:
    """Whether a picture is being made, so that everything must be printed by this process."""
    return _recording is not None


def _headline(reply: Reply) -> Any:
    from rich.text import Text

    line = Text()
    line.append(f"{reply.session}", style="bold")
    line.append(f"  {reply.state}  ")
    line.append(f"{(reply.status or '').replace('_', ' ')}", style=COLOURS.get(reply.status or "", ""))
    line.append(f"  revision {reply.revision}", style="dim")
    if reply.sandbox:
        line.append("  sandbox", style="magenta")
    if reply.replayed:
        line.append("  replayed", style="dim")
    return line


def _show_paragraphs(columns: Sequence[str], rows: Sequence[Sequence[str]], out: Console) -> None:
    """Each row as its first cell, and below it the others after their names."""
    from rich.padding import Padding
    from rich.text import Text

    for row in rows:
        out.print(Text.assemble((f"{columns[0]}: " if columns[0] else "", "dim"), (row[0], "bold")))
        for name, cell in zip(columns[1:], row[1:], strict=True):
            if cell:
                out.print(Padding(Text.assemble((f"{name}: " if name else "", "dim"), cell), (0, 0, 0, 2)))


def _hang(out: Console, head: str, text: str, style: str = "") -> None:
    """A paragraph after ``head``; its further lines stand behind a margin, for it may quote foreign text."""
    from rich.text import Text

    lines = Text(visible(text), style=style).wrap(out, max(20, out.width - max(len(head), len(MARGIN))))
    for number, line in enumerate(lines):
        line.rstrip()
        out.print(_plain(head if number == 0 else f"{MARGIN:>{len(head)}}", style) + line, soft_wrap=True)


def _hung(text: str, style: str, width: int, *, dim: int = 0) -> Any:
    """A paragraph of at most ``width`` columns whose further lines stand behind a margin; its first ``dim`` are dim."""
    from rich.text import Text

    whole = Text(visible(text), style=style)
    whole.stylize("dim", 0, dim)
    first = (whole.wrap(console(), width) or [whole])[0]
    rest = whole[len(first.plain) :]
    first.rstrip()
    for line in rest.wrap(console(), width - len(MARGIN)) if rest.plain.strip() else ():
        first.append_text(Text(f"\n{MARGIN}", style="dim"))
        line.rstrip()
        first.append_text(line)
    return first


def _shortened(line: str, width: int) -> str:
    """The line with ``…`` at its end; where it is too long for that, its last word goes, or what does not fit."""
    from rich.cells import cell_len, set_cell_size

    if cell_len(line) > width:
        words = line.rpartition(" ")[0]
        line = words if cell_len(words) > width // 2 else set_cell_size(line, width).rstrip()
    return f"{line} …"


def _plain(text: str, style: str) -> Any:
    from rich.text import Text

    return Text(visible(text, keep="\n"), style=style)
