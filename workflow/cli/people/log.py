"""``workflow-admin log``: the faults of a bundle's own code, for its author."""

from __future__ import annotations

import click

from workflow.cli import console
from workflow.cli.answer import json_option, print_json
from workflow.cli.completion import complete_session
from workflow.cli.viewing import viewed
from workflow.history import audit
from workflow.model.fault import MOST_FAULTS
from workflow.model.frozen import as_dict
from workflow.model.reply import VERSION
from workflow.show.times import minute


@click.command(short_help="Show the tracebacks of a bundle's own code.")
@click.argument("session", required=False, shell_complete=complete_session)
@json_option
def log(session: str | None, as_json: bool) -> int:
    """Show where guards and actions of the bundle failed in SESSION; without one, in all sessions, the latest last.

    A user, an agent and the log of a session are told only that the code failed (`internal`). The tracebacks are kept
    beside the log, without the key and without ids: the latest 20 of each session. `forget` erases them.

    \b
    Examples:
      workflow-admin log
      workflow-admin log amber-fox
    """
    view = viewed()
    if session is not None:
        audit.read(view, session)  # a name that no session has is an error
    found = view.store.faults(session)
    if session is None:
        found = found[-MOST_FAULTS:]
    if as_json:
        print_json({"v": VERSION, "ok": True, "faults": [as_dict(fault) for fault in found]})
        return 0
    if not found:
        console.say(f"No code of a bundle has failed{view.where}.")
        return 0
    for fault in found:
        where = f"{fault.session}, after entry {fault.seq}" if fault.session else "a start that was refused"
        console.say(f"✗ {minute(fault.time)} UTC  {where}, in {fault.state}", "red")
        console.show_quoted(fault.trace.rstrip())
    console.remark("Fix the code, check it with `workflow test`; then send `retry`.")
    return 0
