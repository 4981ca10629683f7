"""Groups of commands whose members are loaded when they are called, and listed under headings."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import click


class Section:
    """Commands under one heading of the help: where each is, as ``module:name``; empty for one that is loaded already.

    Where ``json_in_pipes``, agents give these commands: where stdout is not a terminal they answer with JSON.
    """

    def __init__(self, title: str, commands: Mapping[str, str], *, json_in_pipes: bool = False) -> None:
        self.title, self.commands, self.json_in_pipes = title, commands, json_in_pipes


class NoCommand(click.ClickException):
    """Nobody said which command; the message shows those that are often used."""


class SharedCommand(click.Command):
    """A command of both programs: ``{program}`` in its help is the one that it is asked of."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does it, of the help with the program's name."""
        program = ctx.find_root().command_path.partition(" ")[0]
        told = (self.help or "").replace("{program}", program)
        click.Command(self.name, help=told).format_help_text(ctx, formatter)


class LazyGroup(click.Group):
    """A group whose commands are strings until they are needed: a turn does not pay for the demo.

    ``usual`` are the commands that are shown to somebody who names none; ``sibling`` is the group of the other program,
    as ``module:name``, whose commands are named to somebody who asks this one for them.
    """

    def __init__(
        self,
        *args: Any,
        sections: Sequence[Section] = (),
        usual: Sequence[str] = (),
        sibling: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.sections, self.usual, self.sibling = sections, usual, sibling
        self._places = {name: place for section in sections for name, place in section.commands.items()}

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does it; without any argument, a short help instead of the whole."""
        if not args and self.usual and not ctx.resilient_parsing:
            raise NoCommand(self._brief(ctx))
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the sections, which is the order of use; then what no section has."""
        return list(dict.fromkeys((*self._places, *self.commands)))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        place = self._places.get(cmd_name)
        if not place:
            return super().get_command(ctx, cmd_name)
        command: click.Command = _loaded(place)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it; the suggestions for a misspelt name come from the sections."""
        name = args[0]
        if name not in self.list_commands(ctx) and not name.startswith("-") and not ctx.resilient_parsing:
            raise self._unknown(ctx, name)
        return super().resolve_command(ctx, args)

    def _unknown(self, ctx: click.Context, name: str) -> click.UsageError:
        """Names what may have been meant: the other program's command of that name, or else the most like one."""
        own = click.exceptions.NoSuchCommand(name, possibilities=self.list_commands(ctx), ctx=ctx)
        if not self.sibling:
            return own
        other: LazyGroup = _loaded(self.sibling)
        theirs = other.list_commands(ctx)
        found = [name] if name in theirs else [] if own.possibilities else get_close_matches(name, theirs, n=1)
        return click.UsageError(f"{own.message} Did you mean `{other.name} {found[0]}`?", ctx) if found else own

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each section under its heading."""
        width = formatter.width - 6 - max(map(len, self._places))
        for section in self.sections:
            with formatter.section(section.title):
                formatter.write_dl([(name, self._short(ctx, name, width)) for name in section.commands])

    def answers_json(self, arguments: Sequence[str]) -> bool:
        """Whether a call with these arguments answers with JSON where stdout is not a terminal.

        A name that no command has is an agent's slip as well as a person's: agents get what they can read.
        """
        agents = [name for section in self.sections if section.json_in_pipes for name in section.commands]
        named = next((each for each in arguments if not each.startswith("-")), None)
        return bool(agents) and (named in agents or (named is not None and named not in self._places))

    def _brief(self, context: click.Context) -> str:
        """What somebody sees who names no command."""
        program, formatter = context.command_path, context.make_formatter()
        formatter.write_usage(program, "COMMAND [ARGUMENTS]...")
        with formatter.section("Often used"):
            formatter.write_dl([(name, self._short(context, name, formatter.width - 16)) for name in self.usual])
        formatter.write_paragraph()
        formatter.write_text(f"`{program} help` lists all commands, `{program} help COMMAND` explains one.")
        return formatter.getvalue().rstrip("\n")

    def _short(self, ctx: click.Context, name: str, width: int) -> str:
        command = self.get_command(ctx, name)
        return command.get_short_help_str(width) if command else ""


def _loaded(place: str) -> Any:
    """What is called so in this module, imported now."""
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)
