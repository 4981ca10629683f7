"""The demo's page: sessions that were played until they wait for a person, and their inbox in a browser."""

from __future__ import annotations

from workflow.cli import console
from workflow.cli.demo.person import SCRIPTS, Person
from workflow.cli.demo.picture import harbour
from workflow.cli.demo.stage import Stage, StepFailed, set_stage
from workflow.model.reply import Option, Reply

PICTURE = "harbour.png"
ROUNDS, LOOKS = 2, 2
MOST = 20
"""More turns than this is a conversation that goes round in circles."""


def serve(language: str) -> int:
    """Play two conversations against the sandbox, and serve the page over them until Ctrl-C.

    One waits for consent to send a picture, the other for the approval of a plan. Raises :class:`StepFailed`.
    """
    with set_stage(None, rounds=ROUNDS, looks=LOOKS) as stage:
        (stage.folder / PICTURE).write_bytes(harbour())
        for gate in ("approve", "consent"):
            _play(stage, language, gate)
        console.remark("Two sessions in a sandbox wait for you. Nothing costs anything, and all is gone at the end.")
        return stage.serve("page", "--port", "0")


def _play(stage: Stage, language: str, gate: str) -> None:
    """The agent's part of a conversation, up to where only a person can answer this gate's event."""
    person = Person(SCRIPTS[language], None)
    references = [{"path": PICTURE, "description": person.script.description}]
    first = {"words": person.script.start} | ({"references": references} if gate == "consent" else {})
    reply = _sent(stage, "start", "--host", "openclaw", "--language", language, turn={"input": first})
    for _ in range(MOST):
        options: dict[str, Option] = {option.event: option for option in reply.next}
        if gate in options:
            return
        said = person.respond(reply)
        if said is None:
            break
        turn = said.as_turn(options[said.event], reply.seen)
        reply = _sent(stage, "advance", reply.session or "", said.event, turn=turn)
    raise StepFailed(f"the conversation has not come to '{gate}'; it stands in {reply.state}")


def _sent(stage: Stage, *arguments: str, turn: dict[str, object]) -> Reply:
    ran = stage.run(*arguments, "--input", "-", turn=turn)
    if ran.code:
        raise ran.failure()
    return ran.reply()
