"""What of the prose the expense bundle declares, so that lint proves it: read from the definition, amount by amount."""

from __future__ import annotations

from collections.abc import Iterator

from workflow.machine.definition import Definition

APPROVALS = {"pay_tiny": 0, "pay_small": 1, "pay_large": 2}
"""Payment → how many people approve it, besides the employee who hands the report in."""
SHOWN = {"listing", "total", "report_id"}
DAY = 86_400.0
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
