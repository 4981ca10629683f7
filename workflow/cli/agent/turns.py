"""``start``, ``advance``, ``status``, ``resume``: one turn each."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from workflow.cli import console
from workflow.cli.answer import asked_json, give, interrupted_with, piped_json_option, print_json
from workflow.cli.chosen import complete_bundle
from workflow.cli.completion import complete_event, complete_host, complete_language, complete_session
from workflow.cli.confirm import give_and_confirm, require_output
from workflow.cli.paths import TypedPath
from workflow.cli.viewing import viewed
from workflow.compose import beginning, open_engine, surroundings
from workflow.engine import View
from workflow.engine.preview import Preview, preview
from workflow.engine.waiting import Waiting, standing, when_due, with_about
from workflow.local.files import read_regular
from workflow.local.settings import read_settings
from workflow.machine.messages import visible
from workflow.model.errors import SessionNotFound, UsageError
from workflow.model.frozen import replace
from workflow.model.reply import EXIT_CODES
from workflow.model.session import Turn
from workflow.model.strict_json import JsonError, read_json
from workflow.show.times import local

LARGEST = 1024 * 1024
"""Bytes of a turn's JSON; words and names of files, never files themselves."""
_WORDS_FIRST = """Give the turn as JSON: echo '{"input": {"words": "…"}}' | workflow start --input -"""
_AWAITED = 'Type the turn as JSON, such as {"input": {"words": "…"}}; Ctrl-D on a line of its own ends it.'
_KEYS = ("input", "evidence", "seen", "turn_id", "expect_revision")

_input = click.option("--input", "source", type=click.Choice(["-"]), help="Read the turn's JSON from stdin.")
_input_file = click.option("--input-file", type=TypedPath(path_type=Path), help="Read the turn's JSON from a file.")
_wait = click.option("--wait", type=click.IntRange(0, 600), default=0, help="Seconds to wait for a busy session.")
_language = click.option(
    "--language", shell_complete=complete_language, help="The user's language, such as en or zh-CN."
)


@click.command(short_help="Begin a session with the user's first words.")
@click.option(
    "--bundle",
    shell_complete=complete_bundle,
    help="Folder of the bundle; default: the user's choice, else the packaged one.",
)
@_language
@click.option(
    "--host",
    shell_complete=complete_host,
    help="The program that the agent runs in: it decides how a session is watched.",
)
@_input
@_input_file
@piped_json_option
def start(
    bundle: str | None,
    language: str | None,
    host: str | None,
    source: str | None,
    input_file: Path | None,
    as_json: bool,
) -> int:
    """Begin a session with the user's first words.

    \b
    Examples:
      workflow start --input-file turn.json --language zh-CN
      echo '{"input": {"words": "A poster"}}' | workflow start --input -
      workflow start --input - <<< '{"input": {"words": "A poster"}}'
    """
    require_output()
    turn = read_turn("start", source, input_file)
    settings = read_settings(os.environ)
    begun = beginning(settings, bundle=bundle, language=language, host=host)
    engine = open_engine(settings=settings)
    with interrupted_with("If a session was begun, `workflow resume` continues it."):
        reply = engine.start(turn, **begun)
    if reply.error and not source and not input_file:
        reply = replace(reply, error=replace(reply.error, hint=_WORDS_FIRST))
    if reply.session:
        service = engine.world.open_bundle(str(begun["bundle"])).definition.service
        around = surroundings(service, settings, os.environ).told("This session")
        reply = replace(reply, notices=(*reply.notices, around))
    return give_and_confirm(engine, reply, asked_json(as_json))


@click.command(short_help="Take one step, or go on and say what is new.")
@click.argument("session", shell_complete=complete_session)
@click.argument("event", required=False, shell_complete=complete_event)
@_input
@_input_file
@_language
@_wait
@click.option("--dry-run", is_flag=True, help="Show what would happen, and the request that would leave; do nothing.")
@piped_json_option
def advance(
    session: str,
    event: str | None,
    source: str | None,
    input_file: Path | None,
    language: str | None,
    wait: int,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Take one step: send EVENT to SESSION; without one, go on and say what is new.

    \b
    Examples:
      workflow advance amber-fox
      workflow advance amber-fox approve --input - <<< \\
        '{"evidence": {"quote": "yes, go ahead"}, "seen": "6-b3993f09"}'
      workflow advance amber-fox cancel --dry-run
    """
    require_output()
    turn = read_turn(event, source, input_file)
    if dry_run:
        return show_preview(preview(viewed(), session, turn), asked_json(as_json))
    engine = open_engine()
    with interrupted_with(_goes_on(session)):
        reply = engine.advance(session, turn, wait=wait, language=language)
    return give_and_confirm(engine, reply, asked_json(as_json))


@click.command(short_help="Show where a session stands, and what it waits for.")
@click.argument("session", required=False, shell_complete=complete_session)
@click.option("--raw", is_flag=True, help="For people: also the data as the service sent them.")
@piped_json_option
def status(session: str | None, raw: bool, as_json: bool) -> int:
    """Show where SESSION stands (default: the latest live one), and what it waits for; changes nothing.

    \b
    Examples:
      workflow status
      workflow status amber-fox --json
    """
    view = viewed(remarks=False)
    name = session or latest(view)
    found = standing(view, name)
    if asked_json(as_json):
        give(found.told, as_json=True)
    else:
        console.show(found.reply, facts_of(found.waiting, view.world.clock.now().wall) if found.waiting else ())
    if raw:
        show_raw(view, name)
    return found.reply.exit_code


@click.command(short_help="Go on after a break or a crash.")
@click.argument("session", required=False, shell_complete=complete_session)
@_wait
@piped_json_option
def resume(session: str | None, wait: int, as_json: bool) -> int:
    """Go on with SESSION (default: the latest live one) after a break or a crash.

    \b
    Examples:
      workflow resume
      workflow resume amber-fox --wait 10
    """
    require_output()
    engine = open_engine()
    name = session or latest(engine)
    with interrupted_with(_goes_on(name)):
        reply = with_about(engine.resume(name, wait=wait), engine.stored(name))
    return give_and_confirm(engine, reply, asked_json(as_json))


def _goes_on(session: str) -> str:
    return f"Nothing is lost; `workflow resume {session}` goes on."


def show_preview(found: Preview, as_json: bool) -> int:
    """What a turn would do; the exit code is that of the turn's refusal."""
    if as_json:
        print_json(found.as_json())
    else:
        for label, text in _preview_lines(found):
            console.labelled(label, text)
    return EXIT_CODES[found.refused.type] if found.refused else 0


def _preview_lines(found: Preview) -> Iterator[tuple[str, str]]:
    yield "dry run", f"{found.event}: nothing is done, nothing is kept"
    for name, verdict in found.verdicts.items():
        yield "guard", f"{name} holds" if verdict is True else f"{name} does not hold: {verdict}"
    for gate in found.evidence:
        yield "evidence", f"for {gate}, in the person's words"
    for fault in found.faults:
        yield "fault", fault.rstrip()
    if found.refused:
        yield "refused", found.refused.message
        yield "way out", found.refused.hint
        return
    yield "states", " → ".join(found.states)
    if found.trouble:
        yield "trouble", f"{found.trouble}: the session would stop there, and nothing more would leave"
    if found.request:
        yield "request", json.dumps(found.request, ensure_ascii=False, indent=1)
    else:
        yield "request", "none"


def facts_of(found: Waiting, now: float) -> list[tuple[str, str]]:
    """What a run waits for, for a person: times are those of this machine's clock."""
    acts = "\n".join(f"the {who}: {what}" for who, what in found.acts)
    facts = [("waits for", acts), ("since", local(found.since, now))]
    if found.until:
        over = "; it is over, and the next turn looks once more" if found.overdue else ""
        facts.append(("until", local(found.until, now) + over))
    if found.answer_by:
        facts.append(("answer by", local(found.answer_by, now)))
    if found.due:
        facts.append(("due", "\n".join(when_due(each, local(each["at"], now)) for each in found.due)))
    return facts


def latest(view: View) -> str:
    """The session that was used last and has not ended."""
    found = view.sessions(live=True, limit=1)
    if not found:
        raise SessionNotFound(f"there is no live session{view.where}", "`workflow start` begins one.")
    return found[0].name


def show_raw(view: View, name: str) -> None:
    """What the service sent, for a person who asks; never for a message."""
    console.say("Data of the session, as they are:", "bold", error=True)
    for key, value in view.data(name).items():
        click.echo(visible(f"  {key}: {value!r}"), err=True)


def read_turn(event: str | None, source: str | None, file: Path | None) -> Turn:
    """The turn as JSON on stdin or in a file; anything odd raises :class:`UsageError`."""
    if source and file:
        raise UsageError("--input and --input-file exclude each other", "Give one of them.")
    if not source and not file:
        return Turn(event)
    return make_turn(event, _read(file))


def make_turn(event: str | None, content: bytes) -> Turn:
    """A turn of this event from its JSON."""
    try:
        value = read_json(content, what="the turn")
    except JsonError as error:
        raise UsageError(str(error), 'Send one object, such as {"input": {"words": "…"}}.') from error
    if not isinstance(value, dict):
        raise UsageError("the turn is not a JSON object", 'Send one, such as {"input": {"words": "…"}}.')
    for key in value:
        if key not in _KEYS:
            raise UsageError(f"the turn holds an unknown key '{key[:40]}'", f"Known: {', '.join(_KEYS)}.")
    evidence = _table(value, "evidence")
    if set(evidence) - {"quote", "items", "translation"}:
        hint = "It takes quote, translation where you translated the question, and items where files are asked for."
        raise UsageError("evidence holds an unknown key", hint)
    return Turn(
        event=event,
        input=_table(value, "input"),
        quote=_typed(evidence, "quote", str, "text"),
        items=_items(evidence),
        turn_id=_typed(value, "turn_id", str, "text"),
        expect_revision=_typed(value, "expect_revision", int, "a whole number"),
        seen=_typed(value, "seen", str, "text"),
        translation=_typed(evidence, "translation", str, "text"),
    )


def _read(file: Path | None) -> bytes:
    try:
        if file is None:
            if sys.stdin and sys.stdin.isatty():
                click.echo(_AWAITED, err=True)
            content = sys.stdin.buffer.read(LARGEST + 1) if sys.stdin else b""
        else:
            content = read_regular(file, LARGEST)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "its path cannot be one"
        raise UsageError(f"{file or 'stdin'} cannot be read: {why}", "Give a readable file.") from error
    if len(content) > LARGEST:
        raise UsageError(f"the turn is larger than {LARGEST // 1024} KiB", "Files are named by path, not sent in it.")
    if not content.strip():
        raise UsageError("the turn is empty", 'Send one JSON object on stdin, such as {"input": {"words": "…"}}.')
    return content


def _table(value: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    if found is not None and not isinstance(found, dict):
        raise UsageError(f"'{key}' must be an object")
    return dict(found or {})


def _typed(value: Mapping[str, Any], key: str, kind: type, words: str) -> Any:
    found = value.get(key)
    if found is None or (isinstance(found, kind) and not isinstance(found, bool)):
        if isinstance(found, str) and len(found) > 20_000:
            raise UsageError(f"'{key}' is too long")
        return found
    raise UsageError(f"'{key}' must be {words}")


def _items(evidence: Mapping[str, Any]) -> tuple[str, ...] | None:
    items = evidence.get("items")
    if items is None:
        return None
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise UsageError("'items' must be a list of names of files")
    return tuple(items)
