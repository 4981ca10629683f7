"""Roles: whose answer a gate takes, how many people must give it, and what a no does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.roles import YAML, Signing, write
from workflow.author.skill import write_skill
from workflow.bundle import open_bundle
from workflow.engine import Engine
from workflow.history import audit
from workflow.history.proof import prove
from workflow.history.replay import replay
from workflow.history.upgrade import upgrade
from workflow.model.errors import BundleChanged, CredentialsError
from workflow.model.frozen import replace
from workflow.model.reply import Reply


@pytest.fixture
def signing(tmp_path: Path) -> Iterator[Signing]:
    """The bundle at work."""
    with Signing(tmp_path) as running:
        yield running


def told(reply: Reply) -> str:
    """Why a turn was refused."""
    assert reply.error is not None, "it was accepted"
    return reply.error.message


def same_again(signing: Signing) -> None:
    """The log proves itself, and would be decided alike once more, whoever holds which role by now."""
    signing.people = {}
    engine, name = signing.play.engine, signing.play.name
    assert not audit.fault(engine, name)
    assert prove(engine, name).holds
    assert replay(engine, name).differences == ()


def test_only_who_holds_the_role_can_answer(signing: Signing) -> None:
    """An agent, a person without the role, and nobody in particular are told whose answer is awaited, and no name."""
    signing.submitted()
    relayed = signing.play.send("approve", quote="yes, go ahead")
    assert told(relayed).endswith("the gate 'manager_ok' takes the answer of the employee's manager, by themselves")
    assert relayed.error and "Do not" not in relayed.error.hint and "workflow-admin" not in relayed.error.hint
    for person in ("ada", "erin", "nobody"):
        refused = signing.answer(person, "approve")
        assert f"'{person}' does not hold the role 'manager'" in told(refused)
        assert not any(other in json.dumps(refused.as_json()) for other in ("max", "mona"))
    assert signing.paid == 0
    assert signing.answer("mona", "approve").state == "over.done" and signing.paid == 1
    (given,) = [each for entry in signing.play.journal("event") for each in (entry.body or {})["evidence"]][1:]
    assert (given["approver"], given["role"], given["strength"], len(given["roles"])) == (
        "mona",
        "manager",
        "proven",
        64,
    )
    same_again(signing)


def test_whoever_answered_the_other_gate_cannot_answer_this_one(signing: Signing) -> None:
    """Max holds both roles: what he has submitted somebody else approves."""
    signing.submitted(by="max")
    assert "who did not answer 'submitted', and 'max' did" in told(signing.answer("max", "approve"))
    assert signing.answer("mona", "approve").state == "over.done"
    same_again(signing)


def test_two_people_are_needed_and_one_twice_is_one(signing: Signing) -> None:
    """A partial answer moves nothing, and changes neither the revision nor the token of the reply."""
    signing.submitted(big=True)
    before = signing.play.engine.status(signing.play.name)
    for person in ("ada", "ada", "ada"):
        kept = signing.answer(person, "sign")
        assert kept.ok and kept.state == "a.boarding" and kept.revision == before.revision
        assert kept.notices == ("The answer is kept: 1 of 2. Nothing happens before that.",)
    now = signing.play.engine.status(signing.play.name)
    (option,) = [each for each in now.next if each.gate]
    assert option.gate and (option.gate.given, option.gate.least) == (1, 2)
    assert (now.revision, now.say) == (before.revision, before.say) and signing.paid == 0
    assert [entry.kind for entry in signing.play.journal()][-3:] == ["partial"] * 3
    assert "holds the role" not in json.dumps(now.as_json())
    signing.play.reply = before
    assert signing.play.send("change", {"report": "x", "amount": 1}).ok, "the token of before still counts"


def test_the_last_answer_carries_all_of_them(signing: Signing) -> None:
    """The entry that moves the session has the evidence of each person, and the call rests on both."""
    signing.submitted(big=True)
    signing.answer("ada", "sign")
    assert signing.answer("bob", "sign").state == "over.done" and signing.paid == 1
    last = signing.play.journal("event")[-1].body or {}
    assert [each["approver"] for each in last["evidence"]] == ["ada", "bob"]
    (claim,) = [each for each in prove(signing.play.engine, signing.play.name).claims if "pay" in each.text]
    assert [answer.how[2:4] for answer in claim.by] == [("ada", "as board"), ("bob", "as board")]
    assert {(answer.role, answer.text) for answer in claim.by} == {
        ("board", "The report Trip to Bonn over 420, which is large: do you sign it?")
    }
    same_again(signing)


def test_one_no_ends_it_and_its_reason_reaches_the_user(signing: Signing) -> None:
    """After a yes of one, the no of another sends the declining event; nothing of the yes is left."""
    signing.submitted(big=True)
    signing.answer("ada", "sign")
    declined = signing.decline("bob", "board_ok", "The hotel is missing")
    assert declined.state == "a.rejected" and declined.say[0].text == "It was rejected: The hotel is missing"
    signing.play.send("change", {"report": "Trip to Bonn", "amount": 421})
    signing.answer("erin", "submit")
    assert signing.answer("bob", "sign").state == "a.boarding", "the yes of before counts no more"
    same_again(signing)


def test_a_question_that_is_asked_again_has_no_answers(signing: Signing) -> None:
    """The same report is handed in once more: what Ada signed was the question of before."""
    signing.submitted(big=True)
    signing.answer("ada", "sign")
    signing.play.send("change", {"report": "Trip to Bonn", "amount": 420})
    signing.answer("erin", "submit")
    assert signing.answer("bob", "sign").state == "a.boarding"
    assert signing.answer("ada", "sign").state == "over.done"
    same_again(signing)


@pytest.mark.parametrize("person", ["erin", "nobody", ""])
def test_a_no_is_an_answer_of_the_role_as_well(signing: Signing, person: str) -> None:
    """Neither an agent nor somebody without the role can reject in the manager's name."""
    signing.submitted()
    if person:
        assert f"'{person}' does not hold the role 'manager'" in told(signing.decline(person, "manager_ok"))
    else:
        sent = signing.play.send("reject", {"reason": "so"})
        assert told(sent) == "'reject' is an answer of the employee's manager, by themselves"
    assert [option.event for option in signing.play.engine.status(signing.play.name).next] == [
        "approve",
        "change",
        "cancel",
    ]
    assert signing.decline("mona", "manager_ok").state == "a.rejected"
    same_again(signing)


def test_each_is_told_what_is_for_them(signing: Signing) -> None:
    """The agent gets the user's text alone, the manager theirs, and the log has what each was told."""
    reply = signing.submitted().play.reply
    assert [said.text for said in reply.say] == ["The report Trip to Bonn over 420 waits for a signature."]
    asked = signing.question()
    (option,) = asked.options
    theirs = "The report Trip to Bonn over 420 of your employee: do you approve it?"
    assert [said.text for said in asked.says(option)] == [theirs]
    assert theirs not in json.dumps(signing.play.engine.status(signing.play.name).as_json())
    signing.answer("mona", "approve")
    assert theirs in str((signing.play.journal("event")[-1].body or {})["told"])
    replies = signing.play.journal("reply")
    assert not any(theirs in str(entry.body) for entry in replies)
    assert not any("manager_ok" in (entry.body or {})["asked"] for entry in replies)


def test_who_is_awaited_is_told_in_the_language_of_the_session(tmp_path: Path) -> None:
    """By the words of the role, since when, and not that anybody could be asked to type something."""
    with Signing(tmp_path) as signing:
        signing.submitted()
        reply = signing.play.send(None, language="de")
        (option,) = [each for each in reply.next if each.gate]
        assert option.gate and option.gate.by == "die Vorgesetzte" and option.gate.since
        assert option.who == "person" and "workflow-admin" not in option.how
        assert option.how.startswith("Not for you or the user: die Vorgesetzte answers by themselves.")


def test_an_answer_is_bound_to_the_text_that_was_handed_over(signing: Signing) -> None:
    """What was shown before the report or the language changed is not what is asked now."""
    signing.submitted()
    shown = signing.question()
    signing.play.send(None, language="de")
    assert "has changed since the person answered" in told(signing.answer("mona", "approve", shown))
    shown = signing.question()
    signing.play.send("change", {"report": "Trip to Bonn", "amount": 90_000})
    signing.answer("erin", "submit")
    assert "has changed since the person answered" in told(signing.answer("mona", "approve", shown))
    assert signing.paid == 0


Swap = Callable[[Signing], None]


def _lose(*people: str, role: str = "board") -> Swap:
    def lose(signing: Signing) -> None:
        held = tuple(each for each in signing.people[role] if each not in people)
        signing.people = {**signing.people, role: held}

    return lose


LEAVING: dict[str, tuple[Swap, bool]] = {
    "nobody": (lambda signing: None, True),
    "somebody else": (_lose("cleo"), True),
    "one of them": (_lose("ada"), False),
    "the other": (_lose("bob"), False),
    "both": (_lose("ada", "bob"), False),
    "the whole role": (_lose("ada", "bob", "cleo", "erin"), False),
    "another role of theirs": (_lose("max", role="manager"), True),
}
"""What happens to the table between the answers and the call, and whether the call leaves."""


@pytest.mark.parametrize("case", LEAVING)
def test_the_role_is_held_still_when_the_call_leaves(signing: Signing, case: str) -> None:
    """It is looked at once more: after the answer was taken, before anything leaves."""
    change, leaves = LEAVING[case]
    signing.submitted(big=True)
    signing.answer("ada", "sign")
    asked, tables = signing.question(), [dict(signing.people)]

    def people() -> dict[str, tuple[str, ...]]:
        """The first look decides the turn; whoever looks after it finds another table."""
        return tables.pop() if tables else signing.people

    change(signing)
    signing.play.engine = Engine(replace(signing.play.engine.world, people=people))
    reply = signing.answer("bob", "sign", asked)
    assert (signing.paid == 1) is leaves and (reply.state == "over.done") is leaves
    if not leaves:
        failed = signing.play.journal("failure")[-1].body or {}
        assert failed["kind"] == "void" and "does not hold the role 'board'" in failed["message"]
        assert reply.state == "a.boarding" and reply.say[0].id == "void"
    assert replay(signing.play.engine, signing.play.name).differences == ()


@pytest.mark.parametrize("partial", [False, True])
def test_where_nobody_can_tell_who_holds_a_role_nothing_is_answered(signing: Signing, partial: bool) -> None:
    """A table that cannot be read stops the answer, and the call; what only looks says so."""
    signing.submitted(big=partial)
    asked = signing.question()

    def unreadable() -> dict[str, tuple[str, ...]]:
        raise CredentialsError("approvers.json is not as it was written.", "credentials")

    signing.play.engine = Engine(replace(signing.play.engine.world, people=unreadable))
    with pytest.raises(CredentialsError):
        signing.answer("mona", "sign" if partial else "approve", asked)
    status = signing.play.engine.status(signing.play.name)
    assert "Whose answers count cannot be told: approvers.json is not as it was written." in status.notices
    assert signing.paid == 0 and [entry.kind for entry in signing.play.journal()][-1] == "reply"


def before_roles(yaml: str) -> str:
    """The bundle as it was when anybody approved, and the user said when to pay."""
    yaml = yaml.replace("  manager: {en: the employee's manager, de: die Vorgesetzte}\n", "")
    yaml = yaml.replace("by: manager, other_than: [submitted], decline: reject", "strength: relayed")
    yaml = yaml.replace("say: {user: waiting, manager: for_manager}", "say: for_manager")
    return yaml.replace("approve: a.confirming, reject: a.rejected,", "approve: a.confirming,")


def with_a_last_word(yaml: str) -> str:
    """The bundle in which something waits between the approval and the payment."""
    confirming = "    confirming: {say: listing, on: {go: a.paying}}\n    boarding:\n"
    yaml = yaml.replace("    boarding:\n", confirming).replace("  cancel: {}\n", "  cancel: {}\n  go: {}\n")
    return yaml.replace("approve: a.paying,", "approve: a.confirming,")


def test_a_role_that_an_upgrade_adds_voids_what_was_answered_without_it(tmp_path: Path) -> None:
    """Anybody approved, and then the bundle asks the manager: a person accepts that, is told, and nothing is paid."""
    with Signing(tmp_path, before_roles(with_a_last_word(YAML))) as signing:
        signing.submitted()
        assert signing.play.send("approve", quote="yes, go ahead").state == "a.confirming"
        write(signing.folder, with_a_last_word(YAML))
        with pytest.raises(BundleChanged, match="the employee's manager, by themselves"):
            signing.play.engine.status(signing.play.name)
        taken = upgrade(signing.play.engine, signing.play.name, {})
        void = "The answer to 'manager_ok' is void: what it was given to is not what is asked now."
        assert void in taken.notices
        assert signing.play.send("go", revision=taken.revision, seen=taken.seen).state == "a.managing"
        assert signing.paid == 0
        signing.answer("mona", "approve")
        assert signing.play.send("go").state == "over.done" and signing.paid == 1


def test_an_upgrade_voids_the_answers_that_wait_for_more(tmp_path: Path) -> None:
    """One of two has signed, and the bundle asks for three: the session follows, and says that the one is void."""
    with Signing(tmp_path) as signing:
        signing.submitted(big=True)
        signing.answer("ada", "sign")
        write(signing.folder, YAML.replace("least: 2", "least: 3"))
        status = signing.play.engine.status(signing.play.name)
        assert "The answer to 'board_ok' is void: what it was given to is not what is asked now." in status.notices
        for person, state in (("bob", "a.boarding"), ("cleo", "a.boarding"), ("ada", "over.done")):
            assert signing.answer(person, "sign").state == state


def test_a_partial_answer_ends_with_its_term(signing: Signing) -> None:
    """Ada's yes is eight days old when Bob gives his: they are not together."""
    signing.submitted(big=True)
    signing.answer("ada", "sign")
    signing.clock.pass_(8 * 86_400)
    assert signing.answer("bob", "sign").state == "a.boarding"
    assert signing.answer("ada", "sign").state == "over.done"
    same_again(signing)


def test_a_skill_leaves_the_answers_of_roles_to_them(signing: Signing) -> None:
    """Neither their yes nor their no is for the agent, and it is told to wait."""
    bundle = open_bundle(signing.folder)
    text = write_skill(bundle.definition, bundle.digest, "claude")
    for event, role in (("approve", "the employee's manager"), ("sign", "a member of the board")):
        (row,) = [line for line in text.splitlines() if line.startswith(f"| `{event}` |")]
        assert f"{role}, by themselves: never you" in row
    (row,) = [line for line in text.splitlines() if line.startswith("| `reject` |")]
    assert "by themselves: never you" in row
    assert "Send\nnothing in their name" in text
