"""``workflow-admin adopt``: a store that was restored, copied or moved becomes this place's own."""

from __future__ import annotations

from collections.abc import Sequence

import click

from workflow.cli import console
from workflow.cli.answer import json_option, print_json
from workflow.compose import open_engine
from workflow.history import adopt as adopting
from workflow.history.adopt import Adopted, Line, Outcome, Survey
from workflow.model.errors import UsageError
from workflow.model.frozen import as_dict
from workflow.model.reply import VERSION
from workflow.show.times import minute

WAIT = 10.0
"""Seconds to wait for a turn that holds a session."""
HAPPENED, NOT_HAPPENED = "happened", "did-not-happen"
_WORDS: dict[str, Outcome] = {HAPPENED: "happened", NOT_HAPPENED: "did_not_happen"}


@click.command(short_help="Make a restored, copied or moved store this place's own.")
@click.option("--all", "every", type=click.Choice(list(_WORDS)), help="What is true of every line without its own.")
@click.option("--line", "lines", multiple=True, metavar="LINE=OUTCOME", help="What is true of one line; repeatable.")
@click.option("--yes", is_flag=True, help="Do not ask whether another copy goes on.")
@json_option
def adopt(every: str | None, lines: tuple[str, ...], yes: bool, as_json: bool) -> int:
    """Settle what the ledger knows and the logs do not, then let the store pay again.

    No paid call leaves a store that `workflow backup` made, that was moved or copied, or whose ledger was lost or knows
    more than its logs. This lists the paid calls that are missing from the logs of live sessions. You say of each
    whether it happened: the service's own list shows it. A session whose call happened is ended. In all other live
    sessions answers of before are void, and the open question is asked again.

    Adopt one copy only. Without a terminal the options have to say it all.

    \b
    Examples:
      workflow-admin adopt
      workflow-admin adopt --all did-not-happen
      workflow-admin adopt --line amber-fox:12=happened --all did-not-happen
    """
    engine = open_engine()
    found = adopting.survey(engine)
    if not found.reasons:
        return _tell(found, None, as_json, "This store is its own, and its ledger knows no more than its logs.")
    outcomes = _given(found, every, lines)
    asked = [line for line in found.open if line.id not in outcomes]
    if not console.interactive() and (asked or not (yes or every or lines)):
        raise UsageError(
            _needs(asked), "Answer on a terminal, or say it with --all or --line; with --yes if none is open."
        )
    if not as_json:
        _show(found)
    if console.interactive() and not (yes or every or lines) and not _alone():
        console.say("Nothing was changed.")
        return 0
    answered = _ask(asked) if asked else {}
    if answered is None:
        console.say("Nothing was changed.")
        return 0
    return _tell(found, adopting.adopt(engine, found, outcomes | answered, wait=WAIT), as_json)


def _given(found: Survey, every: str | None, lines: Sequence[str]) -> dict[str, Outcome]:
    """What the options say, by line."""
    known = {line.id for line in found.open}
    said: dict[str, Outcome] = dict.fromkeys(known, _WORDS[every]) if every else {}
    for text in lines:
        name, _, outcome = text.rpartition("=")
        if name not in known or outcome not in _WORDS:
            listed = ", ".join(sorted(known)) or "none"
            raise UsageError(
                f"--line {text[:80]!r} settles nothing",
                f"Write LINE={HAPPENED} or LINE={NOT_HAPPENED}; lines: {listed}.",
            )
        said[name] = _WORDS[outcome]
    return said


def _needs(asked: Sequence[Line]) -> str:
    if not asked:
        return "to adopt this store needs a person's word that no other copy of it goes on"
    more = f", and so do {len(asked) - 1} more lines" if len(asked) > 1 else ""
    return f"whether {asked[0].id} happened needs a person's word{more}"


def _show(found: Survey) -> None:
    for reason in found.reasons:
        console.say(f"{reason[0].upper()}{reason[1:]}.", "yellow")
    if found.lines:
        console.say("The ledger knows these paid calls, and the logs do not:")
        rows = [
            (line.id, line.payment.action, f"{minute(line.payment.time)} UTC", line.stands, line.payment.call)
            for line in found.lines
        ]
        console.show_table(("line", "call", "when", "its session", "name of the call"), rows)
    ended = len(found.lines) - len(found.open)
    if ended:
        console.remark(f"{ended} of them are of no live session: nothing has to be said of them.")


def _alone() -> bool:
    return click.confirm("Adopt it? No other copy of this store may go on", default=False)


def _ask(asked: Sequence[Line]) -> dict[str, Outcome] | None:
    """Each outcome, from the person at the terminal; None if they stop."""
    if len(asked) == 1:
        return _ask_each(asked)
    wish = click.prompt(
        "Of the live sessions' calls",
        type=click.Choice([HAPPENED, NOT_HAPPENED, "one-by-one", "stop"]),
        default="one-by-one",
    )
    if wish in _WORDS:
        return dict.fromkeys((line.id for line in asked), _WORDS[wish])
    return None if wish == "stop" else _ask_each(asked)


def _ask_each(asked: Sequence[Line]) -> dict[str, Outcome] | None:
    found: dict[str, Outcome] = {}
    for line in asked:
        wish = click.prompt(
            f"{line.id} '{line.payment.action}'", type=click.Choice([HAPPENED, NOT_HAPPENED, "stop"]), default="stop"
        )
        if wish == "stop":
            return None
        found[line.id] = _WORDS[wish]
    return found


def _tell(found: Survey, done: Adopted | None, as_json: bool, nothing: str = "") -> int:
    if as_json:
        lines = [{"line": each.id, **each.payment.as_json(), "stands": each.stands} for each in found.lines]
        told = as_dict(done) if done else {}
        head = {"v": VERSION, "ok": True, "adopted": done is not None}
        print_json({**head, "reasons": list(found.reasons), "lines": lines, **told})
        return 0
    if done is None:
        console.say(nothing)
        return 0
    console.say("✓ The store is adopted: it can pay again.", "green")
    for title, names in (("Ended", done.ended), ("Asked again", done.voided), ("Left alone", done.left)):
        if names:
            console.say(f"{title}: {', '.join(names[:20])}" + f" and {len(names) - 20} more" * (len(names) > 20))
    for file in done.moved:
        console.say(f"The damaged ledger is kept as {file}.", "yellow")
    console.remark("A call that did not leave is repeated with `retry`, or with the answer to the question.")
    return 0
