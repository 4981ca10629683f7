"""`signed`: an answer that the approver's own device signed, over exactly what was handed to them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.devices import PASSPHRASE, SINCE, SignedBy
from tests.passkeys import ORIGIN, UP, UV, Authenticator, flipped
from tests.tampering import written_anew
from workflow.cli.audit.export import write_export
from workflow.engine.question import to_sign
from workflow.history import audit, export
from workflow.history.proof import prove
from workflow.history.replay import replay
from workflow.local import approvers as module
from workflow.model.brakes import Pause
from workflow.model.errors import UsageError
from workflow.model.frozen import replace
from workflow.model.journal import Entry
from workflow.model.reply import Reply
from workflow.model.session import Turn
from workflow.model.signature import coded, plain
from workflow.web import passkey

SIGNED = {"submitted": "signed", "manager_ok": "signed", "board_ok": "signed", "told": "signed"}


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """scrypt as it is, at a cost that a test can pay."""
    monkeypatch.setattr(module, "COST", 2**4)


@pytest.fixture
def signing(tmp_path: Path) -> Iterator[SignedBy]:
    """A report that waits for a manager who signs."""
    with SignedBy(tmp_path, SIGNED) as running:
        for person in ("erin", "max", "mona", "ada", "bob"):
            running.paired(person)
        running.begin()
        assert running.sign("erin", "submit").state == "a.managing"
        yield running


def told(reply: Reply) -> str:
    """Why a turn was refused."""
    assert reply.error is not None, "it was accepted"
    return reply.error.message


def same_again(signing: SignedBy) -> None:
    """The log proves itself, and would be decided alike once more."""
    engine, name = signing.play.engine, signing.play.name
    assert not audit.fault(engine, name)
    assert [claim for claim in prove(engine, name).claims if not claim.holds] == []
    assert replay(engine, name).differences == ()


def refused(signing: SignedBy, turn: Turn, response: dict[str, Any]) -> str:
    """Why an answer is not taken, by the page or by the engine: nothing was paid, and the question is still open."""
    try:
        reply = signing.send(turn, response)
    except UsageError as error:
        why = error.message
    else:
        why = told(reply)
    assert (signing.paid, signing.play.engine.status(signing.play.name).state) == (0, "a.managing")
    return why


def test_a_signed_answer_pays_and_is_proved(signing: SignedBy) -> None:
    """Who signed, on which device, and over which text."""
    assert signing.sign("mona", "approve").state == "over.done" and signing.paid == 1
    found = prove(signing.play.engine, signing.play.name)
    (answer,) = next(claim for claim in found.claims if claim.on).by
    device = signing.approvers.find("mona").devices[0]
    assert (answer.strength, answer.person, answer.role) == ("signed", "mona", "manager")
    assert (answer.device, answer.fingerprint, answer.origin) == ("mona's phone", device.fingerprint, ORIGIN)
    assert answer.text and "of your employee: do you approve it?" in answer.text
    assert found.calls == {"signed": 1}
    assert any("the word of the server" in each for each in found.limits)
    assert any("as another user" in each for each in found.limits)
    same_again(signing)


def test_an_event_without_a_gate_has_nothing_to_sign(signing: SignedBy) -> None:
    """A signature with it is neither asked for nor looked at."""
    turn = replace(signing.turn("mona", "approve"), event="cancel", about=None)
    assert to_sign(signing.play.engine, signing.play.name, turn) is None


@pytest.mark.parametrize("made", [{"eddsa": True}, {"counts": True}, {"flags": UP | UV | 0x08 | 0x10}])
def test_devices_of_other_kinds_sign_as_well(signing: SignedBy, made: dict[str, Any]) -> None:
    """Another algorithm, a counter, and a passkey that is kept in several places."""
    signing.paired("mona", device=Authenticator(**made))
    assert signing.sign("mona", "approve").state == "over.done"
    same_again(signing)


def _swapped(signing: SignedBy) -> tuple[Turn, dict[str, Any]]:
    """What Max's device signed, in Mona's name."""
    turn = signing.turn("mona", "approve")
    return turn, signing.devices["max"].get(signing.options(turn))


def bent(**values: Any) -> Callable[[SignedBy], tuple[Turn, dict[str, Any]]]:
    """A device, or a page, that says something else and signs it."""

    def make(signing: SignedBy) -> tuple[Turn, dict[str, Any]]:
        turn = signing.turn("mona", "approve")
        return turn, signing.touched(turn, **values)

    return make


def changed(part: str, byte: int) -> Callable[[SignedBy], tuple[Turn, dict[str, Any]]]:
    """One bit of what was sent is another one."""

    def make(signing: SignedBy) -> tuple[Turn, dict[str, Any]]:
        turn = signing.turn("mona", "approve")
        response = signing.touched(turn)
        response["response"][part] = flipped(response["response"][part], byte)
        return turn, response

    return make


BENT = {
    "challenge": bent(challenge=coded(b"x" * 32)),
    "origin": bent(origin="https://approve.example.com"),
    "origin, another port": bent(origin=f"{ORIGIN}:8443"),
    "relying party": bent(rp="example.org"),
    "no touch": bent(flags=UV),
    "nobody verified": bent(flags=UP),
    "type": bent(type="webauthn.create"),
    "within another page": bent(said={"crossOrigin": True}),
    "signature": changed("signature", -1),
    "what was signed: the digest": changed("authenticatorData", 0),
    "what was signed: the counter": changed("authenticatorData", -1),
    "what was signed: the page's part": changed("clientDataJSON", 30),
    "another person's": _swapped,
}


@pytest.mark.parametrize("part", BENT)
def test_every_part_of_a_signature_counts(signing: SignedBy, part: str) -> None:
    """One that is not as it should be is no answer; the right one still is."""
    turn, response = BENT[part](signing)
    assert refused(signing, turn, response)
    assert signing.sign("mona", "approve").state == "over.done" and signing.paid == 1
    same_again(signing)


@pytest.mark.parametrize("other", ["session", "gate", "event", "question"])
def test_a_signature_counts_for_one_question(signing: SignedBy, tmp_path: Path, other: str) -> None:
    """What was signed for another session, gate, answer or text is not taken here, whoever swaps it in."""
    here = signing.play.name
    if other == "session":
        signing.begin()
        signing.sign("erin", "submit")
        turn, response = signing.turn("mona", "approve"), signing.touched(signing.turn("mona", "approve"))
        signing.play.name = here
        turn = signing.turn("mona", "approve")
    elif other == "gate":
        signing.approvers.give("mona", PASSPHRASE, "board")
        signing.begin(big=True)
        signing.sign("erin", "submit")
        response = signing.touched(signing.turn("mona", "sign"))
        signing.play.name = here
        turn = signing.turn("mona", "approve")
    elif other == "event":
        response = signing.touched(signing.turn("mona", "reject", declines="manager_ok"))
        turn = signing.turn("mona", "approve")
    else:
        response = signing.touched(signing.turn("mona", "approve"))
        signing.play.reply = signing.play.engine.status(here)
        signing.play.send("change", {"report": "Trip to Rome", "amount": 4200})
        signing.sign("erin", "submit")
        turn = signing.turn("mona", "approve")
    assert "another question" in refused(signing, turn, response)
    assert signing.sign("mona", "approve").state == "over.done" and signing.paid == 1
    same_again(signing)


def test_a_signature_counts_once(signing: SignedBy) -> None:
    """The question that is asked again is another one, even in the same words."""
    turn = signing.turn("mona", "approve")
    response = signing.touched(turn)
    signing.sandbox.fault("not-found")
    assert signing.send(turn, response).state == "a.unsure" and signing.paid == 1
    assert signing.sign("mona", "lost").state == "a.managing", "a doubt is settled by a signature as well"
    again = signing.turn("mona", "approve")
    assert "another question" in told(signing.send(again, response))
    assert signing.paid == 1
    same_again(signing)


def test_one_of_several_signs_once(signing: SignedBy) -> None:
    """A signature is taken for one of two answers, and not for one more of the same person."""
    signing.begin(big=True)
    signing.sign("erin", "submit")
    turn = signing.turn("ada", "sign")
    response = signing.touched(turn)
    assert signing.send(turn, response).error is None
    assert "another question" in told(signing.send(turn, response))
    assert signing.sign("ada", "sign").state == "a.boarding", "once more is not two"
    assert signing.sign("bob", "sign").state == "over.done" and signing.paid == 1
    same_again(signing)


def test_a_no_is_signed_as_well(signing: SignedBy) -> None:
    """The gate takes no weaker no, and one to something else is none."""
    no = signing.turn("mona", "reject", declines="manager_ok")
    assert "it needs 'signed'" in told(signing.take(no))
    yes = signing.touched(signing.turn("mona", "approve"))
    assert "another question" in told(signing.send(no, yes))
    assert signing.sign("mona", "reject", declines="manager_ok").state == "a.rejected"
    same_again(signing)


def test_an_unconfirmed_device_only_asks(signing: SignedBy) -> None:
    """Until its fingerprint is confirmed its touch is worth no more than a button, and it has to fit all the same."""
    made = signing.paired("mona", confirmed=False)
    only = [each.fingerprint for each in signing.approvers.find("mona").devices if each.confirmed]
    signing.approvers.revoke("mona", *only)
    assert passkey.strength(signing.approvers, ORIGIN, "mona") == "asked"
    turn = signing.turn("mona", "approve")
    response = signing.touched(turn)
    ready = passkey.answered(signing.approvers, ORIGIN, signing.play.engine, signing.play.name, turn, response)
    assert (ready.strength, ready.assertion) == ("asked", None)
    assert "only 'asked'; it needs 'signed'" in told(signing.take(ready))
    forged = replace(turn, strength="signed", assertion=passkey._assertion(response))
    assert "nobody has confirmed the fingerprint" in told(signing.take(forged))
    assert "did not check who touched it" in refused(signing, turn, signing.touched(turn, flags=UP))
    assert "another question" in refused(signing, turn, signing.touched(turn, challenge=coded(b"y" * 32)))
    assert signing.approvers.confirm("mona", PASSPHRASE, made.fingerprint, SINCE).proven
    assert passkey.strength(signing.approvers, ORIGIN, "mona") == "signed"
    assert signing.sign("mona", "approve").state == "over.done"


def test_nobody_signs_without_a_signature(signing: SignedBy) -> None:
    """Whatever a surface says of a turn, the engine looks for itself."""
    turn = replace(signing.turn("mona", "approve"), strength="signed")
    assert "no passkey has signed it" in told(signing.take(turn))
    assert "no passkey has signed it" in told(signing.take(replace(turn, strength="signed", approver="mona")))
    response = signing.touched(signing.turn("mona", "approve"))
    assertion = passkey._assertion(response)
    for odd in ("", "=", "A" * 5000, "é", "not base64!", flipped(assertion.client_data, 0)):
        broken = replace(turn, assertion=replace(assertion, client_data=odd))
        assert "is not signed: it cannot be read" in told(signing.take(broken))
    padded = replace(turn, assertion=replace(assertion, signature=assertion.signature + "="))
    assert "is not signed: it cannot be read" in told(signing.take(padded))
    assert signing.paid == 0
    assert signing.take(replace(turn, assertion=assertion)).state == "over.done"


def test_a_counter_that_goes_back_is_a_copy(signing: SignedBy) -> None:
    """A device that counts, and is copied: the copy that is behind signs nothing."""
    device = Authenticator(counts=True)
    signing.paired("mona", device=device)
    turn = signing.turn("mona", "approve")
    stale = signing.touched(turn)
    device.counter = 6
    assert "hotel" not in told(signing.send(replace(turn, about="other"), signing.touched(turn)))
    assert signing.approvers.find("mona").devices[-1].counter == 7
    assert "a copy of the passkey" in refused(signing, turn, stale)
    device.counts, device.counter = False, 0
    assert "a copy of the passkey" in refused(signing, turn, signing.touched(turn))
    device.counts, device.counter = True, 7
    assert signing.sign("mona", "approve").state == "over.done"


@pytest.mark.parametrize("loss", ["device", "role", "approver"])
def test_what_is_lost_before_the_call_voids_the_answer(signing: SignedBy, loss: str) -> None:
    """A person who has lost the role or the device no longer counts as the call leaves."""
    signing.begin(big=True)
    signing.sign("erin", "submit")
    signing.sign("ada", "sign")
    (device,) = signing.approvers.find("ada").devices
    if loss == "device":
        signing.approvers.revoke("ada", device.fingerprint)
    elif loss == "role":
        signing.approvers.take("ada", "board")
    else:
        signing.approvers.remove("ada", PASSPHRASE)
    assert signing.sign("bob", "sign").state == "a.boarding" and signing.paid == 0
    same_again(signing)


def test_a_device_that_is_revoked_before_the_call_voids_it(signing: SignedBy) -> None:
    """Held back by a missing key or a pause, an approval waits; meanwhile the device is lost."""
    signing.play.engine.world.store.pause(Pause("all", "", SINCE, "root", "wait"))
    assert "paused" in told(signing.sign("mona", "approve"))
    signing.play.engine.world.store.unpause("all", "")
    (device,) = signing.approvers.find("mona").devices
    signing.approvers.revoke("mona", device.fingerprint)
    signing.play.reply = signing.play.engine.status(signing.play.name)
    reply = signing.play.send("retry")
    assert (reply.state, signing.paid) == ("a.managing", 0)
    assert "is not one of 'mona' any more" in str(signing.play.journal("failure")[-1].body)
    same_again(signing)


def _another_key(signing: SignedBy) -> Callable[[dict[str, Any]], None]:
    def change(answer: dict[str, Any]) -> None:
        answer["signature"]["key"] = coded(signing.devices["max"].key)

    return change


def _in(name: str, change: Callable[[str], str]) -> Callable[[dict[str, Any]], None]:
    """One text of a signature is another one."""

    def make(answer: dict[str, Any]) -> None:
        answer["signature"][name] = change(answer["signature"][name])

    return make


def _said(**values: Any) -> Callable[[dict[str, Any]], None]:
    """The page's part says something else, as it would have been signed."""

    def make(answer: dict[str, Any]) -> None:
        said = json.loads(plain(answer["signature"]["client_data"])) | values
        answer["signature"]["client_data"] = coded(json.dumps(said, separators=(",", ":")).encode())

    return make


def _sets(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda answer: answer.update(values)


def _without(answer: dict[str, Any]) -> None:
    del answer["signature"]


CHANGED: dict[str, Callable[[dict[str, Any]], None]] = {
    "no signature": _without,
    "signature": _in("signature", flipped),
    "key": _in("key", lambda text: flipped(text, 20)),
    "no key": _in("key", lambda text: ""),
    "digest of the relying party": _in("authenticator_data", lambda text: flipped(text, 0)),
    "flags": _in("authenticator_data", lambda text: flipped(text, 32)),
    "counter": _in("authenticator_data", flipped),
    "challenge": _said(challenge=coded(b"x" * 32)),
    "origin of the page": _said(origin="https://approve.example.com"),
    "origin": _in("origin", lambda text: "https://approve.example.com"),
    "origin without a name": _in("origin", lambda text: "https://127.0.0.1"),
    "type": _said(type="webauthn.create"),
    "within another page": _said(crossOrigin=True),
    "code": _in("code", lambda text: "0" * len(text)),
    "subjects": lambda answer: answer["signature"].update(subjects=["0" * 64]),
    "one subject more": lambda answer: answer["signature"]["subjects"].append("0" * 64),
    "approver": _sets(approver="max"),
    "gate": _sets(gate="board_ok"),
    "subject": _sets(subject="0" * 64),
    "strength": _sets(strength="proven"),
}
"""What somebody who can write the whole store changes of an answer. ``strength`` is seen in what the call rests on."""


def test_a_changed_signature_is_found_in_a_stored_journal(tmp_path: Path) -> None:
    """Each part, with the whole chain written again so that it fits: the proof asks the key."""
    with SignedBy(tmp_path, SIGNED, on_disk=True) as signing:
        for person in ("erin", "max", "mona"):
            signing.paired(person)
        signing.begin()
        signing.sign("erin", "submit")
        assert signing.sign("mona", "approve").state == "over.done"
        engine, name = signing.play.engine, signing.play.name
        assert prove(engine, name).calls == {"signed": 1}
        (entry,) = [each for each in signing.play.journal("event") if (each.body or {})["event"] == "approve"]
        missed = []
        for part, change in {**CHANGED, "another key": _another_key(signing)}.items():

            def bend(each: Entry, body: dict[str, Any], change: Callable[[dict[str, Any]], None] = change) -> None:
                if each.seq == entry.seq:
                    change(body["evidence"][0])

            def restore(each: Entry, body: dict[str, Any]) -> None:
                if each.seq == entry.seq:
                    body["evidence"] = json.loads(json.dumps((entry.body or {})["evidence"]))

            written_anew(signing.play, bend)
            found = prove(engine, name)
            if found.holds and found.calls == {"signed": 1}:
                missed.append(part)
            written_anew(signing.play, restore)
        assert missed == []
        assert prove(engine, name).holds, "it was put back as it was"


def test_a_signature_is_not_moved_within_a_journal(tmp_path: Path) -> None:
    """A true signature of the same person, beside an answer that it was not given to, proves nothing."""
    with SignedBy(tmp_path, SIGNED, on_disk=True) as signing:
        for person in ("erin", "mona"):
            signing.paired(person)
        signing.begin()
        signing.sign("erin", "submit")
        signing.sign("mona", "reject", declines="manager_ok")
        signing.play.send("change", {"report": "Trip to Rome", "amount": 4200})
        signing.sign("erin", "submit")
        assert signing.sign("mona", "approve").state == "over.done"
        (no,) = [each for each in signing.play.journal("event") if (each.body or {})["event"] == "reject"]
        moved = (no.body or {})["declined"][0]["signature"]

        def move(each: Entry, body: dict[str, Any]) -> None:
            if body.get("event") == "approve":
                answer = body["evidence"][0]
                answer["signature"] = {**moved, "code": answer["signature"]["code"], "subjects": [answer["subject"]]}

        written_anew(signing.play, move)
        (why,) = [claim.why for claim in prove(signing.play.engine, signing.play.name).claims if not claim.holds]
        assert why == "the answer to manager_ok is not what its passkey signed"


def test_an_export_names_what_it_cannot_check(tmp_path: Path) -> None:
    """The stand-alone verifier compares what was signed with the answer, and says what it leaves to others."""
    with SignedBy(tmp_path, SIGNED, on_disk=True) as signing:
        for person in ("erin", "mona"):
            signing.paired(person)
        signing.begin()
        signing.sign("erin", "submit")
        signing.sign("mona", "approve")
        (device,) = signing.approvers.find("mona").devices

        def verified(place: str) -> subprocess.CompletedProcess[str]:
            found = export.export(signing.play.engine, signing.play.name, audit.Filter(), internal=True)
            write_export(found, str(tmp_path / place))
            command = [sys.executable, "-S", str(tmp_path / place / "verify.py")]
            return subprocess.run(command, capture_output=True, text=True, check=False)

        done = verified("out")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "2 answers carry a signature by a passkey" in done.stdout
        assert "Not checked here: the mathematics" in done.stdout and device.fingerprint in done.stdout

        def forge(each: Entry, body: dict[str, Any]) -> None:
            if body.get("event") == "approve":
                body["evidence"][0]["subject"] = "0" * 64

        written_anew(signing.play, forge)
        done = verified("forged")
        assert (done.returncode, "what was signed is not the answer in entry" in done.stdout) == (1, True)


def test_without_the_package_nothing_is_believed(signing: SignedBy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where signatures cannot be checked none is taken, and none is proved; both say what is missing."""
    turn = signing.turn("mona", "approve")
    response = signing.touched(turn)
    monkeypatch.setitem(sys.modules, "webauthn", None)
    assert "the extra `web` is not installed" in refused(signing, turn, response)
    monkeypatch.undo()
    signing.send(turn, response)
    monkeypatch.setitem(sys.modules, "webauthn", None)
    (why,) = [claim.why for claim in prove(signing.play.engine, signing.play.name).claims if not claim.holds]
    assert "the extra `web` is not installed" in why


def test_a_check_of_signatures_that_raises_lets_nothing_through(
    signing: SignedBy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong in it, there is no answer."""
    turn = signing.turn("mona", "approve")
    response = signing.touched(turn)

    def broken(**named: Any) -> None:
        raise MemoryError("the check is broken")

    monkeypatch.setattr("webauthn.verify_authentication_response", broken)
    assert "is not signed: it cannot be read" in refused(signing, turn, response)
