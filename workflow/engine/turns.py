"""The engine's turns: start, advance, look, status; each reads straight down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from workflow.bundle import Bundle
from workflow.engine import hearing, languages, refusals, speak, timers, watching, wishes
from workflow.engine.intake import check_content, checked
from workflow.engine.observe import named, observe, proven
from workflow.engine.repeats import identity_of, recorded, start_identity
from workflow.engine.run import Run
from workflow.engine.speak import NOTHING, Known, Speech
from workflow.engine.view import View
from workflow.engine.work import failed, settle_intent, work
from workflow.machine.decide import Accepted, Observed, Refused, decide
from workflow.machine.definition import NOTE
from workflow.machine.hosts import check_host
from workflow.machine.language import of_locale
from workflow.machine.own_messages import PART, SAME_AGAIN
from workflow.machine.standing import offered
from workflow.model.digest import digest
from workflow.model.errors import NameTaken, SessionBusy, StoreError
from workflow.model.frozen import replace
from workflow.model.ports import Held
from workflow.model.reply import Failure, Reply
from workflow.model.session import MAIN, Turn, first_words
from workflow.model.session_names import is_name, new_name


class Engine(View):
    """Advances sessions, one turn at a time. Raises what ``errors`` names; a refusal is a reply."""

    def start(
        self,
        turn: Turn,
        *,
        bundle: str = "",
        language: str | None = None,
        host: str = "generic",
        profile: str = "default",
        sandbox: str | None = None,
        owner: str | None = None,
    ) -> Reply:
        """A new session; nothing is kept of one that is refused. ``bundle`` is a folder, empty = the packaged one.

        ``owner`` is whose token begins it. Two owners may send the same ``turn_id``: each begins a session of its own.
        """
        turn = checked(replace(turn, event="start"))
        identity = start_identity(owner, turn.turn_id) if turn.turn_id else None
        known = self.world.store.find_turn(identity) if identity else None
        if known:
            return self.advance(known.session, turn)
        opened = self.world.open_bundle(bundle)
        body = {
            "workflow": opened.definition.workflow,
            "bundle": opened.digest,
            "compiled": opened.compiled,
            "path": bundle,
            "language": of_locale(language or opened.definition.languages[0]),
            "host": check_host(host),
            "profile": f"{profile}@sandbox" if sandbox else profile,
            "sandbox": sandbox,
            "state": opened.definition.start,
            "turn": identity,
            "given": digest(turn.given),
        } | ({"owner": owner} if owner else {})
        return self._first_turn(opened, body, turn)

    def advance(self, name: str, turn: Turn, *, wait: float = 0.0, language: str | None = None) -> Reply:
        """One turn of a session: without an event, it goes on with what was begun and says what is owed.

        From the turn's event on, messages are in ``language``; a refused turn leaves it as it is.
        """
        turn = checked(turn)
        language = of_locale(language) if language else ""
        with self._held(name, wait) as held:
            run = self.load(name, held, wait)
            before = recorded(run, turn)
            if isinstance(before, Reply):
                return before
            self._settle(run)
            hearing.recall(run, turn)
            if before or not _leaves(run, turn):
                self._catch_up(run, looks=turn.event == "check")
            if before:
                return self._answer(run)
            if turn.event is None:
                check_content(run, turn, language)
                languages.speak(run, language, alone=True)
                return self._tell(run, turn)
            return self._take(run, turn, language)

    def resume(self, name: str, *, wait: float = 0.0) -> Reply:
        """Go on with what was begun; shows the resting message once more if there is nothing new to say."""
        reply = self.advance(name, Turn(), wait=wait)
        return reply if reply.say else replace(reply, say=self.status(name).say)

    def look(self, name: str, *, wait: float = 0.0) -> watching.Look:
        """One look of a watcher; others can have the session while it is out. Its messages are owed, not said."""
        with self._held(name, wait) as held:
            run = self.load(name, held, wait)
            watching.notice_presence(run)  # before anything is caught up with: who looks is not absent
            self._settle(run)
            self._catch_up(run)
            if run.state.watch is None or run.session.trouble:
                return watching.Look(True)
            watching.notice_presence(run)
            found = watching.look(run, alone=True)
            if found.moved or run.state.watch is None:
                return watching.Look(True, found.progress)
            return replace(found, remaining=watching.remaining(run), every=watching.pause(run, found))

    def check_due(self, name: str, *, wait: float = 0.0) -> bool:
        """Let happen what is due in a session, and nothing else; whether anything was.

        For whoever looks without a turn, such as a server. Its messages are owed, not said.
        """
        with self._held(name, wait) as held:
            run = self.load(name, held, wait)
            before = run.session.seq
            self._settle(run)
            self._catch_up(run)
            return run.session.seq != before

    def speak_as_watcher(self, name: str, *, wait: float = 0.0) -> Reply:
        """Claim and render what is owed for the one who watched; confirm when it was said.

        Asides, and what an event of the conversation is answered with, are left to the main session.
        """
        with self._held(name, wait) as held:
            run = self.load(name, held, wait)
            definition = run.program.definition
            states = definition.states.values()
            others = {SAME_AGAIN, *(event.say for event in definition.events.values())}
            others |= {target for state in states if state.aside for target in state.aside.targets}
            others |= {target for state in states for said in state.acknowledge.values() for target in said.targets}
            own = [each for each in run.session.owed if not each.message.startswith(PART)]
            mine = [each for each in own if each.message not in others and each.claimed is None]
            return speak.record(run, speak.say(run, mine), by="watcher", outside=mine)

    def unsay(self, reply: Reply, why: str) -> None:
        """What ``reply`` said did not arrive: it is offered again. Does nothing if a later reply was made."""
        if reply.session is None or reply.receipt is None:
            return
        with self.world.store.hold(reply.session, wait=5.0) as held:
            run = self.load(reply.session, held)
            if reply.receipt.partition(":")[0] == str(run.session.last_reply):
                hearing.take_back(run, why)
                run.commit()

    def confirm(self, reply: Reply) -> None:
        """What ``reply`` claimed has been said: it is not offered again."""
        if not reply.claims or reply.session is None:
            return
        with self.world.store.hold(reply.session, wait=5.0) as held:
            run = self.load(reply.session, held)
            run.note("confirm", {"said": list(reply.claims)})
            run.commit()

    def accept(self, run: Run, turn: Turn, decision: Accepted, observed: Observed, language: str = "") -> None:
        """Note the event, then go on until the run rests; what is done about it is done after its commit.

        From the event on, messages are in ``language``, if one is given.

        A turn that calls nothing is written once, with its reply; a call commits what came before it.
        """
        if decision.event == NOTE and decision.wish:
            wishes.note(run, turn, decision.wish, observed)
            languages.speak(run, language)
            return
        if decision.missing:
            run.note("partial", _partial(run, turn, decision, observed))
            return
        body = {
            "event": decision.event,
            "given": turn.given,
            "set": dict(decision.set),
            "evidence": [evidence.as_json() for evidence in decision.evidence],
            "verdicts": dict(decision.verdicts),
            "revision": run.session.revision + 1,
            "turn": identity_of(run.session, turn) if decision.event != "start" else None,
            **proven(turn, observed.seen, observed.wordings),
            "channel": turn.channel,
            "from": run.session.state,
            **run.conditions(),
        } | ({"asked_at": turn.asked_at.as_json()} if turn.asked_at else {})
        body |= {"sent": dict(turn.instead_of)} if turn.instead_of else {}
        body |= {"wish": decision.wish.id} if decision.wish else {}
        body |= _by_role(run, turn, decision, observed)
        body |= run.having_heard(body).effect(decision)
        if decision.event == "start":
            definition = run.program.definition
            body |= {"about": first_words(decision.set[name] for name in definition.words_of(decision.event))}
        looks = decision.event == "retry" and run.session.undecided != "say"
        run.note("event", body)
        languages.speak(run, language)
        if looks or decision.look:
            self._look_again(run, decision)
        work(run)

    @contextmanager
    def _held(self, name: str, wait: float) -> Iterator[Held]:
        """Hold the session; where another has it for a paid call, the error says so."""
        if not is_name(name):
            raise self.unknown(name)
        with ExitStack() as held:
            try:
                hold = held.enter_context(self.world.store.hold(name, wait))
            except SessionBusy as error:
                raise self._explained(name, error) from None
            yield hold

    def _explained(self, name: str, error: SessionBusy) -> SessionBusy:
        try:
            session = self.world.store.load(name)
        except StoreError:  # a damaged session is busy all the same
            return error
        if session is None or session.intent is None:
            return error
        call = f"it waits for the answer to '{session.intent.action}', which cannot be taken back"
        return SessionBusy(f"{error.message}; {call}", error.hint)

    def _first_turn(self, bundle: Bundle, body: Mapping[str, Any], turn: Turn) -> Reply:
        for words in (2, 2, 2, 3, 3, 3):
            name = new_name(self.world.choose, words)
            if self.world.store.load(name) is not None:
                continue
            with ExitStack() as held:
                try:
                    hold = held.enter_context(self.world.store.hold(name))
                except SessionBusy:  # another start has just chosen it
                    continue
                run = Run(self.world, bundle, None, hold)
                run.begin(name, body)
                check_content(run, turn, body["language"])
                observed = observe(run, turn)
                decision = decide(run.program, run.session, turn, observed)
                if isinstance(decision, Refused):
                    _report(run, decision, begun=False)
                    return Reply(error=_failure(turn, decision))
                try:
                    self.accept(run, turn, decision, observed)
                    return self._answer(run)
                except NameTaken:
                    continue
                except StoreError:
                    taken = self.world.store.find_turn(body["turn"]) if body["turn"] else None
                    if taken is None or taken.session == name:
                        raise
                    return self.advance(taken.session, turn)
        raise StoreError("no free name was found for a new session", "Try again, or remove sessions that are over.")

    def _settle(self, run: Run) -> None:
        """An open intent comes before everything: nobody is at work on that call any more."""
        if run.session.intent:
            settle_intent(run)
            run.commit()

    def _catch_up(self, run: Run, *, looks: bool = False) -> None:
        """What is due before a turn: unfinished work, a passed deadline, a missed monitor, and what nobody answered.

        A turn that ``looks`` makes the one more look of a passed deadline by itself.
        """
        work(run)
        timers.keep_time(run)
        if not (looks and watching.overdue(run)):
            watching.keep_deadline(run)
            watching.notice_absence(run)
        timers.fire(run)
        run.commit()

    def _tell(self, run: Run, turn: Turn) -> Reply:
        """No event: say what is owed."""
        wishes.drop_overtaken(run)
        owed, error, found = run.session.owed, run.failure(), named(run, turn)
        proof = proven(turn, found.get("seen", "none"), found.get("wordings", {}))
        known = _known(run, found.get("seen"))
        speech = speak.asked_again(run, speak.say(run, owed), proof.get("seen", 0))
        if not owed and not speak.begins_a_term(run, speech):
            run.commit()
            return speak.reply(run, speech, error, known=known)
        return speak.record(run, speech, by=MAIN, outside=owed, error=error, proof=proof, known=known)

    def _take(self, run: Run, turn: Turn, language: str) -> Reply:
        before, asked = run.session, speak.questions(run)
        check_content(run, turn, language)
        observed = observe(run, turn)
        decision = decide(run.program, run.session, turn, observed)
        if isinstance(decision, Refused):
            return self._refuse(run, turn, decision, observed, speak.say(run, before.owed))
        if decision.missing:
            return self._wait_for_more(run, turn, decision, observed)
        known = _known(run, observed.seen)
        news = speak.say(run.spoken_in(language), before.owed)
        self.accept(run, turn, decision, observed, language)
        if run.session.language != before.language:
            known = NOTHING
        elif decision.to is not None or (run.session.state, speak.questions(run)) != (before.state, asked):
            known = replace(known, here=False)
        return self._answer(run, news, known=known, noted=turn.event == NOTE)

    def _wait_for_more(self, run: Run, turn: Turn, decision: Accepted, observed: Observed) -> Reply:
        """A gate has an answer and needs more of them: that is kept, nothing moves, and nothing new is said."""
        self.accept(run, turn, decision, observed)
        run.commit()
        gate = run.program.definition.gates[decision.evidence[0].gate]
        run.notice(f"The answer is kept: {gate.least - decision.missing} of {gate.least}. Nothing happens before that.")
        return speak.reply(run, NO_NEWS)

    def _look_again(self, run: Run, decision: Accepted) -> None:
        """A look on request: one, now; without news, or where it could not be made, the run says so."""
        watch = run.state.watch
        if watch is None:
            return
        found = watching.look(run)
        if found.moved or found.outrun:
            return
        if watching.overdue(run):
            watching.give_up(run)
        else:
            trouble = run.program.definition.told_of(found.fault, watch.do) if found.fault else None
            if found.error:
                run.explain("The look could not be made", failed(run, "", found.error))
            told = {"owe": [trouble]} if trouble else run.told(watch.no_news)
            run.note("move", {"why": "no news", "to": None, **run.answered(told)})

    def _answer(self, run: Run, news: Speech | None = None, *, known: Known = NOTHING, noted: bool = False) -> Reply:
        """The reply to a turn that was taken; a turn that ``noted`` a wish tells of no call that had failed before."""
        wishes.drop_overtaken(run)
        if news and not set(news.owed) <= set(run.session.owed):  # somebody else has said it while a call was out
            news = speak.say(run, [each for each in news.owed if each in run.session.owed])
        outside = news.owed if news else ()
        fresh = [each for each in run.session.owed if each.id not in {other.id for other in outside}]
        answers = run.session.unanswered
        try:
            speech = speak.say(run, fresh)
            speech = speak.asked_again(run, news + speech if news and news.owed else speech)
            error = None if noted else run.failure()
            return speak.record(run, speech, by=MAIN, outside=outside, answers=answers, error=error, known=known)
        except Exception:
            run.commit()  # whatever is wrong with a message: a result that was paid for is kept
            raise

    def _refuse(self, run: Run, turn: Turn, decision: Refused, observed: Observed, news: Speech) -> Reply:
        _report(run, decision)
        named = proven(turn, observed.seen, observed.wordings).get("seen", 0)
        error, speech = _failure(turn, decision), speak.asked_again(run, news, named)
        refusals.note(run, turn, decision, observed, speak.begins_a_term(run, speech))
        run.commit()
        known = _known(run, observed.seen)
        if news.owed:
            return speak.record(run, speech, by=MAIN, outside=news.owed, error=error, known=known)
        return speak.reply(run, speech, error, known=known)


NO_NEWS = Speech()


def _partial(run: Run, turn: Turn, decision: Accepted, observed: Observed) -> dict[str, Any]:
    """What an entry says of an answer that waits for those of other people."""
    gate = run.program.definition.gates[decision.evidence[0].gate]
    return {
        "event": decision.event,
        "given": turn.given,
        "evidence": [each.as_json() for each in decision.evidence],
        "count": [gate.least - decision.missing, gate.least],
        "verdicts": dict(decision.verdicts),
        **proven(turn, observed.seen, observed.wordings),
        "channel": turn.channel,
        **run.conditions(),
        **_by_role(run, turn, decision, observed),
    } | ({"asked_at": turn.asked_at.as_json()} if turn.asked_at else {})


def _by_role(run: Run, turn: Turn, decision: Accepted, observed: Observed) -> dict[str, Any]:
    """What an entry says of the people of a role: who held it, what they were told, and their no."""
    definition = run.program.definition
    named = {each.gate for each in (*decision.evidence, *decision.declined)}
    asked = {role for name in named if (role := definition.gates[name].by)}
    told = [said.as_record() for role in sorted(asked) if (said := speak.for_role(run, role))]
    declined = {"declined": [each.as_json() for each in decision.declined]} if decision.declined else {}
    return declined | ({"people": dict(observed.people)} if asked else {}) | ({"told": told} if told else {})


def _leaves(run: Run, turn: Turn) -> bool:
    """Whether the turn's event leads away from what is due, so that it is decided before that is done.

    Only what is possible wherever a run waits is: whatever else a turn says needs the state that the work leads to.
    """
    due = (run.state.works and run.session.trouble is None) or watching.overdue(run)
    return due and turn.event in run.program.definition.on


def _known(run: Run, seen: str | None) -> Known:
    """What a turn's token shows its caller to know: a reply of where the run stands told what may come.

    Where that cannot be told it knows nothing, and is told everything: no turn depends on it.
    """
    if seen != "present":
        return NOTHING
    try:
        phase = run.program.definition.phase(run.session.state, run.session.language)
        return Known(True, tuple(offered(run.program, run.session, run.facts())), phase)
    except Exception:
        return NOTHING


def _report(run: Run, decision: Refused, *, begun: bool = True) -> None:
    for trace in decision.traces:
        run.report("guard", trace, begun=begun)


def _failure(turn: Turn, decision: Refused) -> Failure:
    event, reasons = f"'{(turn.event or '')[:64]}'", "; ".join(decision.reasons)
    message = reasons if reasons.startswith(event) else f"{event} is refused: {reasons}"
    return Failure(decision.type, message, decision.hint)
