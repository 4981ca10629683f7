"""The command ``workflow``: its subcommands by name, loaded when they are called."""

from __future__ import annotations

import errno
import gc
import io
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from typing import NoReturn, TextIO

import click

from workflow.cli.answer import give, print_json
from workflow.cli.group import LazyGroup, NoCommand, Section
from workflow.cli.manner import manner, manner_options
from workflow.cli.signals import end_as_first
from workflow.machine.messages import visible
from workflow.model import reply as replies
from workflow.model.errors import BundleFaults
from workflow.model.reply import EXIT_CODES, failed, of_error
from workflow.model.version import VERSION

SECTIONS = (
    Section(
        "Try it",
        {"demo": "workflow.cli.demo:demo", "play": "workflow.cli.play:play"},
    ),
    Section(
        "Take turns (JSON in a pipe)",
        {
            "start": "workflow.cli.agent.turns:start",
            "advance": "workflow.cli.agent.turns:advance",
            "status": "workflow.cli.agent.turns:status",
            "resume": "workflow.cli.agent.turns:resume",
            "watch": "workflow.cli.agent.watch:watch",
            "fork": "workflow.cli.audit.fork:fork",
        },
        json_in_pipes=True,
    ),
    Section(
        "Look at sessions",
        {
            "sessions": "workflow.cli.agent.sessions:sessions",
            "audit": "workflow.cli.audit.audit:audit",
            "replay": "workflow.cli.audit.replay:replay",
            "upgrade-check": "workflow.cli.audit.upgrade:upgrade_check",
            "backup": "workflow.cli.audit.backup:backup",
        },
    ),
    Section(
        "Write a bundle",
        {
            "init": "workflow.cli.author.init:init",
            "lint": "workflow.cli.author.lint:lint",
            "test": "workflow.cli.author.test:test",
            "simulate": "workflow.cli.author.simulate:simulate",
            "graph": "workflow.cli.author.graph:graph",
            "sandbox": "workflow.cli.author.sandbox:sandbox",
            "schema": "workflow.cli.author.schema:schema",
            "skill": "workflow.cli.author.skill:skill",
        },
    ),
    Section(
        "Set up",
        {
            "mcp": "workflow.cli.agent.mcp:mcp",
            "serve": "workflow.cli.agent.serve:serve",
            "page": "workflow.cli.agent.page:page",
            "config": "workflow.cli.agent.config:config",
            "doctor": "workflow.cli.agent.doctor:doctor",
            "completion": "workflow.cli.completion:completion",
            "help": "workflow.cli.help:help_",
        },
    ),
)
COMMANDS: Mapping[str, str] = {name: place for section in SECTIONS for name, place in section.commands.items()}


UNREAD = 128 + 13
"""Exit code where the reader of stdout has gone, as shells give it for SIGPIPE: 141."""
_HELP = frozenset({"-h", "--help", "-V", "--version", "help"})


@click.group(
    cls=LazyGroup,
    sections=SECTIONS,
    usual=("demo", "play", "init", "lint", "test", "sessions", "doctor"),
    sibling="workflow.cli.people.admin:admin",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Try `workflow demo`; a person answers gates with `workflow-admin`.",
)
@click.version_option(VERSION, "-V", "--version", prog_name="workflow")
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
    out = sys.stdout
    _write_anything(out)
    end_as_first()
    with manner(arguments) as rest:
        try:
            return _run(command, rest, program)
        except BrokenPipeError:
            return _unread()
        except SystemExit as end:  # where nobody reads on, click exchanges stdout before it exits, and rich just exits
            if sys.stdout is out and not isinstance(end.__context__, BrokenPipeError):
                raise
            return _unread()
        except OSError as error:
            return _unheard(error)


def _run(command: click.Command, arguments: Sequence[str], program: str) -> int:
    as_json = _answers_json(command, arguments)
    try:
        with _help_as_json(arguments):
            code = command.main(list(arguments), prog_name=program, standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except (click.Abort, KeyboardInterrupt):
        return give(failed("interrupted", "interrupted"), as_json)  # a command that can be continued says how
    except (NoCommand, click.exceptions.NoArgsIsHelpError) as error:
        click.echo(error.format_message(), err=True)
        return EXIT_CODES["usage"]
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
    except BundleFaults as faults:
        return _list_faults(faults, as_json)
    except Exception as error:  # the last resort as well: a fault of ours
        return give(of_error(error), as_json)


def _answers_json(command: click.Command, arguments: Sequence[str]) -> bool:
    """JSON if it is asked for, or if an agent gives this command and nobody looks."""
    if "--json" in arguments:
        return True
    return isinstance(command, LazyGroup) and command.answers_json(arguments) and not sys.stdout.isatty()


def _list_faults(faults: BundleFaults, as_json: bool) -> int:
    """Each fault on a line of its own, for people."""
    reply = of_error(faults)
    if as_json or reply.error is None:
        return give(reply, as_json)
    for each in faults.problems:
        click.echo(visible(f"✗ {each.message}"), err=True)
    click.echo(visible(f"  → {reply.error.hint}"), err=True)
    return reply.exit_code


def _write_anything(stream: TextIO) -> None:
    """Escape what the stream's encoding cannot express, such as ``\\u2713``, where Python would raise an error."""
    if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
        stream.reconfigure(errors="backslashreplace")


def _unread() -> int:
    """Nobody reads on, as after `| head`: end without a word, like a program that SIGPIPE ended."""
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # nothing may fail once more at the end
    return UNREAD


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
