"""The procedure on Burr: actions and transitions, kept by its SQLite persister, halting where the person answers.

https://burr.dagworks.io/concepts/state-persistence/ and the documented loop with ``halt_before`` for human input.
"""

from __future__ import annotations

from typing import Any

from burr.core import ApplicationBuilder, State, action, when
from burr.core.persistence import SQLitePersister

from compare.turn import SESSION, Asked, Stands, main, place_order, propose_plan


@action(reads=["wish"], writes=["plan"])
def propose(state: State[Any]) -> State[Any]:
    """The free call."""
    return state.update(plan=propose_plan(state["wish"]))


@action(reads=["wish"], writes=["wish", "answer"])
def confirm(state: State[Any], answer: str, wish: str) -> State[Any]:
    """What the person said."""
    return state.update(answer=answer, wish=wish or state["wish"])


@action(reads=["plan"], writes=["receipt"])
def place(state: State[Any]) -> State[Any]:
    """The call that costs money."""
    return state.update(receipt=place_order(state["plan"]))


def take(asked: Asked) -> Stands:
    """One turn: load the run, and go on from its next action."""
    with SQLitePersister(str(asked.folder / "runs.sqlite")) as persister:
        persister.initialize()
        app = (
            ApplicationBuilder()
            .with_actions(propose=propose, confirm=confirm, place=place)
            .with_transitions(
                ("propose", "confirm"),
                ("confirm", "place", when(answer="approve")),
                ("confirm", "propose", when(answer="revise")),
            )
            .with_identifiers(app_id=SESSION)
            .initialize_from(
                persister,
                resume_at_next_action=True,
                default_state={"wish": asked.wish},
                default_entrypoint="propose",
            )
            .with_state_persister(persister)
            .build()
        )
        following = app.get_next_action()
        answering = following is not None and following.name == "confirm"
        if asked.verb != "look" and not (answering and asked.verb == "resume"):
            inputs = {"answer": asked.verb, "wish": asked.wish} if answering else {}
            app.run(halt_before=["confirm"], halt_after=["place"], inputs=inputs)
        return _stands(app)


def _stands(app: Any) -> Stands:
    following = app.get_next_action()
    if following is not None and following.name == "confirm":
        return Stands("waiting", app.state["plan"])
    if app.state.get("receipt"):
        return Stands("done", app.state["plan"])
    return Stands("idle", why=f"next: {following.name if following else 'nothing'}")


if __name__ == "__main__":
    main(take)
