"""The journal: entries in a hash chain, and the fold that makes a session of them.

A session is nothing but the fold of its entries; the snapshot in the store is a copy of it. Each kind of
entry has one small function below that says what it changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any

from workflow.model.digest import canonical, sha256
from workflow.model.errors import JournalTampered
from workflow.model.evidence import Evidence
from workflow.model.frozen import Noun, replace, written
from workflow.model.instant import Instant
from workflow.model.session import AGAIN, MAIN, Intent, Owed, Session, Timer, Wish

FORMAT = 1
START = "0" * 64
"""What the first entry of a session names as its predecessor."""


class Entry(Noun):
    """One fact. ``body`` is None once it was erased; ``digest`` is of the body, ``hash`` of everything else."""

    session: str
    seq: int
    kind: str
    time: str
    previous: str
    digest: str
    hash: str
    body: Mapping[str, Any] | None

    @cached_property
    def text(self) -> str | None:
        """The body as it is written and digested; raises ``TypeError`` or ``ValueError`` for what JSON cannot express.

        A store that read the entry sets what it read, so that this is what an audit digests.
        """
        return None if self.body is None else canonical(dict(self.body)).decode()

    @property
    def turn(self) -> str | None:
        """The identity of the turn that this entry accepted, for finding it again."""
        return self.body.get("turn") if self.body else None

    @property
    def receipt(self) -> str:
        """Sequence and first 24 hex digits: quoted elsewhere, it anchors the log for free."""
        return receipt(self.seq, self.hash)


def receipt(seq: int, head: str) -> str:
    """How a journal's head is quoted."""
    return f"{seq}:{head[:24]}"


def seal(session: str, seq: int, previous: str, kind: str, time: str, body: Mapping[str, Any], nonce: str) -> Entry:
    """The next entry of a chain; ``nonce`` keeps a body from being guessed from its digest once it is erased."""
    if kind not in _FOLD:
        raise ValueError(f"unknown kind of entry {kind!r}")
    sealed = {**body, "nonce": nonce}
    encoded = canonical(sealed)
    content, text = sha256(encoded), encoded.decode()
    _remember(content, text)
    hash_ = _hash_known(session, seq, kind, time, previous, content)
    return written(Entry(session, seq, kind, time, previous, content, hash_, sealed), text)


def verify(entries: Iterable[Entry], expect_head: str | None = None, after: Session | None = None) -> Iterator[Entry]:
    """The same entries, each checked against the one before; raises :class:`JournalTampered` at the first break.

    They are all of a journal, or those after the entry at which the session ``after`` stands. ``expect_head`` is a
    receipt: without one, a truncated or wholly rewritten journal cannot be told from a true one. Content may be gone
    only where a later entry says that it was erased (decision 27).
    """
    previous, seq = (after.head, after.seq) if after else (START, 0)
    seen = expect_head is None
    gone: list[int] = []
    for entry in entries:
        seq += 1
        if entry.seq != seq or entry.previous != previous:
            raise JournalTampered(f"entry {seq} is missing or out of place", seq, _HINT)
        if entry.hash != _chained(entry):
            raise JournalTampered(f"entry {seq} does not match its own hash", seq, _HINT)
        if entry.body is not None and _content(entry) != entry.digest:
            raise JournalTampered(f"the content of entry {seq} was changed", seq, _HINT)
        if entry.body is None:
            gone.append(seq)
        elif entry.kind == "forgotten":
            _check_erased(entry, gone)
            gone = []
        previous = entry.hash
        seen = seen or entry.receipt == expect_head
        yield entry
    if gone:
        message = f"the content of entry {gone[0]} is gone, and no entry says that it was erased"
        raise JournalTampered(message, gone[0], _HINT)
    if not seen:
        raise JournalTampered(f"the journal does not hold the head {expect_head}: it was cut or rewritten", seq, _HINT)


def is_whole(row: Sequence[Any], previous: str) -> bool:
    """Whether an entry is as it was sealed, by its columns alone: of the last one every turn asks, without reading it.

    They are session, sequence, kind, time, digest, hash and the text of the body.
    """
    session, seq, kind, time, content, hash_, text = row
    try:
        chained = _hash_known(session, seq, kind, time, previous, content)
        return bool(hash_ == chained and _is_content(text, content))
    except (TypeError, ValueError, AttributeError):
        return False


def replay(entries: Iterable[Entry], expect_head: str | None = None) -> Iterator[tuple[Entry, Session | None]]:
    """Each entry, checked as by :func:`verify`, with the session after it; None where that was erased."""
    session: Session | None = None
    erased = False
    for entry in verify(entries, expect_head):
        erased = entry.body is None or (erased and entry.kind != "forgotten")
        try:
            session = None if erased else fold(session, entry)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as error:
            message = f"entry {entry.seq} does not have the form of its kind, '{entry.kind}'"
            raise JournalTampered(message, entry.seq, _HINT) from error
        yield entry, session


def fold(session: Session | None, entry: Entry) -> Session:
    """The session after ``entry``."""
    if entry.body is None:
        raise JournalTampered(f"entry {entry.seq} was erased and cannot be replayed", entry.seq)
    if entry.kind == "forgotten":  # what came before it is gone
        left = {name: entry.body["left"][name] for name in LEFT} | {"owner": entry.body["left"].get("owner")}
        session = Session(**left, name=entry.session, path="", language="und")
    elif session is None:
        if entry.kind != "started":
            raise JournalTampered("the journal does not begin with its start", entry.seq, _HINT)
        begun = {name: entry.body[name] for name in _STARTED}
        session = Session(**begun, name=entry.session, owner=entry.body.get("owner"))
    after = _FOLD[entry.kind](session, entry.body, entry)
    stopped = entry.body.get("to") or entry.body.get("undecided") or entry.kind in ("started", "failure")
    return replace(after, seq=entry.seq, head=entry.hash, stopped=entry.time if stopped else session.stopped)


_HINT = "Restore the store from a backup, or compare with a receipt that was quoted elsewhere."
LEFT = ("workflow", "bundle", "state", "sandbox", "revision")
"""What stays known of a session whose content was erased; none of it is anybody's words."""
_DIGITS_TOLD = 8
_ASKS_AGAIN = ("check", "retry")
"""Events that look again: only after these is the same text nothing new."""
_STARTED = ("workflow", "bundle", "path", "language", "host", "profile", "sandbox", "state")


def _content(entry: Entry) -> str:
    """The digest of what stands in a body; empty for what no entry could have been sealed with, such as NaN."""
    try:
        return sha256((entry.text or "").encode())
    except (TypeError, ValueError, RecursionError):
        return ""


def _chained(entry: Entry) -> str:
    """The hash that the entry should have; empty where one of its texts is none."""
    try:
        return _hash(entry.session, entry.seq, entry.kind, entry.time, entry.previous, entry.digest)
    except (TypeError, ValueError):
        return ""


def _check_erased(entry: Entry, gone: list[int]) -> None:
    """An entry that says that all before it was erased is right."""
    if len(gone) != entry.seq - 1:
        message = f"entry {entry.seq} says that all before it was erased, and some of it is there"
        raise JournalTampered(message, entry.seq, _HINT)


def _hash(session: str, seq: int, kind: str, time: str, previous: str, content: str) -> str:
    """Of canonical JSON; where no text needs an escape, which is always so with what we wrote, it is put together."""
    text = f'[{FORMAT},"{session}",{seq},"{kind}","{time}","{previous}","{content}"]'
    if text.count('"') != 10 or "\\" in text or not (text.isascii() and text.isprintable()):
        return sha256(canonical([FORMAT, session, seq, kind, time, previous, content]))
    return sha256(text.encode())


_MOST_KNOWN = 64
"""Entries whose digests a process remembers: a turn asks for the last one, which the turn before has sealed."""
_hash_known = lru_cache(_MOST_KNOWN, typed=True)(_hash)
_texts: dict[str, str] = {}
"""The texts of those entries, by their digests: to compare a text is cheaper than to digest it."""


def _is_content(text: str, content: str) -> bool:
    """Whether the digest of the text is ``content``."""
    if _texts.get(content) == text:
        return True
    if sha256(text.encode()) != content:
        return False
    _remember(content, text)
    return True


def _remember(content: str, text: str) -> None:
    _texts[content] = text
    if len(_texts) > _MOST_KNOWN:
        _texts.pop(next(iter(_texts)), None)


def _started(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    """A fork (it names its ``parent``) begins with what was true there; nothing of it has been said here."""
    session = _timed(session, body)
    if not body.get("parent"):
        return session
    session = replace(
        session,
        revision=body["revision"],
        data=body["data"],
        evidence=tuple(Evidence.from_json(each) for each in body["evidence"]),
        answered_by={gate: tuple(who) for gate, who in body.get("answered_by", {}).items()},
        doubt=body["doubt"],
        trouble=body["trouble"],
        since=Instant(*body["since"]) if body["since"] else None,
        about=body.get("about", ""),
        paid=body.get("paid", False),
        wishes=tuple(Wish(f"{entry.seq}.{n}", *each) for n, each in enumerate(body.get("wishes", ()))),
    )
    return _move(session, {"owe": body["owe"], "undecided": body.get("undecided")}, entry)


def _event(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    told = tuple(wish for wish in session.wishes if body.get("part") and wish.id == body["wish"])
    session = replace(_without(heard(session, body), body.get("wish")), unmet=session.unmet + told)
    given = tuple(Evidence.from_json(each) for each in body["evidence"])
    named = {each.gate for each in given}
    answered = named | {each["gate"] for each in body.get("declined", ())}  # no answer of before counts
    by = {gate: tuple(dict.fromkeys(e.approver for e in given if e.gate == gate and e.approver)) for gate in named}
    kept = tuple(each for each in session.evidence if each.gate not in answered)
    session = replace(
        session,
        revision=body["revision"],
        unanswered=body["revision"],
        denials=0,
        evidence=kept + given,
        partial=tuple(each for each in session.partial if each[1].gate not in answered),
        answered_by={gate: who for gate, who in {**session.answered_by, **by}.items() if who},
        data={**session.data, **body["set"]},
        **_retried(session) if body["event"] == "retry" else {"trouble": None, "undecided": None},
        shown={**session.shown, **body.get("asked", {})},
        about=body.get("about", session.about),
        told=session.told if body["event"] in _ASKS_AGAIN else {},
    )
    return _move(session, body, entry)


def _partial(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    """The answer of one person to a gate that waits for more of them: it moves nothing, and replaces their last."""
    given = Evidence.from_json(body["evidence"][0])
    kept = tuple(
        (event, each) for event, each in session.partial if (each.gate, each.approver) != (given.gate, given.approver)
    )
    shown = {**session.shown, **body.get("asked", {})}
    return replace(heard(session, body), shown=shown, partial=(*kept, (body["event"], given)))


def _retried(session: Session) -> dict[str, str | None]:
    """What is left of a trouble when it is tried again.

    A failed call, or a look, is trouble until it succeeds. A working state whose guards could not tell asks them
    again, and a waiting one chooses its message again: that is in the same entry.
    """
    if session.undecided in (None, "look"):
        return {"trouble": session.trouble, "undecided": session.undecided}
    return {"trouble": None, "undecided": "then" if session.undecided == "then" else None}


def _move(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    """Where an entry leads (``to``, absent = it stays), since when, and what is owed to the user for it.

    ``undecided`` is the choice that could not be made there: the run is in trouble until it is made.
    """
    owed = tuple(Owed(f"{entry.seq}.{n}", message) for n, message in enumerate(body.get("owe", ())))
    session = _superseded(session, body)
    session = replace(session, owed=session.owed + owed)
    if body.get("settles"):
        session = replace(session, doubt=None)
    if body.get("to") is not None:
        since = Instant(*body["since"]) if body.get("since") else None
        fresh = {"asked_to_watch": None, "watcher": None, "trouble": None, "undecided": None, "odd": ()}
        session = _left(replace(_asking(session, body, entry), state=body["to"], since=since, **fresh))
    session = _timed(session, body)
    if body.get("undecided"):
        session = replace(session, trouble="internal", undecided=body["undecided"]["choice"])
    return session


def _superseded(session: Session, body: Mapping[str, Any]) -> Session:
    """Without messages that are out of date (``gone``): a later one takes their place."""
    gone = body.get("gone", ())
    if not gone:
        return session
    owed, unheard = (tuple(each for each in due if each.id not in gone) for due in (session.owed, session.unheard))
    return replace(session, owed=owed, unheard=unheard)


def _left(session: Session) -> Session:
    """Without the timers of the state that it has left, and a reminder that nobody has heard; its deadline runs on."""
    if not session.timers:
        return session
    kept = {name: timer for name, timer in session.timers.items() if name == "deadline"}
    return replace(_unreminded(session), timers=kept)


def _unreminded(session: Session) -> Session:
    owed = tuple(each for each in session.owed if each.id != session.reminder or each.claimed)
    return replace(session, owed=owed, reminder="")


def _timed(session: Session, body: Mapping[str, Any]) -> Session:
    """With the ``timers`` that an entry begins or changes; None for one that there is no more."""
    if not body.get("timers"):
        return session
    timers = {**session.timers, **{name: each and Timer.from_json(each) for name, each in body["timers"].items()}}
    return replace(session, timers={name: each for name, each in timers.items() if each})


def _due(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    """A timer fired: it leads on, or reminds. What it owes takes the place of the same that nobody has heard yet."""
    owed = tuple(each for each in session.owed if each.message not in body["owe"] or each.claimed)
    session = replace(session, owed=owed)
    if body["timer"] != "remind":
        return _move(session, body, entry)
    return replace(_move(_unreminded(session), body, entry), reminder=f"{entry.seq}.0")


def _asking(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    """With the questions that an entry ``asks`` opened by it: what was shown before is not what is asked now.

    No reply shows people of a role their text. The answer that is held of one stays bound to the text that they read.
    """
    asked = body.get("asks", ())
    partial = tuple(each for each in session.partial if each[1].gate not in asked)
    opened = {**session.opened, **dict.fromkeys(asked, entry.seq)}
    answered = {each.gate for each in session.evidence if each.role}
    return replace(_unput(session, set(asked) - answered), opened=opened, partial=partial)


def _unput(session: Session, questions: Iterable[str]) -> Session:
    """With these questions put to nobody yet as they are now: none is shown, and no term of theirs runs."""
    shown = {key: text for key, text in session.shown.items() if key not in questions}
    handed = {key: when for key, when in session.handed.items() if key not in questions}
    return replace(session, shown=shown, handed=handed)


def _without(session: Session, id: str | None) -> Session:
    """Without a wish that was fulfilled or dropped, and without anything that is owed or known of its question."""
    gone = [wish.key for wish in session.wishes if wish.id == id]
    if not gone:
        return session
    return replace(
        _unput(session, gone),
        wishes=tuple(wish for wish in session.wishes if wish.id != id),
        owed=tuple(each for each in session.owed if each.message not in gone),
        unheard=tuple(each for each in session.unheard if each.message not in gone),
        opened={key: seq for key, seq in session.opened.items() if key not in gone},
    )


def _wish(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    """A wish that is kept, or one that the person takes back (``drops``)."""
    session = _without(heard(session, body), body.get("drops"))
    if not body.get("drops"):
        session = replace(session, wishes=(*session.wishes, Wish(str(entry.seq), body["for"], body["words"])))
    session = replace(session, unanswered=body["revision"], shown={**session.shown, **body.get("asked", {})})
    return _move(_asking(session, body, entry), {"owe": body["owe"]}, entry)


def _overtaken(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    """A wish whose event cannot come any more, which the user is told."""
    unmet = tuple(wish for wish in session.wishes if wish.id == body["drops"])
    session = replace(_without(session, body["drops"]), unmet=session.unmet + unmet)
    return _move(session, {"owe": body.get("owe", ())}, entry)


def _intent(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    return replace(_spent(session, body), intent=Intent(body["action"], entry.seq, body["call"]))


def _spent(session: Session, body: Mapping[str, Any]) -> Session:
    """After a performance: without the answers that it ``spends``, and those that it ``uses`` have counted once more.

    Of an ``item`` only its own answers are.
    """
    spends, uses, item = body.get("spends", ()), body.get("uses", ()), body.get("item")
    evidence = [
        replace(each, used=each.used + 1) if each.gate in uses and each.is_for(item) else each
        for each in session.evidence
        if each.gate not in spends or not each.is_for(item)
    ]
    return replace(session, evidence=tuple(evidence))


def _result(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    """A paid call that has its result is done: where the run could not move on for it, only that is left to do."""
    undecided = "then" if session.intent and body["item"] is None else None
    paid, data = session.paid or session.intent is not None, {**session.data, **body["set"]}
    session = replace(_spent(session, body), intent=None, trouble=None, undecided=undecided, data=data, paid=paid)
    return _move(session, body, entry)


def _failure(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    """Answers are ``kept`` where a paid call was begun and certainly nothing left."""
    kept = tuple(Evidence.from_json(each) for each in body.get("kept", ()))
    again = {(each.gate, each.item) for each in kept}
    others = tuple(each for each in session.evidence if (each.gate, each.item) not in again)
    data = {**session.data, **body.get("set", {})}
    session = replace(session, intent=None, data=data, evidence=others + kept)
    session = _move(session, body, entry)
    if body.get("to"):
        return session
    cause, obstacle = body["message"], body.get("obstacle", "")
    return replace(session, trouble=body["kind"], undecided=None, cause=cause, obstacle=obstacle)


def _odd(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    return replace(session, odd=(*session.odd, body["sort"]))


def _doubt(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    return replace(_move(session, body, entry), intent=None, doubt=body["action"], paid=True)


def heard(session: Session, body: Mapping[str, Any]) -> Session:
    """A turn that names a reply (``seen``, its sequence) has had it, and all that was said before."""
    seen = body.get("seen")
    if seen is None:
        return session
    return replace(
        session,
        seen=max(seen, session.seen),
        owed=tuple(each for each in session.owed if not each.was_heard(seen)),
        unheard=() if seen + 1 >= session.last_reply else session.unheard,
    )


def _handed(session: Session, body: Mapping[str, Any]) -> Session:
    """The questions that an entry ``handed`` over, ``now``: the terms for answering them begin."""
    if not body.get("handed"):
        return session
    return replace(session, handed={**session.handed, **dict.fromkeys(body["handed"], Instant(*body["now"]))})


def _unsaid(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    """What the last reply said may never have arrived: it is offered again, as is the watch that it asked for."""
    again = tuple(replace(each, claimed=MAIN) for each in session.unheard)
    unsure = dict.fromkeys(session.told, False)
    return replace(session, owed=again + session.owed, unheard=(), told=unsure, asked_to_watch=None)


def _reply(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    """What it said is its own until it is seen; what it claims stays owed until that is confirmed or seen."""
    session, claimed = _handed(heard(session, body), body), set(body["claimed"])
    said = tuple(replace(each, at=entry.seq) for each in session.owed if each.id in body["said"])
    owed = tuple(
        replace(each, claimed=AGAIN if each.claimed else body["by"], at=entry.seq) if each.id in claimed else each
        for each in session.owed
        if each.id not in body["said"]
    )
    if body["by"] == MAIN and (said or claimed):
        session = replace(session, unheard=said, last_reply=entry.seq)
    asked = Instant(*body["asked_to_watch"]) if body.get("asked_to_watch") else session.asked_to_watch
    unanswered = None if body["answers"] == session.unanswered else session.unanswered
    shown, told = {**session.shown, **body["asked"]}, {**session.told, **_told(body)}
    return replace(session, owed=owed, unanswered=unanswered, shown=shown, told=told, asked_to_watch=asked)


def _told(body: Mapping[str, Any]) -> dict[str, bool]:
    """The texts of a reply, for telling whether a later one says them again."""
    return {told_text(said["text"]): True for said in body["reply"]["say"]}


def told_text(text: str) -> str:
    """What a text is remembered by while only `check` and `retry` follow."""
    return sha256(text.encode())[:_DIGITS_TOLD]


def _confirm(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    return replace(session, owed=tuple(each for each in session.owed if each.id not in body["said"]))


def _refusal(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    session = _counted(_handed(heard(session, body), body), entry)
    return replace(session, denials=session.denials + bool(body.get("denied")))


def _counted(session: Session, entry: Entry) -> Session:
    """Counted by the hour, since the number of such entries that are recorded has a bound."""
    hour, count = session.refused or ("", 0)
    return replace(session, refused=(entry.time[:13], count + 1 if hour == entry.time[:13] else 1))


def _unanswered(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    return _refusal(session, body, entry)


def _unproven(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    return session


def _watching(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    return replace(session, watcher="seen")


def _unwatched(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    return _move(replace(session, watcher="absent"), body, entry)


def _clock(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    session = _timed(session, body)
    if not body.get("since"):
        return session
    since = Instant(*body["since"])
    return replace(session, since=since, asked_to_watch=since if session.asked_to_watch else None)


def _language(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    """The questions that are open are put in the new language; what was answered before stays answered.

    A change without an event counts with the refusals of its hour: it has a bound as they have.
    """
    session = replace(_unput(session, body["asks"]), language=body["language"])
    return _move(_counted(session, entry) if body.get("alone") else session, body, entry)


def _bundle(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    void = {tuple(each) for each in body.get("void", ())}
    evidence = tuple(each for each in session.evidence if (each.gate, each.item) not in void)
    return _move(replace(session, bundle=body["bundle"], evidence=evidence), body, entry)


def _upgrade(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    """Names that were mapped by a person; an empty new name of a datum drops it."""
    names = body["data"]
    kept = {names.get(name, name): value for name, value in session.data.items() if names.get(name, name)}
    after = replace(_bundle(session, body, entry), data=kept)
    if body.get("undecided"):
        return after
    return replace(after, trouble=body["trouble"], undecided=session.undecided if body["trouble"] else None)


def _adopted(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    """The store was adopted: answers of before count no more, and what was ``asks`` is asked again."""
    asked = body["asks"]
    session = replace(
        session,
        evidence=(),
        partial=(),
        shown={gate: text for gate, text in session.shown.items() if gate not in asked},
        opened={**session.opened, **dict.fromkeys(asked, entry.seq)},
        doubt=body.get("doubt") or session.doubt,
        paid=session.paid or bool(body.get("doubt")),
    )
    return _move(session, body, entry)


def _forgotten(session: Session, body: Mapping[str, Any], entry: Entry) -> Session:
    return replace(session, forgotten=body["status"])


_FOLD: Mapping[str, Callable[[Session, Mapping[str, Any], Entry], Session]] = {
    "started": _started,
    "event": _event,
    "partial": _partial,
    "move": _move,
    "due": _due,
    "intent": _intent,
    "wish": _wish,
    "overtaken": _overtaken,
    "result": _result,
    "failure": _failure,
    "odd": _odd,
    "doubt": _doubt,
    "reply": _reply,
    "confirm": _confirm,
    "unsaid": _unsaid,
    "refusal": _refusal,
    "unanswered": _unanswered,
    "unproven": _unproven,
    "watching": _watching,
    "unwatched": _unwatched,
    "clock": _clock,
    "language": _language,
    "bundle": _bundle,
    "upgrade": _upgrade,
    "adopted": _adopted,
    "forgotten": _forgotten,
}

KINDS = tuple(_FOLD)
"""Every kind of entry."""
