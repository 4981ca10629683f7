"""``workflow-admin pause`` and ``unpause``: paid and approved calls are held back, and let go again."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click

from workflow.bundle import open_bundle
from workflow.cli import console
from workflow.cli.answer import json_option, print_json
from workflow.cli.chosen import YAML, complete_bundle
from workflow.cli.completion import complete_session
from workflow.cli.viewing import viewed
from workflow.compose import open_engine
from workflow.engine import View
from workflow.local.paths import typed_path
from workflow.machine.brakes import told
from workflow.model.brakes import LONGEST_WHY, Pause
from workflow.model.errors import UsageError
from workflow.model.frozen import as_dict
from workflow.model.instant import iso
from workflow.model.reply import VERSION
from workflow.model.spelling import did_you_mean

_PAGE = 1000
Target = tuple[str, str]
"""A scope and a name, as a pause has them."""


def _selectors(command: Callable[..., int]) -> Callable[..., int]:
    """What is meant: one session, a bundle or all."""
    every = click.option("--all", "every", is_flag=True, help="Every session of the store.")
    told = "Every session of this bundle: its folder, or the name of its workflow."
    bundle = click.option("--bundle", metavar="BUNDLE", shell_complete=complete_bundle, help=told)
    return click.argument("session", required=False, shell_complete=complete_session)(bundle(every(command)))


@click.command(short_help="Hold back paid and approved calls, now; or list what is paused.")
@_selectors
@click.option("--why", metavar="TEXT", help="The reason, which everybody reads whose call is held back.")
@json_option
def pause(session: str | None, bundle: str | None, every: bool, why: str | None, as_json: bool) -> int:
    """Hold back the calls of SESSION, of a bundle or of all sessions, until `workflow-admin unpause`.

    Nothing leaves that costs something (`once`) or needs an approval. Reading, `status`, watching and answering
    questions go on; an approval is kept within its term. A call that is already out is not stopped: it is listed.
    Without a name this lists what is paused.

    \b
    Examples:
      workflow-admin pause
      workflow-admin pause --all --why "the invoice is wrong"
      workflow-admin pause amber-fox --why "asking the customer first"
    """
    view = viewed()
    target = _target(view, session, bundle, every, made=True)
    if target is None:
        if why is not None:
            raise UsageError(
                "nothing was paused: what is to be paused is missing", "Name a session, --bundle or --all."
            )
        return _list(view.store.pauses(), as_json)
    reason = _reason(why)
    view.store.close()
    engine = open_engine()
    held = Pause(*target, iso(engine.world.clock.now()), _account(), reason)
    changed = engine.world.store.pause(held)
    kept = engine.store.pauses()
    out = [each.name for each in engine.sessions(status="in_doubt", limit=_PAGE) if each.status == "working"]
    if as_json:
        print_json({"v": VERSION, "ok": True, "changed": changed, "paused": _rows(kept), "out": out})
        return 0
    if changed:
        console.say(f"✓ {held.subject} is paused.", "green")
    else:
        console.say(f"{held.subject} was paused before; nothing was changed.", "yellow")
    _show(kept)
    if out:
        console.say(f"Calls that are already out, and are not stopped: {', '.join(out)}.", "yellow")
    return 0


@click.command(short_help="Let calls go again; or list what is paused.")
@_selectors
@json_option
def unpause(session: str | None, bundle: str | None, every: bool, as_json: bool) -> int:
    """End the pause of SESSION, of a bundle or of all sessions; `retry` then makes the call that was held back.

    Each pause ends by itself: `--all` ends the pause of all, and not that of a session. Without a name this lists what
    is paused.

    \b
    Examples:
      workflow-admin unpause
      workflow-admin unpause --all
      workflow-admin unpause amber-fox
    """
    view = viewed()
    target = _target(view, session, bundle, every, made=False)
    known = view.store.pauses()
    if target is None:
        return _list(known, as_json)
    view.store.close()
    engine = open_engine()
    if not engine.world.store.unpause(*target):
        meant = did_you_mean(target[1], [each.name for each in known if each.name])
        raise UsageError(f"{_name(target)} is not paused{meant}", "`workflow-admin unpause` lists what is paused.")
    left = engine.store.pauses()
    if as_json:
        print_json({"v": VERSION, "ok": True, "changed": True, "paused": _rows(left), "out": []})
        return 0
    console.say(f"✓ The pause of {_name(target)} has ended. A call that it held back leaves with `retry`.", "green")
    _show(left)
    return 0


def _target(view: View, session: str | None, bundle: str | None, every: bool, *, made: bool) -> Target | None:
    """What is meant; None where nothing is named. What is paused has to exist, if the pause is to be ``made``."""
    named = [each for each in (session, bundle, every or None) if each is not None]
    if len(named) > 1:
        raise UsageError("more than one thing is named", "Name one of: a session, --bundle, --all.")
    if every:
        return "all", ""
    if session is not None:
        return "session", view.stored(session).name if made else session
    return None if bundle is None else ("bundle", _workflow(view, bundle, made=made))


def _workflow(view: View, given: str, *, made: bool) -> str:
    """The name of the workflow that is meant: a pause of a name that nothing has would hold nothing back."""
    folder = Path(typed_path(given))
    if os.path.lexists(folder / YAML):
        return open_bundle(folder.resolve()).definition.workflow
    if made and given not in (known := set(_workflows(view))):
        meant = did_you_mean(given, sorted(known))
        raise UsageError(f"no session is of {given[:80]!r}{meant}, and no bundle is in that folder", "Name its folder.")
    return given


def _workflows(view: View) -> Iterator[str]:
    """The workflow of each session, page by page."""
    offset = 0
    while page := view.store.sessions(limit=_PAGE, offset=offset):
        offset += len(page)
        yield from (each.workflow for each in page)


def _reason(why: str | None) -> str:
    reason = " ".join((why or "").split())
    if not reason:
        raise UsageError("nothing was paused: the reason is missing", 'Add it: --why "the invoice is wrong".')
    if len(reason) > LONGEST_WHY or not reason.isprintable():
        hint = f"Write one line of at most {LONGEST_WHY} characters."
        raise UsageError("nothing was paused: the reason is too long, or is not text", hint)
    return reason


def _account() -> str:
    """Whose account this is: no proof of a person, but what the machine knows."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def _name(target: Target) -> str:
    return Pause(*target, "", "", "").what


def _list(pauses: Sequence[Pause], as_json: bool) -> int:
    if as_json:
        print_json({"v": VERSION, "ok": True, "changed": False, "paused": _rows(pauses), "out": []})
    else:
        _show(pauses)
    return 0


def _rows(pauses: Sequence[Pause]) -> list[dict[str, str]]:
    return [as_dict(each) for each in pauses]


def _show(pauses: Sequence[Pause]) -> None:
    for each in pauses:
        console.say(told(each), "yellow")
    if not pauses:
        console.say("Nothing is paused.")
