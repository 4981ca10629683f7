"""Where sessions stand, for whoever only looks: no turn is taken here, and nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflow.engine import hearing, speak
from workflow.engine.run import Run, call_part
from workflow.engine.work import explain_doubt, settle_intent
from workflow.engine.world import World
from workflow.machine import brakes
from workflow.machine.standing import PAUSED
from workflow.model.errors import SessionNotFound, StoreError
from workflow.model.frozen import replace
from workflow.model.journal import receipt
from workflow.model.ports import Held, Holder, Reader, Summary
from workflow.model.reply import Reply
from workflow.model.session import Session
from workflow.model.session_names import is_name
from workflow.model.spelling import did_you_mean


class View:
    """What can be seen of the sessions of a world; :class:`~workflow.engine.turns.Engine` takes turns as well."""

    def __init__(self, world: World) -> None:
        self.world = world

    @property
    def store(self) -> Reader:
        """What can be read; whoever looks writes nothing."""
        return self.world.store

    def status(self, name: str) -> Reply:
        """Where a session stands; changes nothing. One that died in a paid call is shown in doubt, as it is."""
        return self.shown(*self.seen(name))

    def shown(self, run: Run, holder: Holder | None) -> Reply:
        """Where a session stands that was :meth:`seen`."""
        run.notices += self.world.notices
        run.notices += self._pauses(run.session)
        error = run.failure()
        if error:
            what = f"{error.message[0].upper()}{error.message[1:]}".removesuffix(".")
            run.notices.append(f"{what}. {error.hint}")
        if run.session.doubt:
            explain_doubt(run)
        if run.session.owed:
            run.notices.append(f"There is something new to say: {self.world.surface.go_on.format(run.session.name)}.")
        if holder:
            run.notices.append(f"A turn is at work on it: {holder.sentence}.")
        unsure, unsaid = hearing.unsure(run.session), hearing.unsaid(run.session)
        resting = speak.resting(run, unsure=unsure, unsaid=unsaid)
        shown = speak.reply(run, resting, reads_only=True)
        if run.session.intent:
            shown = replace(shown, status="working", next=())
        return replace(shown, receipt=receipt(run.stored.seq, run.stored.head)) if run.stored else shown

    def _pauses(self, session: Session) -> list[str]:
        """What the pauses are that stop a session, and that the last one has ended where a call waits for that."""
        stops = [each for each in self.store.pauses() if each.stops(session.name, session.workflow)]
        if not stops and session.trouble == PAUSED:
            return ["The pause has ended: `retry` makes the call that it held back."]
        return [f"{brakes.told(each)} Calls that cost something or need an approval wait." for each in stops]

    def sessions(
        self,
        *,
        live: bool = False,
        search: str = "",
        state: str = "",
        status: str = "",
        limit: int = 50,
        offset: int = 0,
    ) -> list[Summary]:
        """Saved sessions, the latest first, all or those that are asked for (see the store).

        A session in a paid call is kept as in doubt, which it is if the process dies; while it lives, it works.
        """
        found = self.store.sessions(live=live, search=search, state=state, status=status, limit=limit, offset=offset)
        return [
            replace(each, status="working") if each.status == "in_doubt" and self._in_a_call(each.name) else each
            for each in found
        ]

    def data(self, name: str) -> Mapping[str, Any]:
        """The data of a session as they are, internal ones included: for people, never for a message."""
        return self.load(name).session.data

    @property
    def where(self) -> str:
        """The store that is searched, to be named where something is not in it: `` in FOLDER``."""
        return f" in {self.world.folder}" if self.world.folder else ""

    def unknown(self, name: str) -> SessionNotFound:
        """What to raise where there is no such session; says which one is near."""
        known, surface = [each.name for each in self.store.sessions(limit=200)], self.world.surface
        return SessionNotFound(
            f"there is no session {name[:64]!r}{self.where}{did_you_mean(name, known)}",
            f"{surface.list_all}; {surface.begin}.",
        )

    def load(self, name: str, held: Held | None = None, wait: float = 0.0) -> Run:
        """A stored session in hand; raises :class:`SessionNotFound`.

        If its bundle was changed meanwhile, it follows, or :class:`BundleChanged` says why not.
        """
        session = self.stored(name)
        run = Run(self.world, self.world.open_bundle(session.path), session, held, wait)
        if run.bundle.digest != session.bundle:
            from workflow.engine.bundle_change import follow

            follow(run)
        return run

    def stored(self, name: str) -> Session:
        """A session as it is stored; raises :class:`SessionNotFound`, also for one whose content was erased."""
        session = self.store.load(name) if is_name(name) else None
        if session is None:
            raise self.unknown(name)
        if session.forgotten:
            surface = self.world.surface
            raise SessionNotFound(
                f"what the session {name} held was erased; it takes no turns any more",
                f"{surface.log.format(name)} shows what is left; {surface.begin}.",
            )
        return session

    def seen(self, name: str) -> tuple[Run, Holder | None]:
        """The run for looking at, and who is at work on it; a paid call that nobody is in is shown in doubt."""
        run = self.load(name)
        try:
            holder = self._holder(run.session)
        except StoreError as error:  # such as the locks of another user: nobody can say that nobody is in the call
            run.notices.append(f"Whether a turn is at work on it cannot be told: {error.message}.")
            return run, None
        intent = run.session.intent
        if intent is None or holder:
            return run, holder
        run = self.load(name)  # whose call it was has died, or has finished meanwhile
        if run.session.intent == intent:
            settle_intent(run)
        return run, None

    def _in_a_call(self, name: str) -> bool:
        try:
            session = self.store.load(name)
            return session is not None and session.intent is not None and self._holder(session) is not None
        except Exception:  # whatever is wrong with one session: it is listed as it stands in the list
            return False

    def _holder(self, session: Session) -> Holder | None:
        """Who is at work on it; the kernel frees what a process held when it dies.

        Raises :class:`StoreError` where that cannot be told.
        """
        return self.store.held_by(session.name) or self.store.held_by(session.name, call_part(session))
