"""The procedure on Phasegate: the bundle beside this file, driven through the Python interface."""

from __future__ import annotations

import os

from compare.turn import SESSION, Asked, Stands, main
from workflow import Reply, Turn, WorkflowError, open_engine


def take(asked: Asked) -> Stands:
    """One turn; what the engine raises is an answer too."""
    engine = open_engine(state=asked.folder / "state")
    name = next((each.name for each in engine.sessions(limit=1)), "")
    try:
        if asked.verb == "start":
            turn = Turn("start", {"wish": asked.wish}, turn_id="first")
            bundle = str(asked.folder / "bundle")
            return _stands(engine.start(turn, bundle=bundle, sandbox=os.environ["COMPARE_SHOP"]))
        if asked.verb == "resume":
            return _stands(engine.resume(name))
        if asked.verb == "look":
            return _stands(engine.status(name))
        return _stands(engine.advance(name, _answer(asked)))
    except WorkflowError as error:
        refused = error.type in ("busy", "stale")
        return Stands(
            "refused" if refused else "stopped", why=error.message.replace(name, SESSION) if name else error.message
        )


def _answer(asked: Asked) -> Turn:
    """An answer names the reply that was shown, and has the person's own words."""
    if asked.verb == "revise":
        return Turn("revise", {"wish": asked.wish}, seen=asked.shown)
    return Turn(asked.verb, quote="Yes, that is right", seen=asked.shown)


def _stands(reply: Reply) -> Stands:
    if reply.error:
        return Stands("refused", why=reply.error.message)
    said = " ".join(message.text for message in reply.say)
    return Stands((reply.status or "idle").replace("_", " "), said, reply.seen or "", said)


if __name__ == "__main__":
    main(take)
