"""Burr with its SQLite persister: an action per state.

Variants: ``kept`` keeps the application in memory between turns; ``loaded`` builds it from the store for each turn,
as a program that is started again would, and as Phasegate does. With ``wal`` in it, the persister's database has a
write-ahead log, as Phasegate's has; the persister itself leaves SQLite's default, a rollback journal.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from burr.core import Action, ApplicationBuilder, State
from burr.core.persistence import SQLitePersister

from benchmarks.work import STATES, following, message, words


class Step(Action):
    """What the person says in one state."""

    def __init__(self, state: str) -> None:
        super().__init__()
        self._state = state

    @property
    def reads(self) -> list[str]:
        """Nothing."""
        return []

    @property
    def inputs(self) -> list[str]:
        """What was said."""
        return ["said"]

    @property
    def writes(self) -> list[str]:
        """What was said, where it leads, and the answer."""
        return ["words", "next", "text"]

    def run(self, state: State[Any], **given: Any) -> dict[str, str]:
        """Guard, move, message."""
        said = str(given["said"])
        return {"words": said, "next": following(self._state, said), "text": message(said)}

    def update(self, result: dict[str, str], state: State[Any]) -> State[Any]:
        """Keep it all."""
        return state.update(**result)


class App:
    """One application."""

    def __init__(self, folder: Path, kept: bool, wal: bool) -> None:
        self._persister = SQLitePersister(str(folder / "runs.sqlite"))
        if wal:
            self._persister.connection.execute("PRAGMA journal_mode = wal")
        self._persister.initialize()
        self._kept = self._build() if kept else None

    def turn(self, number: int) -> str:
        """One action; the persister writes after it."""
        app = self._kept or self._build()
        _, result, _ = app.step(inputs={"said": words(number)})
        return str(result["text"])

    def close(self) -> None:
        """Close the connection."""
        self._persister.connection.close()

    def _build(self) -> Any:
        names = {state: state.replace(".", "_") for state in STATES}
        circle = list(names.values())
        return (
            ApplicationBuilder()
            .with_actions(**{name: Step(state) for state, name in names.items()})
            .with_transitions(*zip(circle, [*circle[1:], circle[0]], strict=True))
            .with_identifiers(app_id="run")
            .initialize_from(
                self._persister, resume_at_next_action=True, default_state={}, default_entrypoint=circle[0]
            )
            .with_state_persister(self._persister)
            .build()
        )


def opened(folder: Path, variant: str) -> App:
    """Kept in memory, or loaded for each turn; with a write-ahead log, or as it comes."""
    return App(folder, kept="kept" in variant, wal="wal" in variant)
