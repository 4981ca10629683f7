"""Where it was done: an answer counts for one address alone, and a sandbox session never looks like a real one."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.conduct import answer, begin, reach
from tests.playing import Player, player
from tests.promises.conftest import REFERENCE
from workflow.bundle import open_bundle
from workflow.cli.audit.export import write_export
from workflow.engine.sandboxes import sandboxes
from workflow.engine.waiting import standing
from workflow.history import audit, export, proof
from workflow.history.audit import Filter
from workflow.history.forget import forget
from workflow.history.proof import Proof
from workflow.machine import gates
from workflow.machine.approvals import consented
from workflow.model.evidence import Evidence
from workflow.model.frozen import replace
from workflow.model.session import Session
from workflow.show import story

KEY = {"ANYGEN_API_KEY": "sk-live-0123456789"}
ELSEWHERE = "http://127.0.0.1:9"
MONEY = re.compile(r"\b(?:paid|pay|pays|money|cost|costs|bought)\b")


@pytest.fixture
def live(copied: Path, tmp_path: Path) -> Player:
    """A session of the service itself, which listens on this machine."""
    return player(tmp_path, copied, None, environ=KEY)


def changed(play: Player, tmp_path: Path) -> tuple[Proof, list[Evidence]]:
    """A session with a file, an order and a change; its proof, and all answers in its log."""
    begin(play, tmp_path)
    reach(play, "deliver.ready")
    answer(play, "modify")
    given = [Evidence.from_json(each) for entry in play.journal("event") for each in (entry.body or {})["evidence"]]
    return proof.prove(play.engine, play.name), given


def test_an_answer_names_the_address_that_it_lets_calls_go_to(
    play: Player, live: Player, sandbox: Sandbox, copied: Path, tmp_path: Path
) -> None:
    """The address that the connection really has, in a sandbox session and in a real one."""
    for each, address in ((play, play.sandbox), (live, open_bundle(copied).definition.service.base_url)):
        found, given = changed(each, tmp_path)
        assert found.holds and {one.service for one in given} == {address}
        session = each.engine.world.store.load(each.name)
        assert session is not None
        assert each.engine.world.connect(each.engine.world.open_bundle(session.path), session).base_url == address


@pytest.mark.parametrize("gate", list(open_bundle(REFERENCE).definition.gates))
@pytest.mark.parametrize("there", [None, ELSEWHERE])
def test_an_answer_never_counts_for_another_address(play: Player, tmp_path: Path, gate: str, there: str | None) -> None:
    """Consent for the real service is none for a sandbox, nor the other way round; so with every gate."""
    begin(play, tmp_path)
    session = play.engine.world.store.load(play.name)
    assert session is not None and session.sandbox != there
    definition = open_bundle(REFERENCE).definition
    asked, moved = definition.gates[gate], replace(session, sandbox=there)
    assert gates.subject(definition, asked, session) != gates.subject(definition, asked, moved)
    assert gates.question(definition, asked, session) != gates.question(definition, asked, moved)
    for item in gates.open_items(asked, session.data) if asked.each else ():
        bound = gates.item_subject(definition, asked, item, session.sandbox)
        held = replace(
            session, evidence=(Evidence(gate, bound, "yes", "cli", "relayed", "", play.engine.world.clock.now()),)
        )
        assert consented(definition, asked, held, {}) == [item]
        assert consented(definition, asked, replace(held, sandbox=there), {}) == []


def test_the_proof_of_a_sandbox_session_claims_no_money(play: Player, tmp_path: Path) -> None:
    """It says that it is one, and nothing of what only the real service does."""
    found, _ = changed(play, tmp_path)
    assert found.sandbox and found.holds and len(found.claims) == 3
    assert all("in the sandbox" in claim.text and not MONEY.search(claim.text) for claim in found.claims)


def test_the_proof_of_a_real_session_does(live: Player, tmp_path: Path) -> None:
    """The other way round."""
    found, _ = changed(live, tmp_path)
    assert not found.sandbox and found.holds
    assert [("paid for" in claim.text, "sandbox" in claim.text) for claim in found.claims] == [
        (False, False),
        (True, False),
        (True, False),
    ]


def test_the_story_of_a_sandbox_session_claims_no_money(play: Player, tmp_path: Path) -> None:
    """Nor does any line of its log; what it was said of is quoted."""
    changed(play, tmp_path)
    for entry in play.journal():
        told = story.tell(entry)
        assert not MONEY.search(re.sub("“.*”", "", " ".join([told.what, *(text for _, text in told.notes)])))


@pytest.mark.parametrize("wanted", [Filter(), Filter(kinds=("event",))])
@pytest.mark.parametrize("erased", [False, True])
def test_what_is_handed_on_says_where_it_was_done(
    play: Player, live: Player, tmp_path: Path, wanted: Filter, erased: bool
) -> None:
    """The verifier's first line and the page's, also when all was erased; where it is not shown, that is said."""
    for number, each in enumerate((play, live)):
        begin(each, tmp_path)
        reach(each, "deliver.ready")
        if erased:
            forget(each.engine, each.name)
        found, folder = export.export(each.engine, each.name, wanted), tmp_path / f"export-{number}"
        assert write_export(found, str(folder), page=True).sandbox is (each is play)
        checked = subprocess.run([sys.executable, "verify.py"], cwd=folder, capture_output=True, text=True, check=True)
        first = checked.stdout.split("\n")[0]
        known = erased or not wanted.kinds
        assert ("(sandbox" in first, "is not shown" in first) == (known and each is play, not known)
        page = (folder / "journal.html").read_text(encoding="utf-8")
        assert ("Sandbox: the log" in page, f"{each.name} (sandbox): log" in page) == (each is play, each is play)
        assert "paid call" not in page if each is play else "paid call" in page or bool(wanted.kinds)


def test_verify_knows_it_too(play: Player, live: Player, tmp_path: Path) -> None:
    """By the session that its journal adds up to."""
    for each in (play, live):
        begin(each, tmp_path)
        assert audit.verify(each.engine, each.name).sandbox is (each is play)


def test_a_list_loads_no_session_and_a_status_loads_one_once(play: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a sandbox is comes with the list; all that a status says is of one instant."""
    play.start({"words": "A poster"})
    loaded: list[str] = []
    store = play.engine.world.store
    load = store.load

    def counted(name: str) -> Session | None:
        loaded.append(name)
        return load(name)

    monkeypatch.setattr(store, "load", counted)
    (listed,) = sandboxes(play.engine, play.engine.sessions())
    assert (listed["address"], listed["sessions"], loaded) == (play.sandbox, [play.name], [])
    found = standing(play.engine, play.name)
    assert loaded == [play.name]
    assert found.waiting is not None
    assert found.told.notices[-2:] == (f"The sandbox at {play.sandbox} answers.", found.waiting.sentence)
