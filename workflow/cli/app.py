"""The command ``workflow``: its subcommands by name, loaded when they are called."""

from __future__ import annotations

import errno
import gc
import importlib
import io
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from typing import Any, NoReturn

import click

from workflow.cli.answer import give, print_json, wants_json
from workflow.cli.manner import manner, manner_options
from workflow.model import reply as replies
from workflow.model.reply import failed, of_error
from workflow.model.version import VERSION

COMMANDS: Mapping[str, str] = {
    "start": "workflow.cli.agent.turns:start",
    "advance": "workflow.cli.agent.turns:advance",
    "status": "workflow.cli.agent.turns:status",
    "resume": "workflow.cli.agent.turns:resume",
    "sessions": "workflow.cli.agent.sessions:sessions",
    "watch": "workflow.cli.agent.watch:watch",
    "fork": "workflow.cli.audit.fork:fork",
    "audit": "workflow.cli.audit.audit:audit",
    "replay": "workflow.cli.audit.replay:replay",
    "backup": "workflow.cli.audit.backup:backup",
    "graph": "workflow.cli.author.graph:graph",
    "init": "workflow.cli.author.init:init",
    "lint": "workflow.cli.author.lint:lint",
    "test": "workflow.cli.author.test:test",
    "simulate": "workflow.cli.author.simulate:simulate",
    "schema": "workflow.cli.author.schema:schema",
    "mcp": "workflow.cli.agent.mcp:mcp",
    "serve": "workflow.cli.agent.serve:serve",
    "sandbox": "workflow.cli.author.sandbox:sandbox",
    "demo": "workflow.cli.demo:demo",
    "skill": "workflow.cli.author.skill:skill",
    "config": "workflow.cli.agent.config:config",
    "upgrade-check": "workflow.cli.audit.upgrade:upgrade_check",
    "doctor": "workflow.cli.agent.doctor:doctor",
    "completion": "workflow.cli.completion:completion",
}


_HELP = frozenset({"-h", "--help", "--version"})


class LazyGroup(click.Group):
    """A group whose commands are strings until they are needed: a turn does not pay for the demo."""

    def __init__(self, *args: Any, places: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = places or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table, which is the order of use."""
        return list(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        place = self.places.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(
    cls=LazyGroup,
    places=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Try `workflow demo`; a person answers gates with `workflow-admin`.",
)
@click.version_option(VERSION, prog_name="workflow")
@manner_options
def workflow() -> None:
    """Advance a declared procedure one step per turn; nothing passes a gate without evidence.

    \b
    Examples:
      workflow demo
      workflow graph
      workflow status amber-fox --no-color
    """


def main() -> None:
    """Run the command; the exit code is a function of the reply."""
    end(run(workflow, sys.argv[1:], "workflow"))


def end(code: int) -> NoReturn:
    """End the process; nothing is collected that ends with it anyway, which was a tenth of a turn."""
    gc.freeze()
    sys.exit(code)


def run(command: click.Command, arguments: Sequence[str], program: str) -> int:
    """Run ``command``; every end is one reply, with one exit code and no traceback."""
    if sys.stdout is None:  # closed by the caller: what is to be said goes where errors go
        sys.stdout = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    with manner(arguments) as rest:
        try:
            return _run(command, rest, program)
        except BrokenPipeError:
            sys.stderr.close()
            return 1
        except OSError as error:
            return _unheard(error)


def _run(command: click.Command, arguments: Sequence[str], program: str) -> int:
    as_json = wants_json(arguments)
    try:
        with _help_as_json(arguments):
            code = command.main(list(arguments), prog_name=program, standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except (click.Abort, KeyboardInterrupt):
        return give(failed("interrupted", "interrupted", "Nothing is lost; `workflow resume` goes on."), as_json)
    except click.exceptions.NoArgsIsHelpError as error:
        path = error.ctx.command_path if error.ctx else program
        hint = f"`{path} --help` shows what is possible."
        if not as_json:
            click.echo(error.format_message(), err=True)
        return give(failed("usage", f"`{path}` needs a command", hint), as_json)
    except click.ClickException as error:
        hint = f"`{program} --help` shows what is possible."
        context = getattr(error, "ctx", None)
        if context is not None:
            hint = f"`{context.command_path} --help` shows what is possible."
        return give(failed("usage", " ".join(error.format_message().split()), hint), as_json)
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENFILE):
            raise
        hint = "Raise the limit, such as with `ulimit -n 256`; `workflow resume` shows what was accepted."
        return give(failed("store", "no more files can be opened", hint), as_json)
    except Exception as error:  # the last resort as well: a fault of ours
        return give(of_error(error), as_json)


def _unheard(error: OSError) -> int:
    """Where stdout takes nothing, stderr is told; what was accepted stands, and its repeat gives the reply again."""
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # nothing may fail once more at the end
    with suppress(OSError):
        click.echo(
            f"the answer could not be written: {error.strerror or error}; `workflow resume` says it again", err=True
        )
    return 1


@contextmanager
def _help_as_json(arguments: Sequence[str]) -> Iterator[None]:
    """Help and version are text, in a pipe as well; only `--json` itself makes one reply of them."""
    if "--json" not in arguments or _HELP.isdisjoint(arguments):
        yield
        return
    text = io.StringIO()
    with redirect_stdout(text):
        yield
    print_json({"v": replies.VERSION, "ok": True, "help": text.getvalue().rstrip("\n")})
