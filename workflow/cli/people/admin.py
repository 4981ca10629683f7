"""The command ``workflow-admin``: what only a person does, and what no skill and no tool offers to an agent."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import click

from workflow.bundle import open_bundle
from workflow.cli import console
from workflow.cli.answer import give, interrupted_with, json_option, print_json
from workflow.cli.app import end, run
from workflow.cli.audit.upgrade import upgrade
from workflow.cli.chosen import complete_bundle
from workflow.cli.completion import complete_session
from workflow.cli.confirm import give_and_confirm
from workflow.cli.group import LazyGroup, Section
from workflow.cli.manner import manner_options
from workflow.cli.people import approver as people
from workflow.cli.people import dialog
from workflow.cli.people.adopt import adopt
from workflow.cli.people.device import device
from workflow.cli.people.log import log
from workflow.cli.people.page import browser, page
from workflow.cli.people.pause import pause, unpause
from workflow.cli.people.prune import prune
from workflow.cli.people.store import store
from workflow.cli.people.tokens import token
from workflow.cli.viewing import viewed
from workflow.compose import bundle_folder, connect, open_engine
from workflow.engine import Engine, View
from workflow.engine.question import Question, effects, note_unanswered, note_unproven, persons, question
from workflow.history import audit
from workflow.history import forget as forgetting
from workflow.local.approvers import Trial
from workflow.local.clock import SystemClock
from workflow.local.settings import read_settings
from workflow.machine.foreign import shortened
from workflow.model import version
from workflow.model.errors import UnknownName, UsageError
from workflow.model.evidence import at_least
from workflow.model.frozen import as_dict, replace
from workflow.model.ports import Clock, Service, Summary
from workflow.model.reply import VERSION, Failure, Reply, in_one_line
from workflow.model.session import Turn
from workflow.show.times import minute

WAIT = 10.0
"""Seconds to wait for a turn or a look that holds the session."""
_PAGE = 100


def main() -> None:
    """Run the command; every end is one reply with one exit code, as with ``workflow``."""
    end(run(admin, sys.argv[1:], "workflow-admin"))


SECTIONS = (
    Section("Answer", {"approve": "", "resolve": "", "adopt": ""}),
    Section("Hold calls back", {"pause": "", "unpause": ""}),
    Section("Look after sessions", {"log": "", "upgrade": "", "forget": "", "prune": "", "store": ""}),
    Section("Say who may", {"approver": "", "page": "", "browser": "", "device": "", "token": ""}),
    Section("Call the service", {"api": ""}),
    Section(
        "Use this command", {"completion": "workflow.cli.completion:completion", "help": "workflow.cli.help:help_"}
    ),
)


@click.group(
    "workflow-admin",
    cls=LazyGroup,
    sections=SECTIONS,
    usual=("approve", "resolve", "approver", "token"),
    sibling="workflow.cli.app:workflow",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(version.VERSION, "-V", "--version", prog_name="workflow-admin")
@manner_options
def admin() -> None:
    """For people: answer what a run asks, settle what is in doubt, and the service's own calls.

    \b
    Examples:
      workflow-admin approve
      workflow-admin resolve amber-fox
      workflow-admin api --help
    """


@admin.command(short_help="Answer what a session asks of a person; or list what waits.")
@click.argument("session", required=False, shell_complete=complete_session)
@people.approver_option
@json_option
def approve(session: str | None, approver: str | None, as_json: bool) -> int:
    """Answer the open question of SESSION on this terminal; without one, list what waits for a person.

    The question is shown in full. The answer is kept as evidence, in your own words, of the strength `asked`, or
    `proven` with the approver's passphrase.

    \b
    Examples:
      workflow-admin approve
      workflow-admin approve amber-fox
      workflow-admin approve amber-fox --approver alice
    """
    if session is None:
        view = viewed()
        return _list(_live(view, persons), as_json, "approve", f"Nothing waits for a person{view.where}.")
    return _answer(open_engine(), session, approver, as_json)


@admin.command(short_help="Settle a call whose outcome is unknown; or list them.")
@click.argument("session", required=False, shell_complete=complete_session)
@people.approver_option
@json_option
def resolve(session: str | None, approver: str | None, as_json: bool) -> int:
    """Say whether a call of SESSION whose outcome is unknown has happened; without one, list those in doubt.

    \b
    Examples:
      workflow-admin resolve
      workflow-admin resolve amber-fox
    """
    if session is None:
        view = viewed()
        return _list(_live(view, _in_doubt), as_json, "resolve", f"Nothing is in doubt{view.where}.")
    engine = open_engine()
    reply = engine.status(session)
    if _in_doubt(reply) and engine.stored(session).intent:
        engine.confirm(engine.resume(session, wait=WAIT))  # cut short: going on looks for the call, or asks
        reply = engine.status(session)
    if not _in_doubt(reply):
        hint = f"`workflow-admin approve {session}` answers other questions."
        return give(_refused(reply, f"nothing is in doubt in {session}", hint), as_json)
    return _answer(engine, session, approver, as_json)


@admin.command(short_help="Erase what a session holds, for good.")
@click.argument("session", shell_complete=complete_session)
@click.option("--yes", is_flag=True, help="Do not ask; needed without a terminal.")
@json_option
def forget(session: str, yes: bool, as_json: bool) -> int:
    """Erase everything that was said, answered and sent in SESSION, for good: also from the store's own files.

    Its entries stay without their content, so that the chain still holds, and a last one says what was erased.
    A session whose outcome is unknown has to be settled first. Backups and exports are not touched.

    \b
    Examples:
      workflow-admin forget amber-fox
      workflow-admin forget amber-fox --yes
    """
    engine = open_engine()
    if not yes and not _agreed(engine, session):
        console.say("Nothing was erased.")
        return 0
    done = forgetting.forget(engine, session, wait=WAIT)
    if isinstance(done, Failure):
        return give(Reply(session=session, error=done), as_json)
    if as_json:
        print_json({"v": VERSION, "ok": True, **as_dict(done)})
        return 0
    console.say(f"✓ What {done.entries} entries of {done.session} held was erased at {done.at}.", "green")
    if done.fault:
        console.say("Its log did not hold before:", "yellow")
        console.show_quoted(done.fault)
    console.remark(f"Head: {done.receipt}. `workflow audit verify {done.session}` still checks the chain.")
    return 0


@admin.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    short_help="Call the bundle's service directly; no gate stands before it.",
)
@click.option(
    "--bundle",
    shell_complete=complete_bundle,
    help="Folder of the bundle; default: the user's choice, else the packaged one.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def api(context: click.Context, bundle: str | None, arguments: tuple[str, ...]) -> int:
    """The bundle's own commands, with their own help; `--bundle` comes before them."""
    code = raw_client(bundle).main(list(arguments), prog_name=context.command_path, standalone_mode=False)
    return code if isinstance(code, int) else 0


admin.add_command(adopt)
admin.add_command(log)
admin.add_command(page)
admin.add_command(browser)
admin.add_command(pause)
admin.add_command(prune)
admin.add_command(store)
admin.add_command(people.approver)
admin.add_command(device)
admin.add_command(upgrade)
admin.add_command(token)
admin.add_command(unpause)


def raw_client(folder: str | None) -> click.Group:
    """``commands(connect)`` of the bundle's raw client: the module ``api`` in the package of its sandbox.

    Calls go to the sandbox, with its key, where PHASEGATE_SANDBOX names one. Raises :class:`UnknownName` if
    the bundle has no raw client.
    """
    settings = read_settings(os.environ)
    bundle = open_bundle(bundle_folder(folder, settings))
    dotted = f"{bundle.definition.service.sandbox.rpartition('.')[0] or 'phases'}.api"
    hint = "Only the turns of `workflow` can be used with it."
    try:
        commands = getattr(bundle.module(dotted), "commands", None)
    except UnknownName as error:
        raise UnknownName(f"the bundle {bundle.path} has no raw client ({dotted})", hint) from error
    if not callable(commands):
        raise UnknownName(f"{dotted} of the bundle {bundle.path} has no function commands", hint)

    def connected() -> tuple[Service, str, Clock]:
        connection = connect(bundle, settings.sandbox or None, settings, os.environ)
        return connection.service, connection.base_url, SystemClock()

    made: Callable[[Callable[[], tuple[Service, str, Clock]]], click.Group] = commands
    return made(connected)


def _agreed(engine: Engine, name: str) -> bool:
    """Whether the person at the terminal wants it, after they saw what it is about."""
    summary = audit.read(engine, name).summary
    if not console.interactive():
        raise UsageError(
            f"to erase what {name} holds needs a person's word",
            "Answer on a terminal, or say --yes on the command line.",
        )
    console.say(f"{name}: {summary.state}, {summary.status}, last change {minute(summary.updated)} UTC.")
    console.say("What was said, answered and sent in it will be gone for good.", "bold")
    return click.confirm("Erase it?", default=False)


def _answer(engine: Engine, name: str, approver: str | None, as_json: bool) -> int:
    """Ask, and send the answer as a turn that fits nothing but what was shown."""
    dialog.need_terminal()
    approvers = people.approvers()
    if approver:
        approvers.find(approver)
    asked = question(engine, name)
    if approvers.known():
        asked = replace(asked, strength="proven")
    reply = asked.reply
    if asked.roles and approvers.known():
        approver = people.who(approvers, approver)
        mine = asked.only(approvers.find(approver).roles if approver else ())
        if not mine.options:
            return give(_of_others(asked, approver), as_json) if approver else _no_answer()
        asked = mine
    if not asked.options:
        message = f"{name} asks nothing of a person; it is {(reply.status or '').replace('_', ' ')} in {reply.state}"
        hint = (
            f"`workflow resume {name}` goes on."
            if reply.status == "working"
            else f"`workflow status {name}` says more."
        )
        return give(_refused(reply, message, hint), as_json)
    if all(asked.why_not(option) for option in asked.options):
        dialog.show(asked)
        message = "; ".join(f"'{option.event}' {asked.why_not(option)}" for option in asked.options)
        return give(_refused(reply, message, _way_out(asked)), as_json)
    asked_by = click.get_current_context().command_path
    with interrupted_with(f"No answer is recorded; `{asked_by} {name}` asks again."):
        turn = dialog.ask(asked, effects(engine, asked))
        if isinstance(turn, dialog.No):
            return _decline(engine, name, turn)
        gate = asked.gate(turn) if turn else None
        must = bool(turn and gate and (asked.needs(turn) == "proven" or gate.by))  # a terminal knows nobody otherwise
        proof = people.ask(approvers, approver, turn.quote or "", must=must) if turn and gate else None
    if turn is None or gate is None or (proof is None and must):
        return _no_answer()
    if proof and not proof.proven:
        return give(_unproven(engine, reply, turn, gate.name, proof), as_json)
    if proof:
        turn = replace(turn, strength="proven", approver=proof.approver)
    code = give_and_confirm(engine, engine.advance(name, turn, wait=WAIT), as_json)
    console.remark(f"The agent goes on with `workflow resume {name}`.", error=True)
    return code


def _decline(engine: Engine, name: str, no: dialog.No) -> int:
    """Record a no: it opens nothing, moves nothing, and tells whoever reads the log why."""
    why = f"the person said no: “{no.reason}”" if no.reason else "the person said no"
    note_unanswered(engine, name, Turn(no.event, channel=dialog.CHANNEL), no.gate, why, wait=WAIT)
    console.say(f"✓ Your no to '{no.event}' is recorded. Nothing was sent, and the question stays open.", "green")
    console.remark(f"Tell the agent what you want instead; `workflow audit log {name}` shows your no.")
    return 0


def _no_answer() -> int:
    console.say("No answer was given, and none is recorded; the question stays open.")
    return 0


def _of_others(asked: Question, approver: str) -> Reply:
    """Whose answer is awaited, for somebody who holds none of the roles."""
    awaited = " and ".join(asked.roles.values())
    hint = f"Whoever that is answers with `workflow-admin approve {asked.session.name} --approver NAME`."
    return _refused(asked.reply, f"{asked.session.name} waits for {awaited}, and '{approver}' holds no such role", hint)


def _unproven(engine: Engine, reply: Reply, turn: Turn, gate: str, proof: Trial) -> Reply:
    """No answer was taken; a passphrase that was looked at is in the log as well."""
    assert reply.session is not None
    if proof.wrong:
        note_unproven(engine, reply.session, turn, gate, proof.approver, proof.wrong, WAIT)
    message, hint = people.why_not(proof)
    return _refused(reply, f"{message}; the question stays open", hint)


def _way_out(asked: Question) -> str:
    needs = {option.gate.needs for option in asked.options if option.gate}
    if "signed" in needs:
        return "Answer on the page of `workflow serve`, with a passkey; `workflow-admin device list` shows yours."
    if not at_least(asked.strength, "proven") and "proven" in needs:
        return "`workflow-admin approver add` makes an approver; an answer with their passphrase is proven."
    name = asked.reply.session
    return f"`workflow advance {name}` says what is new; with --language it puts the open question again."


def _refused(reply: Reply, message: str, hint: str) -> Reply:
    return Reply(
        session=reply.session,
        revision=reply.revision,
        phase=reply.phase,
        state=reply.state,
        status=reply.status,
        sandbox=reply.sandbox,
        error=Failure("refused", message, hint),
    )


def _in_doubt(reply: Reply) -> bool:
    return reply.status == "in_doubt"


class _Row(NamedTuple):
    """A session of a list: what it asks, or why that cannot be told."""

    summary: Summary
    reply: Reply | None
    fault: str = ""

    @property
    def events(self) -> list[str]:
        """What a person may say now."""
        return [option.event for option in persons(self.reply)] if self.reply else []


def _live(view: View, wanted: Callable[[Reply], object]) -> Iterator[_Row]:
    """Live sessions whose status is as wanted; one that cannot be shown is a row with its reason."""
    offset = 0
    while page := view.sessions(live=True, limit=_PAGE, offset=offset):
        offset += len(page)
        for each in page:
            try:
                reply = view.status(each.name)
                if wanted(reply):
                    yield _Row(each, reply)
            except Exception as error:  # of this one session
                yield _Row(each, None, in_one_line(error))


_ABOUT = 24
"""Columns for what a session is about."""
_ROOMY = 110
"""Columns from which on they are there."""


def _list(found: Iterator[_Row], as_json: bool, command: str, nothing: str) -> int:
    rows = list(found)
    faults = [row for row in rows if row.fault]
    if as_json:
        print_json(
            {
                "v": VERSION,
                "ok": True,
                "waiting": [_as_json(row) for row in rows if not row.fault],
                "faults": [
                    {"session": row.summary.name, "state": row.summary.state, "why": row.fault} for row in faults
                ],
            }
        )
    elif not rows:
        console.say(nothing)
    else:
        console.show_table(*_table(rows))
        console.remark(f"`workflow-admin {command} SESSION` shows the question and takes the answer.")
    return 0


def _table(rows: Sequence[_Row]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Names and cells of the columns; a narrow terminal does without what each session is about."""
    columns = {
        "session": [row.summary.name for row in rows],
        "about": [shortened(row.summary.about, _ABOUT) if row.summary.about else "" for row in rows],
        "state": [row.summary.state for row in rows],
        "a person may say": [row.fault or ", ".join(row.events) for row in rows],
        "changed (UTC)": [minute(row.summary.updated)[5:] for row in rows],
        "": ["sandbox" if row.reply and row.reply.sandbox else "" for row in rows],
    }
    if console.width() < _ROOMY:
        del columns["about"]
    return tuple(columns), list(zip(*columns.values(), strict=True))


def _as_json(row: _Row) -> dict[str, Any]:
    each, status = row.summary, row.reply.status if row.reply else None
    known = {"session": each.name, "state": each.state, "about": each.about, "status": status}
    return {**known, "events": row.events, "since": each.updated}
