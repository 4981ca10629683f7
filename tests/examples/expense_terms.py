"""What of the prose the expense bundle declares, so that lint proves it: read from the definition, amount by amount."""

from __future__ import annotations

from collections.abc import Iterator

from workflow.machine.definition import Definition

APPROVALS = {"pay_tiny": 0, "pay_small": 1, "pay_large": 2}
"""Payment → how many people approve it, besides the employee who hands the report in."""
SHOWN = {"listing", "total", "report_id"}
DAY, MINUTE = 86_400.0, 60.0
INVALID, NO_KEY = {400: "invalid", 422: "invalid"}, {401: "credentials", 403: "credentials"}
BOOKS = {**INVALID, **NO_KEY}
BANK = {402: "declined", **BOOKS}
CALLS: dict[str, tuple[dict[str, str], dict[int, str]]] = {
    "store": ({"lines": "{lines}", "replaces": "{report_id}"}, BOOKS),
    "record_rejection": ({"reason": "{rejection}"}, BOOKS),
    "record_approval": ({"by": "manager"}, BOOKS),
    "record_stand_in": ({"by": "director in the manager's place"}, BOOKS),
    **{name: ({"report": "{report_id}", "amount": "{total}"}, BANK) for name in APPROVALS},
    "find_payment": ({}, {404: "missing", **NO_KEY}),
}
"""Call → what it sends, and which answers of books and bank are a certain no."""
CHANGED_IN = ("report.correcting", "report.showing", "review.managing", "review.escalated", "review.directing")
"""Where the employee can still change a line: until it is paid."""
RECORDS = {"record_approval", "record_stand_in"}


def unkept(definition: Definition) -> Iterator[str]:
    """Each term of the procedure that the bundle does not declare."""
    for action, count in APPROVALS.items():
        ways = definition.alternatives(action)
        if len(ways) != max(count and 2, 1):
            yield f"{action}: the manager, or a director in their place"
        for way in ways:
            yield from (f"{action}: {told}" for told in _people(definition, way, count))
        if set(definition.never_after.get(action, ())) != set(APPROVALS):
            yield f"{action}: a report is paid once"
    yield from _present(definition)
    if [(limit.per, limit.most, set(limit.of)) for limit in definition.limits.values()] != [(DAY, 40, set(APPROVALS))]:
        yield "40 reports are paid a day, by whichever payment"
    for name in ("submitted", "manager_ok", "stand_in_ok", "director_ok"):
        if not set(definition.gates[name].subject) >= SHOWN:
            yield f"{name}: bound to the listing, its total and its number"
    if "approved" not in definition.gates["director_ok"].subject:
        yield "director_ok: bound to who approved before, and when"
    yield from _calls(definition)
    yield from _employee(definition)
    for role, words in definition.roles.items():
        if set(words) != set(definition.languages):
            yield f"{role}: named in the languages of the employee"


def _people(definition: Definition, way: tuple[str, ...], count: int) -> Iterator[str]:
    """An employee and ``count`` approvers; of any two of them one gate keeps out who answered the other."""
    known = [definition.gates[name] for name in way]
    if "submitted" not in way or len(way) != count + 1:
        yield f"the employee and {count} approvers, not {way}"
    if any(gate.by not in ("manager", "director") for gate in known if gate.name != "submitted"):
        yield "a manager or a director"
    for one in known:
        for other in known:
            if one is not other and one.name not in other.other_than and other.name not in one.other_than:
                yield f"{one.name} and {other.name} are of different people"


def _present(definition: Definition) -> Iterator[str]:
    """An approval of before a change, or of another way, is none."""
    after = definition.only_after
    if [(each.name, each.since) for each in after.get("pay_tiny", ())] != [("report.showing", ("review.managing",))]:
        yield "pay_tiny: never once the manager was asked"
    for action, voids in (("pay_small", {"store", "review.directing"}), ("pay_large", {"store"})):
        if {each.name for each in after.get(action, ())} != RECORDS:
            yield f"{action}: after an approval on record"
        if any(set(each.since) != voids for each in after.get(action, ())):
            yield f"{action}: of the present listing"


def _calls(definition: Definition) -> Iterator[str]:
    """What is sent, which noes are certain, and one call to the bank, which may answer late."""
    for name, (sent, noes) in CALLS.items():
        action = definition.actions[name]
        if (action.body or {}) != sent:
            yield f"{name}: sends {sent}"
        if {status: kind for kind, signs in action.fails.items() for status in signs} != noes:
            yield f"{name}: {noes}, and nothing else, is a certain no"
        if name in APPROVALS and (action.timeout, action.idempotency) != (MINUTE, "Idempotency-Key"):
            yield f"{name}: has a name that the bank knows it by, and a minute"
    if any("approved" not in definition.actions[name].sets for name in RECORDS):
        yield "the director sees who approved, and when"
    if "payment_id" not in definition.actions["find_payment"].sets:
        yield "a payment is found by its number"
    if (definition.service.key_env, definition.trouble.pick({"no_key": True})) != ("BOOKS_KEY", "check_key"):
        yield "the key of the books, and what is said where it is missing"


def _employee(definition: Definition) -> Iterator[str]:
    """Names the lines, changes them until the report is paid, and needs no director up to 1,000."""
    if any(definition.events[name].input != ("lines",) for name in ("start", "change")):
        yield "a report is its lines"
    if any(definition.states[name].on.get("change") != "report.storing" for name in CHANGED_IN):
        yield "a line can be changed"
    for name in ("review.approved", "review.stood_in"):
        way = definition.states[name].then
        if way is None or way.pick({"small": True}) != "pay.small":
            yield f"{name}: up to 1,000 that is enough"
