"""What a proof ends with: its paid calls, counted by the strength of their approvals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.conduct import answer, begin, reach
from tests.playing import Player, player
from tests.promises.test_sandbox_sessions import KEY, MONEY
from workflow.cli.audit import audit as command
from workflow.cli.audit.export import write_export
from workflow.history import export, proof
from workflow.history.audit import Filter
from workflow.history.proof import NOBODY, NOTHING, Claim, Proof
from workflow.model.evidence import STRENGTHS

RESTS = (NOTHING, NOBODY, *STRENGTHS)
TOLD = {
    NOTHING: "without an approval that the log shows",
    NOBODY: "for which the bundle asks nobody",
    "relayed": "on the agent's word alone",
    "asked": "on an answer that Phasegate asked the person for",
    "proven": "on an answer with an approver's passphrase",
    "signed": "on an answer that an approver's passkey signed",
}
SAID = STRENGTHS[:-1]
"""Those that a turn can say of itself; what is signed needs a passkey (``test_signed.py``)."""


def proved(*on: str | None, sandbox: bool = False) -> Proof:
    """A proof whose claims rest on these."""
    return Proof("1:ab", sandbox, tuple(Claim(n, "called", True, on=each) for n, each in enumerate(on, 1)), 0, 0)


@pytest.mark.parametrize("sandbox", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("on", RESTS)
def test_calls_of_one_strength_are_told_in_one_sentence(on: str, count: int, sandbox: bool) -> None:
    """The number, what they are, and what they rest on; in a sandbox nothing was paid for."""
    found = proved(None, *[on] * count, None, sandbox=sandbox)
    named = "sandbox call" if sandbox else "paid call"
    assert found.summary == f"{count} {named}{'' if count == 1 else 's'}, {TOLD[on]}"
    assert found.calls == {on: count}
    assert bool(MONEY.search(found.summary)) is not sandbox


@pytest.mark.parametrize("sandbox", [False, True])
@pytest.mark.parametrize("weak", RESTS)
@pytest.mark.parametrize("strong", RESTS)
def test_calls_of_two_strengths_are_told_the_weaker_first(weak: str, strong: str, sandbox: bool) -> None:
    """Whichever came first."""
    if RESTS.index(weak) >= RESTS.index(strong):
        return
    found = proved(strong, weak, strong, sandbox=sandbox)
    named = "sandbox" if sandbox else "paid"
    assert found.summary == f"3 {named} calls: 1 {TOLD[weak]}, 2 {TOLD[strong]}"
    assert list(found.calls.items()) == [(weak, 1), (strong, 2)]


@pytest.mark.parametrize(("sandbox", "told"), [(False, "no paid calls"), (True, "no sandbox calls")])
def test_no_call_is_told_as_none(sandbox: bool, told: str) -> None:
    """Uploads and looks cost nothing and are not counted."""
    assert (proved(None, sandbox=sandbox).summary, proved().calls) == (told, {})


def test_every_strength_has_words() -> None:
    """A strength that is added later is counted too, or this fails."""
    assert proved(*STRENGTHS).calls == dict.fromkeys(STRENGTHS, 1)


@pytest.fixture(params=["sandbox", "real"])
def where(request: pytest.FixtureRequest, play: Player, copied: Path, tmp_path: Path) -> Player:
    """A session of the sandbox, and one of the service itself."""
    return play if request.param == "sandbox" else player(tmp_path, copied, None, environ=KEY)


@pytest.mark.parametrize("strengths", [(each, other) for each in SAID for other in SAID])
def test_a_call_counts_by_the_answer_that_it_was_made_on(
    where: Player, tmp_path: Path, strengths: tuple[str, str]
) -> None:
    """An order and a change, each on an answer of its own; the consent to a file counts for no paid call."""
    begin(where, tmp_path)
    reach(where, "confirm.presenting")
    where.send("approve", quote="yes, go ahead", strength=strengths[0])
    reach(where, "deliver.ready")
    where.send("modify", {"words": "bluer"}, quote="bluer", strength=strengths[1])
    found = proof.prove(where.engine, where.name)
    assert found.holds and sum(found.calls.values()) == 2
    assert found.calls == {each: strengths.count(each) for each in SAID if each in strengths}
    assert any("as another user" in each for each in found.limits) is ("proven" in strengths)
    assert found.summary.startswith("2 sandbox calls" if where.sandbox else "2 paid calls")


def test_a_call_without_an_answer_is_not_counted_as_approved(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """Judged by a definition that asks for another gate, or where none is known."""
    begin(play, tmp_path)
    reach(play, "confirm.presenting")
    answer(play, "approve")
    other = play.engine.world.open_bundle(str(Path(__file__).parents[2] / "examples" / "refund"))
    assert proof.prove(play.engine, play.name, bundles=[other]).calls == {NOTHING: 1}


def test_each_surface_of_a_proof_ends_with_it(
    where: Player, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last line for people, two keys for programs, and the end of the proof on the page of an export."""
    begin(where, tmp_path)
    reach(where, "confirm.presenting")
    answer(where, "approve")
    found = proof.prove(where.engine, where.name)
    named = "1 sandbox call" if where.sandbox else "1 paid call"
    command._show_proof(where.name, found)
    assert capsys.readouterr().out.splitlines()[-1] == f"{named}, on the agent's word alone."
    told: dict[str, Any] = json.loads(json.dumps(command._proof_json(where.name, found)))
    assert (told["calls"], told["summary"]) == ({"relayed": 1}, f"{named}, on the agent's word alone")
    exported = export.export(where.engine, where.name, Filter())
    write_export(exported, str(tmp_path / "out"), page=True, proof=found)
    page = (tmp_path / "out" / "journal.html").read_text(encoding="utf-8")
    assert f"<p>{named}, on the agent&#x27;s word alone.</p></section>" in page
