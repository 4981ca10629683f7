"""A journal as a story: for each entry what happened, why it was allowed or refused, and on whose word."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from workflow.machine.foreign import TRANSLATED, inline, limited, name
from workflow.model.frozen import Noun
from workflow.model.journal import Entry
from workflow.model.signature import fingerprint

LONGEST = 400
"""Characters of one text, what is foreign in it limited before; the JSON lines have all of it."""

Note = tuple[str, str]
Body = Mapping[str, Any]


class Line(Noun):
    """One entry in words; ``notes`` are pairs of a label and a text."""

    seq: int
    time: str
    kind: str
    what: str
    notes: tuple[Note, ...] = ()


def tell(entry: Entry) -> Line:
    """The entry in words; one that does not have the form of its kind is told as such, not believed."""
    try:
        told: Callable[[Body], tuple[str, tuple[Note, ...]]] = _erased if entry.body is None else _TOLD[entry.kind]
        what, notes = told(entry.body or {})
        notes = (*notes, *_undecided(entry.body or {}))
    except (KeyError, TypeError, AttributeError, ValueError):
        what, notes = f"no entry of the form of '{entry.kind}'; run `workflow audit verify {entry.session}`", ()
    return Line(entry.seq, entry.time, entry.kind, _short(what), tuple((label, _short(text)) for label, text in notes))


def _undecided(body: Body) -> Iterator[Note]:
    """A choice that no guard could make."""
    if body.get("undecided"):
        what = {"then": "where it goes", "look": "what the look means", "say": "which message to say"}
        yield "stopped", f"{what[body['undecided']['choice']]} cannot be told: {body['undecided']['because']}"
    if body.get("unsaid"):
        yield "unsaid", f"it ended without its message: {body['unsaid']}"


def _erased(body: Body) -> tuple[str, tuple[Note, ...]]:
    return "its content was erased", ()


def _started(body: Body) -> tuple[str, tuple[Note, ...]]:
    where = "against a sandbox" if body["sandbox"] else "against the service"
    what = f"a session of {body['workflow']} began in {body['state']}, {where}"
    notes = (("bundle", body["bundle"][:12]), ("language", name(body["language"])), ("host", name(body["host"])))
    if not body.get("parent"):
        return what, notes
    parent = body["parent"]
    return f"{what}, forked from {parent['session']} at entry {parent['seq']}", (
        *notes,
        ("head there", parent["head"][:24]),
        *_answers(body["evidence"]),
    )


def _event(body: Body) -> tuple[str, tuple[Note, ...]]:
    here = f"in {body['from']}" if body["event"] == "start" else f"it stays in {body['from']}"
    where = f"{body['from']} → {body['to']}" if body["to"] else here
    what = f"'{name(body['event'])}' was accepted: {where} (revision {body['revision']})"
    notes = [*_given(body["given"], quote=not body["evidence"]), *_because(body["verdicts"])]
    if body.get("wish"):
        notes.append(("wish", f"as it was kept in entry {body['wish']}"))
    return what, (*notes, *_answers(body["evidence"]), *_noes(body), *_roles(body))


def _partial(body: Body) -> tuple[str, tuple[Note, ...]]:
    given, least = body["count"]
    what = f"'{name(body['event'])}' has {given} of {least} answers; nothing moves before that"
    return what, (*_because(body["verdicts"]), *_answers(body["evidence"]), *_roles(body))


def _noes(body: Body) -> Iterator[Note]:
    """A person's no, which is an answer as well."""
    yield from (("declined", _evidence(each)) for each in body.get("declined", ()))


def _roles(body: Body) -> Iterator[Note]:
    """What the people of a role were told, and who held it then."""
    yield from (("told", inline(each["text"])) for each in body.get("told", ()))
    for role, people in body.get("people", {}).items():
        yield "holds", f"{name(role)}: {', '.join(map(name, people)) or 'nobody'}"


def _wish(body: Body) -> tuple[str, tuple[Note, ...]]:
    given = body["given"]["input"]
    if body.get("drops"):
        return f"the person dropped a wish for '{name(given['for'])}'", (("words", inline(given["words"])),)
    return f"a wish waits for '{name(body['for'])}'", (("words", inline(body["words"])),)


def _overtaken(body: Body) -> tuple[str, tuple[Note, ...]]:
    what = f"the wish of entry {body['drops']} was dropped: '{name(body['for'])}' cannot come any more"
    return what, ()


def _move(body: Body) -> tuple[str, tuple[Note, ...]]:
    why = {
        "late": "its time was over",
        "no news": "a look found nothing new",
        "look": "a look found news",
        "answered": "the answer to a call that was in doubt arrived",
    }
    told = None if body.get("undecided") else why.get(body["why"])
    if not body["to"]:
        return told or "nothing moved", ()
    what = f"{body['from']} → {body['to']}"
    return what, (*((("because", told),) if told else ()), *_because(body["verdicts"]))


def _due(body: Body) -> tuple[str, tuple[Note, ...]]:
    if body["timer"] == "remind":
        return f"reminder {body['number']}: nobody had answered", ()
    why = "the deadline of the session had passed" if body["timer"] == "deadline" else "nobody had answered in time"
    return f"{body['from']} → {body['to']}", (("because", why),)


def _intent(body: Body) -> tuple[str, tuple[Note, ...]]:
    return f"about to call '{body['action']}', which is done at most once", tuple(_spending(body))


def _spending(body: Body) -> Iterator[Note]:
    """The answers that a performance has spent, and those that count for more of them."""
    spends, uses = ", ".join(body.get("spends", ())), ", ".join(body.get("uses", ()))
    if spends:
        yield "spends", f"the answer to {spends}"
    if uses:
        yield "uses", f"the answer to {uses}, which counts for more calls"


def _result(body: Body) -> tuple[str, tuple[Note, ...]]:
    item = f" for the file {body['item'][:12]}" if body.get("item") else ""
    gave = ", ".join(body["set"])
    return f"'{body['action']}' succeeded{item}", (*((("gave", gave),) if gave else ()), *_spending(body))


def _failure(body: Body) -> tuple[str, tuple[Note, ...]]:
    where = f" → {body['to']}" if body.get("to") else "; it can be repeated with 'retry'"
    notes = [("because", inline(body["message"]))]
    if body.get("request"):
        notes.append(("request", name(body["request"])))
    return f"'{body['action']}' failed ({body['kind']}){where}", tuple(notes)


def _odd(body: Body) -> tuple[str, tuple[Note, ...]]:
    what, notes = _failure({**body, "to": None})
    return f"'{body['action']}' got an odd answer ({body['kind']}); the wait goes on", notes


def _doubt(body: Body) -> tuple[str, tuple[Note, ...]]:
    what = f"whether '{body['action']}' happened is not known → {body['to']}"
    return what, (("because", inline(body["reason"])),)


def _reply(body: Body) -> tuple[str, tuple[Note, ...]]:
    said = [f"{each['message']} ({each['language']})" for each in body["messages"]]
    by = "the watcher has to say" if body["by"] == "watcher" else "to be said"
    what = f"{by}: {', '.join(said)}" if said else "answered, with nothing to be said"
    notes = [("phase", body["reply"]["phase"])] if body["reply"].get("phase") else []
    if body["asked"]:
        notes.append(("asks", ", ".join(gate for gate, shown in body["asked"].items() if shown)))
    for each in body["messages"]:
        if each["withheld"]:
            notes.append(("withheld", f"{each['message']}: it held {', '.join(each['withheld'])}"))
    if body["claimed"]:
        notes.append(("claimed", "to be confirmed once it was said"))
    return what, tuple(notes)


def _confirm(body: Body) -> tuple[str, tuple[Note, ...]]:
    return "what was claimed was said", ()


def _unsaid(body: Body) -> tuple[str, tuple[Note, ...]]:
    return "the last reply may not have arrived: what it said is offered again", (("because", body["why"]),)


def _refusal(body: Body) -> tuple[str, tuple[Note, ...]]:
    kind = "" if body["type"] == "refused" else f" ({body['type']})"
    notes = [("because", reason) for reason in body["reasons"]]
    return f"'{name(str(body['given']['event']))}' was refused{kind}", (*notes, *_given(body["given"], quote=True))


def _unanswered(body: Body) -> tuple[str, tuple[Note, ...]]:
    how = f"{body['channel']}, {inline(body['client'])}" if body["client"] else body["channel"]
    return f"'{name(body['event'])}' was not answered for: {body['why']}", (("gate", body["gate"]), ("asked", how))


def _unproven(body: Body) -> tuple[str, tuple[Note, ...]]:
    times = f", {body['wrong']} times in a row" if body["wrong"] > 1 else ""
    what = f"a wrong passphrase was given for '{name(body['approver'])}'{times}; no answer was taken"
    return what, (("event", body["event"]), ("gate", body["gate"]), ("asked", body["channel"]))


def _watching(body: Body) -> tuple[str, tuple[Note, ...]]:
    return "somebody watches the service", ()


def _unwatched(body: Body) -> tuple[str, tuple[Note, ...]]:
    return "nobody came to watch the service", ()


def _clock(body: Body) -> tuple[str, tuple[Note, ...]]:
    return "the clock had been set back over a restart of the machine; the wait begins again", ()


def _language(body: Body) -> tuple[str, tuple[Note, ...]]:
    return f"the language is {name(body['language'])} from here", ()


def _bundle(body: Body) -> tuple[str, tuple[Note, ...]]:
    return f"the bundle had changed ({body['from'][:12]} → {body['bundle'][:12]}); the session follows it", tuple(
        _void(body)
    )


def _void(body: Body) -> Iterator[Note]:
    """The answers that are of another rule now, or to something else."""
    yield from (("void", f"the answer to {gate}") for gate, _ in body.get("void", ()))


def _upgrade(body: Body) -> tuple[str, tuple[Note, ...]]:
    what = f"a person took the session over into the changed bundle ({body['from'][:12]} → {body['bundle'][:12]})"
    names = [("state", f"{body['was']} → {body['to']}")] if body.get("to") else []
    names += [("data", f"{old} → {new or 'dropped'}") for old, new in body["data"].items()]
    return what, (*names, *_void(body))


def _adopted(body: Body) -> tuple[str, tuple[Note, ...]]:
    what = "the store was adopted: answers of before are void"
    if body["outcome"]:
        settled = {"happened": "happened, as a person said", "did_not_happen": "did not happen, as a person said"}
        calls = ", ".join(f"'{each['action']}' ({each['time']})" for each in body["calls"])
        what = f"{what}; {calls} {settled[body['outcome']]}"
    where = f" → {body['to']}" if body.get("to") else ""
    return f"{what}{where}", (("because", inline(body["reason"])),)


def _forgotten(body: Body) -> tuple[str, tuple[Note, ...]]:
    what = f"what the {body['entries']} entries before held was erased; the session counts as {body['status']}"
    return what, ((("before that", body["fault"]),) if body["fault"] else ())


_TOLD: Mapping[str, Callable[[Body], tuple[str, tuple[Note, ...]]]] = {
    "started": _started,
    "event": _event,
    "partial": _partial,
    "wish": _wish,
    "overtaken": _overtaken,
    "move": _move,
    "due": _due,
    "intent": _intent,
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


def _given(given: Body, *, quote: bool) -> Iterator[Note]:
    """What came with an event; the person's words stand with the evidence where they became some."""
    if "sha256" in given:
        yield (
            "sent",
            f"{given['bytes']} bytes, SHA-256 {given['sha256'][:12]}…, beginning with {inline(given['prefix'])}",
        )
        return
    for datum, value in given["input"].items():
        yield name(datum), ", ".join(map(_file, value)) if isinstance(value, list) else inline(str(value))
    if quote and given["quote"]:
        yield "quote", inline(given["quote"])
    if quote and given.get("translation"):
        yield "translation", _translation(given["translation"])


def _file(item: Any) -> str:
    return inline(str(item["path"] if isinstance(item, Mapping) and "path" in item else item))


def _because(verdicts: Body) -> Iterator[Note]:
    """The guards that were asked: which held, and why the others did not."""
    for guard, verdict in verdicts.items():
        yield ("because", f"{guard} holds") if verdict is True else ("not", f"{guard}: {verdict or 'does not hold'}")


def _answers(evidence: list[Body]) -> Iterator[Note]:
    """Each answer, then what the agent says that the person read: once for all files that it was about."""
    yield from (("evidence", _evidence(each)) for each in evidence)
    read = dict.fromkeys(each["translation"] for each in evidence if each.get("translation"))
    yield from (("translation", _translation(text)) for text in read)


def _translation(text: str) -> str:
    return f"{TRANSLATED}: {inline(text)}"


def _evidence(evidence: Body) -> str:
    item = f", for the file {evidence['item'][:12]}" if evidence["item"] else ""
    how = f"{evidence['strength']}, {evidence['channel']}"
    if evidence.get("client"):
        how += f", {inline(evidence['client'])}"
    if evidence.get("approver"):
        how += f", {name(evidence['approver'])}"
    if evidence.get("role"):
        how += f" as {name(evidence['role'])}"
    if evidence.get("signature"):
        how += f", passkey {fingerprint(evidence['signature']['key'])}"
    if evidence.get("service"):
        how += f", for {evidence['service']}"
    return f"{evidence['gate']} ({how}): {inline(evidence['quote'])}{item}"


def _short(text: str) -> str:
    """On one line, and not too long."""
    return limited(" ".join(text.split()), LONGEST)
