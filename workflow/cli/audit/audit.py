"""``workflow audit``: what happened, whether the log can be believed, and what it proves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from workflow.bundle import open_bundle
from workflow.cli import console
from workflow.cli.answer import json_option, print_json
from workflow.cli.audit.export import write_export
from workflow.cli.completion import complete_any_event, complete_session
from workflow.cli.paths import TypedPath
from workflow.cli.viewing import viewed
from workflow.engine import View
from workflow.history import audit as journals
from workflow.history import export as exports
from workflow.history import proof
from workflow.history.audit import Filter
from workflow.history.proof import Proof
from workflow.machine.foreign import TRANSLATED, inline
from workflow.model.errors import UsageError
from workflow.model.frozen import as_dict
from workflow.model.journal import KINDS, Entry
from workflow.model.reply import VERSION
from workflow.show.story import tell
from workflow.show.times import minute, since

MOST = 100_000
"""Entries of all sessions in one answer."""

_SANDBOX = " (sandbox)"
Command = TypeVar("Command", bound=Callable[..., Any])


@click.group()
def audit() -> None:
    """Read the log of a session, check it, prove what it shows, and hand it on.

    \b
    Examples:
      workflow audit log amber-fox
      workflow audit verify amber-fox
      workflow audit prove amber-fox
      workflow audit export amber-fox --html
    """


def filters(command: Command) -> Command:
    """``--since``, ``--kind`` and ``--event``: which entries are asked for."""
    for option in (
        click.option(
            "--event",
            "events",
            shell_complete=complete_any_event,
            multiple=True,
            help="Only this event: accepted or refused. Can be repeated.",
        ),
        click.option(
            "--kind",
            "kinds",
            multiple=True,
            metavar="KIND",
            type=click.Choice(KINDS),
            help="Only this kind, such as refusal. Can be repeated.",
        ),
        click.option("--since", "start", default="", help="Only from then on: 90m, 12h, 7d, or a day or time in UTC."),
    ):
        command = option(command)
    return command


@audit.command(short_help="Tell what happened in a session, or in all.")
@click.argument("session", required=False, shell_complete=complete_session)
@filters
@click.option(
    "--limit",
    type=click.IntRange(1, MOST),
    default=1000,
    show_default=True,
    help="Without a session: maximum number of entries.",
)
@json_option
def log(
    session: str | None,
    start: str,
    kinds: tuple[str, ...],
    events: tuple[str, ...],
    limit: int,
    as_json: bool,
) -> int:
    """Tell what happened in SESSION; with JSON, one entry a line, as it is stored, with its hashes.

    Without SESSION, the latest entries of all sessions, in the order of their times. `audit export` leaves
    internal data out; this does not. A log that does not hold is shown as it is stored, with exit code 1.

    \b
    Examples:
      workflow audit log amber-fox
      workflow audit log amber-fox | less
      workflow audit log amber-fox --json > amber-fox.jsonl
      workflow audit log --since 7d --kind refusal --kind intent
    """
    view = viewed()
    wanted = _wanted(view, start, kinds, events)
    entries = journals.entries(view, session, wanted) if session is not None else journals.log(view, wanted, limit)
    fault = journals.fault(view, session) if session is not None else None
    if as_json:
        for entry in entries:
            print_json(as_dict(entry))
        return _told(session, fault)
    if session is None:
        console.rule("What happened in all sessions (UTC)")
        console.show_log(_rows(entries, named=True))
        return 0
    tell_story(view, session, entries, whole=wanted == Filter())
    return _told(session, fault)


def tell_story(view: View, session: str, entries: Sequence[Entry], *, whole: bool = True) -> None:
    """What happened in a session, for a person; ``whole`` if these are all of its entries."""
    kept = view.store.load(session)
    console.rule(f"{session}{_SANDBOX if kept and kept.sandbox else ''}: what happened (UTC)")
    console.show_log(_rows(entries))
    if entries and whole:
        console.remark(f"Head: {entries[-1].receipt}. `workflow audit verify {session}` checks the chain.")


@audit.command(short_help="Check that a log, or the whole store, is whole and unedited.")
@click.argument("session", required=False, shell_complete=complete_session)
@click.option("--store", "whole", is_flag=True, help="Check all sessions, and that none was deleted or set back.")
@click.option("--expect-head", metavar="RECEIPT", help="A receipt kept elsewhere that the log must still hold.")
@json_option
def verify(session: str | None, whole: bool, expect_head: str | None, as_json: bool) -> int:
    """Check the log of SESSION: its chain of hashes, and that the stored session is what it adds up to.

    With --store, check every session and the chain of the store itself. Its receipt shows later that no session was
    deleted or set back. Print it and keep it elsewhere. It stays valid when sessions are forgotten.

    \b
    Examples:
      workflow audit verify amber-fox
      workflow audit verify amber-fox --expect-head 12:ab12cd34ef56ab12cd34ef56
      workflow audit verify --store
    """
    if session is None and not whole:
        raise click.MissingParameter(param_type="argument", param_hint="'SESSION'", ctx=click.get_current_context())
    if session is not None and whole:
        raise UsageError("--store and a session exclude each other", "Name a session, or give --store.")
    view = viewed()
    if session is None:
        store = journals.verify_store(view, expect_head)
        told, name, head, claim = as_dict(store), "the store", store.receipt, store.claim(expect_head)
        sandboxed = False
    else:
        found = journals.verify(view, session, expect_head)
        told, name, head, claim = (
            {"session": session, **as_dict(found)},
            session,
            found.receipt,
            found.claim(expect_head),
        )
        sandboxed = found.sandbox
    if as_json:
        print_json({"v": VERSION, "ok": True, **told, "claim": claim})
        return 0
    show_verified(name, head, claim, sandbox=sandboxed)
    return 0


@audit.command(short_help="Show that everything paid or sent was agreed to.")
@click.argument("session", shell_complete=complete_session)
@click.option("--expect-head", metavar="RECEIPT", help="A receipt from an earlier reply that the log must still hold.")
@click.option(
    "--bundle",
    "folders",
    multiple=True,
    type=TypedPath(path_type=Path),
    help="Judge by the bundle in this folder, such as an independent checkout. Can be repeated.",
)
@json_option
def prove(session: str, expect_head: str | None, folders: tuple[Path, ...], as_json: bool) -> int:
    """Show by the log of SESSION: each paid call and each upload had an answer that fits, each message was clean.

    The log is verified first; then every answer is compared again with what it was an answer to. The definition in the
    store must be the one that the log names. Someone who can write the store can change both: --bundle asks neither.

    \b
    Examples:
      workflow audit prove amber-fox
      workflow audit prove amber-fox --bundle ~/checkout
    """
    bundles = [open_bundle(folder.resolve()) for folder in folders]
    found = proof.prove(viewed(), session, expect_head, bundles)
    if as_json:
        print_json(_proof_json(session, found))
    else:
        _show_proof(session, found)
    return 0 if found.holds else 1


@audit.command(short_help="Hand on the log of a session, with a verifier.")
@click.argument("session", shell_complete=complete_session)
@click.option("--to", "folder", type=TypedPath(), help="A new folder. Default: SESSION-log.")
@click.option("--html", "html", is_flag=True, help="Also as one page to read and print.")
@click.option("--unredacted", is_flag=True, help="With internal data, such as ids and tokens of the service.")
@filters
@json_option
def export(
    session: str,
    folder: str | None,
    html: bool,
    unredacted: bool,
    start: str,
    kinds: tuple[str, ...],
    events: tuple[str, ...],
    as_json: bool,
) -> int:
    """Write the log of SESSION into a new folder: journal.jsonl, and verify.py, which needs Python alone.

    Every entry is in it with its hashes, so that the chain can be checked; what was redacted or not asked for is said.

    \b
    Examples:
      workflow audit export amber-fox --html
      workflow audit export amber-fox --to evidence --since 2026-01-31
      python3 amber-fox-log/verify.py --expect-head 12:ab12cd34ef56ab12cd34ef56
    """
    view = viewed()
    wanted = _wanted(view, start, kinds, events)
    found = exports.export(view, session, wanted, internal=unredacted)
    shown = proof.try_prove(view, session) if html and not found.fault else None
    written = write_export(found, folder or f"{session}-log", page=html, proof=shown)
    if as_json:
        print_json({"v": VERSION, "ok": True, "session": session, **as_dict(written)})
        return 0
    where = _SANDBOX if written.sandbox else ""
    console.say(f"✓ {session}{where} is in {written.folder}: {', '.join(written.files)}", "green")
    if written.fault:
        console.say("The log does not hold:", "bold red")
        console.show_quoted(written.fault)
    console.say(f"{written.entries} entries; {written.redacted} redacted, {written.left_out} left out.")
    console.remark(f"To check it, here or elsewhere: python3 {written.folder}/verify.py")
    return 0


def _told(session: str | None, fault: str | None) -> int:
    """The exit code of a log that was shown, after what does not hold in it was told on stderr."""
    if fault:
        console.remark(f"The log of {session} does not hold: {fault}.", error=True)
    return 1 if fault else 0


def _wanted(view: View, start: str, kinds: tuple[str, ...], events: tuple[str, ...]) -> Filter:
    now = view.world.clock.now().wall
    return Filter(since(start, now) if start else "", kinds, events)


def _rows(
    entries: Iterable[Entry], *, named: bool = False
) -> Iterable[tuple[str, str, str, str, str, tuple[tuple[str, str], ...]]]:
    """Rows of the table; ``named`` where they are of several sessions."""
    for entry in entries:
        line = tell(entry)
        what = f"{entry.session}: {line.what}" if named else line.what
        yield str(line.seq), *_when(line.time), line.kind, what, line.notes


def show_verified(session: str, receipt: str, claim: str, *, sandbox: bool) -> None:
    """That the log holds, where the session ran, and what that shows."""
    console.say(f"✓ {session}{_SANDBOX if sandbox else ''} holds: {receipt}", "green")
    console.say(claim)


def _proof_json(session: str, found: Proof) -> dict[str, Any]:
    failed = [claim for claim in found.claims if not claim.holds]
    error = None
    if failed:
        message = f"entry {failed[0].seq}: {failed[0].text}, but {failed[0].why}"
        error = {"type": "store", "message": message, "hint": f"`workflow audit log {session}` shows what happened."}
    return {
        "v": VERSION,
        "ok": found.holds,
        "session": session,
        "sandbox": found.sandbox,
        "receipt": found.receipt,
        "claims": [as_dict(claim) for claim in found.claims],
        "messages": found.messages,
        "withheld": found.withheld,
        "calls": found.calls,
        "summary": found.summary,
        "limits": list(found.limits),
        "error": error,
    }


def _show_proof(session: str, found: Proof) -> None:
    if found.sandbox:
        console.say(f"{session} is a sandbox session: nothing went to the real service.", "magenta")
    for claim in found.claims:
        console.say(f"{'✓' if claim.holds else '✗'} entry {claim.seq}: {claim.text}", "green" if claim.holds else "red")
        for answer in claim.by:
            console.say(f"    {answer.source}:")
            console.show_quoted(answer.quote, indent=6)
            console.say(f"    given {minute(answer.given)} UTC, counts until {minute(answer.until)} UTC")
            if answer.device is not None:
                console.say(f"    signed by the device {inline(answer.device)}, on the page {answer.origin}")
            if answer.text is not None:
                console.say("    to the question:")
                console.show_quoted(answer.text, indent=6)
            if answer.translation is not None:
                console.say(f"    {TRANSLATED}:")
                console.show_quoted(answer.translation, indent=6)
            if answer.missing:
                console.say(f"    {answer.missing}", "yellow")
        if claim.why:
            console.say(f"    {claim.why}")
    if found.clean:
        kept = f", {found.withheld} of them in its plain form" if found.withheld else ""
        console.say(f"✓ all {found.messages} messages were clean{kept}", "green")
    named = f"{session}{_SANDBOX if found.sandbox else ''}"
    console.say(
        f"{named} is proved up to {found.receipt}." if found.holds else f"{named} is NOT proved.",
        "bold" if found.holds else "bold red",
    )
    for each in found.limits:
        console.say(each, "yellow")
    console.say(f"{found.summary[0].upper()}{found.summary[1:]}.")


def _when(time: str) -> tuple[str, str]:
    """Day and time of day of an ISO time."""
    day, _, rest = time.partition("T")
    return day, rest[:8]
