"""What the person read: the agent's translation of a question is kept beside their answer, as the agent's."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.conduct import GIVEN, WORDS, answer, begin, check_promises, reach
from tests.playing import HandClock, Player, player
from workflow.cli.audit import audit as command
from workflow.cli.audit.export import write_export
from workflow.engine.preview import preview
from workflow.engine.question import Put, put
from workflow.engine.redecide import Redecider, steps
from workflow.history import audit, export, proof
from workflow.history.audit import Filter
from workflow.history.forget import Forgotten, forget
from workflow.machine import leaks
from workflow.machine.decide import LONGEST_TEXT
from workflow.machine.foreign import TRANSLATED
from workflow.mcp_server.forms import Form
from workflow.model.errors import UsageError
from workflow.model.evidence import Evidence
from workflow.model.session import Turn
from workflow.show import story
from workflow.store.sqlite import SqliteStore

FRENCH = "Voici le plan : une affiche chaude, en format A3. On y va ?"
OUI = "Oui, allez-y"
HOSTILE = "Oui ?\n✓ entry 1: everything was proved\n\x1b[2J\u202eexe <script>alert(1)</script>"


@pytest.fixture
def play(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> Player:
    """A session in files that is about to start; the service has a plan at once."""
    sandbox.settings(rounds=1)
    reference = Path(__file__).parents[2]
    return player(tmp_path, reference, sandbox.url, store=SqliteStore(tmp_path / "state"), clock=clock)


def asked(play: Player, language: str = "fr") -> Player:
    """The plan waits for an approval, in this language."""
    play.start({"words": WORDS}, language=language)
    assert play.reply.state == "confirm.presenting"
    return play


def approved(play: Player, translation: str | None = FRENCH, language: str = "fr") -> Evidence:
    """The approval that the plan gets, as the journal has it."""
    assert asked(play, language).send("approve", quote=OUI, translation=translation).error is None
    return Evidence.from_json((play.journal("event")[-1].body or {})["evidence"][0])


@pytest.mark.rule("R25")
def test_the_translation_is_kept_beside_the_answer(play: Player, sandbox: Sandbox) -> None:
    """In the entry, in the session until the answer is spent, and bound to the wording that was handed over."""
    given = approved(play)
    assert (given.quote, given.translation, given.gate) == (OUI, FRENCH, "user_approved")
    assert proof.prove(play.engine, play.name).holds
    check_promises(play, sandbox)


def test_an_answer_without_one_has_the_form_that_it_always_had(play: Player) -> None:
    """No key for what nobody sent: neither in the entry nor in the saved session."""
    given = approved(play, None)
    assert "translation" not in given.as_json()
    assert not any('"translation"' in (entry.text or "") for entry in play.journal())


@pytest.mark.parametrize(
    ("language", "wanted"),
    [("fr", True), ("pt-BR", True), ("zh-TW", True), ("en", False), ("en-GB", False), ("zh", False)],
)
def test_next_asks_for_the_translation_where_there_is_one(play: Player, language: str, wanted: bool) -> None:
    """Of a gate whose question was to be translated; of nothing else."""
    reply = asked(play, language).reply
    named = {option.event: "evidence.translation" in option.how for option in reply.next}
    assert (reply.say[-1].translate_to is not None) is wanted
    assert {event for event, does in named.items() if does} == ({"approve"} if wanted else set())


@pytest.mark.parametrize(("needs", "wanted"), [("relayed", True), ("asked", True), ("proven", False)])
def test_next_asks_for_it_where_an_agent_can_send_one(
    tmp_path: Path, sandbox: Sandbox, needs: str, wanted: bool
) -> None:
    """With the answer, or with the call that a form comes of; not where only a terminal will do."""
    sandbox.settings(rounds=1)
    raised = player(tmp_path, Path(__file__).parents[2], sandbox.url, gates={"user_approved": needs})
    assert ("evidence.translation" in asked(raised).option("approve").how) is wanted


def test_next_does_not_ask_for_it_where_the_person_says_what_is_sent(play: Player, sandbox: Sandbox) -> None:
    """A gate of the person's own words has no question."""
    approved(play)
    reach(play, "deliver.ready")
    assert "translation" not in play.option("modify").how
    refused = play.send("modify", {"words": "Plus bleu"}, quote="Plus bleu", translation=FRENCH)
    assert refused.error is not None and "answers no question that could be translated" in refused.error.message


@pytest.mark.parametrize("event", ["adjust", "cancel", "retry", "nonsense", None])
def test_there_is_no_translation_of_no_question(play: Player, event: str | None) -> None:
    """Refused where nobody is asked, and nothing moves."""
    before = asked(play).reply.revision
    given = {"words": "Plus chaud"} if event == "adjust" else {}
    if event is None:
        with pytest.raises(UsageError, match="belongs to an answer"):
            play.send(event, translation=FRENCH)
    else:
        assert play.send(event, given, translation=FRENCH).error is not None
    assert play.engine.status(play.name).revision == before


def test_a_retry_has_no_question(play: Player, sandbox: Sandbox) -> None:
    """Also where it is possible."""
    sandbox.fault("server-error", on="prepare", times=9)
    play.start({"words": WORDS}, language="fr")
    assert "retry" in [option.event for option in play.reply.next]
    refused = play.send("retry", translation=FRENCH)
    assert refused.error is not None and "'retry' answers no question" in refused.error.message
    sandbox.clear()
    assert play.send("retry").error is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "evidence.translation is empty"),
        (" \n", "evidence.translation is empty"),
        ("\u200b\u2060", "evidence.translation is empty"),
        ("é" * (LONGEST_TEXT + 1), "evidence.translation is longer than"),
        ("Oui\0non", "evidence.translation holds characters that no text may hold"),
    ],
)
def test_what_is_no_text_is_no_translation(play: Player, sandbox: Sandbox, text: str, why: str) -> None:
    """Refused with the reason, and nothing is paid for."""
    refused = asked(play).send("approve", quote=OUI, translation=text)
    assert refused.error is not None and why in refused.error.message
    assert not any(each.path.endswith("/tasks") for each in sandbox.requests)
    assert play.send("approve", quote=OUI, translation="é" * LONGEST_TEXT).error is None


@pytest.mark.parametrize("text", ["Oui sk-ag-7f3a9c2e11aa4b66d0", "Oui\ud800"])
def test_a_key_or_half_a_character_is_not_recorded(play: Player, text: str) -> None:
    """As in every other text of a turn: an error, and no entry."""
    entries = len(asked(play).journal())
    with pytest.raises(UsageError):
        play.send("approve", quote=OUI, translation=text)
    assert len(play.journal()) == entries


def test_the_key_is_in_no_translation(tmp_path: Path, copied: Path) -> None:
    """The service's own key, whatever form it has."""
    play = player(tmp_path, copied, None, environ={"ANYGEN_API_KEY": "warme-farben-und-gold"})
    play.start({"words": WORDS}, language="fr")
    with pytest.raises(UsageError, match="the service's key"):
        play.send("create_now", quote="oui", translation="warme-farben-und-gold, on y va ?")


@pytest.mark.parametrize("surface", ["turn", "form", "preview"])
def test_an_internal_id_is_not_shown_as_a_translation(play: Player, tmp_path: Path, surface: str) -> None:
    """The question holds none, so that a true translation does not either; each surface refuses."""
    begin(play, tmp_path, language="fr")
    reach(play, "confirm.presenting")
    definition = play.engine.world.open_bundle(play.bundle).definition
    token = leaks.values_of(play.engine.data(play.name), definition.of_type("internal"))[0]
    turn = Turn("approve", quote=OUI, expect_revision=play.reply.revision, translation=f"Le fichier {token} ?")
    told: dict[str, Callable[[], Any]] = {
        "turn": lambda: play.engine.advance(play.name, turn),
        "form": lambda: put(play.engine, play.name, turn),
        "preview": lambda: preview(play.engine, play.name, turn),
    }
    with pytest.raises(UsageError, match="holds an internal id"):
        told[surface]()


def test_a_check_that_fails_lets_no_translation_through(play: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    """It raises here: nothing is approved."""
    asked(play)

    def broken(*arguments: object) -> None:
        raise RuntimeError("the check fails")

    monkeypatch.setattr(leaks, "_found", broken)
    with pytest.raises(UsageError, match=leaks.UNDECIDED):
        play.send("approve", quote=OUI, translation=FRENCH)
    assert play.engine.status(play.name).state == "confirm.presenting"


def of_prove(play: Player, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """``audit prove``."""
    command._show_proof(play.name, proof.prove(play.engine, play.name))
    return capsys.readouterr().out


def of_prove_json(play: Player, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """``audit prove --json``."""
    return json.dumps(command._proof_json(play.name, proof.prove(play.engine, play.name)), ensure_ascii=False)


def of_log(play: Player, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """``audit log``."""
    told = map(story.tell, play.journal())
    return "\n".join(f"{label}: {text}" for line in told for label, text in line.notes)


def of_export(play: Player, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The entries that are handed on."""
    write_export(export.export(play.engine, play.name, Filter()), str(folder / "out"))
    return (folder / "out" / "journal.jsonl").read_text(encoding="utf-8")


def of_page(play: Player, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The page of an export, as it is read."""
    found = export.export(play.engine, play.name, Filter())
    write_export(found, str(folder / "out"), page=True, proof=proof.try_prove(play.engine, play.name))
    page = (folder / "out" / "journal.html").read_text(encoding="utf-8")
    assert "<script" not in page
    return html.unescape(re.sub("<[^>]*>", "\n", page))


def of_session(play: Player, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The saved session, right after the answer."""
    entries = play.journal()
    at = next(entry.seq for entry in entries if (entry.body or {}).get("event") == "approve")
    return next(after.text for _, entry, after in steps(entries) if entry.seq == at)


SURFACES = (of_prove, of_prove_json, of_log, of_export, of_page, of_session)


@pytest.mark.parametrize("surface", SURFACES)
def test_what_shows_the_quote_shows_the_translation(
    play: Player, tmp_path: Path, capsys: pytest.CaptureFixture[str], surface: Callable[..., str]
) -> None:
    """Each surface that carries the answer's words carries what the person read, and where people read, whose it is."""
    approved(play)
    shown = surface(play, tmp_path, capsys)
    assert OUI in shown and FRENCH in shown
    if surface in (of_prove, of_log, of_page):
        assert TRANSLATED in shown


@pytest.mark.parametrize("surface", [of_prove, of_log])
def test_no_line_of_a_translation_passes_for_ours(
    play: Player, tmp_path: Path, capsys: pytest.CaptureFixture[str], surface: Callable[..., str]
) -> None:
    """It is quoted or behind a margin, and nothing in it commands a terminal."""
    approved(play, HOSTILE)
    shown = surface(play, tmp_path, capsys)
    assert not any(line.lstrip().startswith("✓ entry 1:") for line in shown.splitlines())
    assert "\x1b" not in shown and "\u202e" not in shown


def test_a_page_is_safe_against_a_translation(play: Player, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is never markup."""
    approved(play, HOSTILE)
    assert "alert(1)" in of_page(play, tmp_path, capsys)


def test_the_verifier_says_whose_words_the_person_read(
    play: Player, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Python alone counts the answers; of a log without one it says nothing."""
    approved(play)
    assert verified(play, tmp_path / "with").count("is the agent's translation, which nobody has checked") == 1
    play.start({"words": WORDS}, language="fr")
    play.send("approve", quote=OUI)
    assert "translation" not in verified(play, tmp_path / "without")


def verified(play: Player, folder: Path) -> str:
    """What ``verify.py`` says of the session's export."""
    write_export(export.export(play.engine, play.name, Filter()), str(folder))
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "verify.py"], cwd=folder, capture_output=True, text=True, timeout=60, check=True
    )
    return ended.stdout


def test_a_page_covers_the_texts_of_its_proof(play: Player, tmp_path: Path) -> None:
    """What the entries of an export do not show, the proof above them does not show either."""
    approved(play)
    task = play.engine.data(play.name)["task_id"]
    shown = proof.Answer(
        1,
        "user_approved",
        ("relayed",),
        f"yes to {task}",
        "relayed",
        None,
        None,
        "2027-01-15T08:00:00.000Z",
        "2027-01-22T08:00:00.000Z",
        f"make {task}?",
        f"oui à {task}",
    )
    claim = proof.Claim(1, "called", True, (shown,))
    found = export.export(play.engine, play.name, Filter())
    proved = proof.Proof("1:ab", True, (claim,), 0, 0)
    write_export(found, str(tmp_path / "out"), page=True, proof=proved)
    page = (tmp_path / "out" / "journal.html").read_text(encoding="utf-8")
    assert f"yes to {export.MASK}" in page and f"oui à {export.MASK}" in page and f"to {task}" not in page
    assert f"make {export.MASK}?" in page and f"make {task}" not in page


@pytest.mark.parametrize(
    ("language", "translation", "strength", "said"),
    [
        ("fr", None, "relayed", True),
        ("fr", FRENCH, "relayed", False),
        ("fr", None, "asked", False),
        ("en", None, "relayed", False),
        ("zh-CN", None, "relayed", False),
    ],
)
def test_a_proof_says_that_what_the_person_read_is_not_on_record(
    play: Player,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    language: str,
    translation: str | None,
    strength: str,
    said: bool,
) -> None:
    """Where the question was to be translated, the agent relays the answer, and no translation came back."""
    asked(play, language).send("approve", quote=OUI, translation=translation, strength=strength)
    found = proof.prove(play.engine, play.name)
    (claim,) = found.claims
    assert found.holds and claim.by[0].unread == (language if said else None)
    gap = "what the person read is not on record: the question was to be translated to fr"
    assert (gap in " ".join(of_prove(play, tmp_path, capsys).split())) is said
    assert (gap in of_page(play, tmp_path, capsys)) is said


def test_a_proof_of_files_knows_it_too(play: Player, tmp_path: Path) -> None:
    """Each file's consent carries the translation."""
    begin(play, tmp_path, language="fr")
    play.send("consent", quote="Oui", translation=FRENCH)
    (upload,) = [claim for claim in proof.prove(play.engine, play.name).claims if "upload" in claim.text]
    assert upload.by[0].translation == FRENCH


def test_a_translation_is_erased_with_the_rest(play: Player, tmp_path: Path) -> None:
    """It is content: no byte of it is left in any file of the store, and the chain holds."""
    approved(play)
    play.send("approve", quote="Encore", translation=FRENCH)  # refused, and recorded
    assert holding(tmp_path / "state", FRENCH)
    assert isinstance(forget(play.engine, play.name), Forgotten)
    assert not holding(tmp_path / "state", FRENCH) and not holding(tmp_path / "state", FRENCH[:20])
    assert audit.verify(play.engine, play.name).erased


def holding(folder: Path, text: str) -> list[Path]:
    """The files that hold the text."""
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_it_is_decided_the_same_again(play: Player) -> None:
    """Accepted and refused turns with a translation are read back as they were sent."""
    asked(play)
    play.send("approve", quote=OUI, translation="")
    play.send("approve", quote=OUI, translation=FRENCH)
    bundle = play.engine.world.open_bundle(play.bundle)
    again = Redecider(play.engine.world, bundle)
    differences = [each for before, entry, _ in steps(play.journal()) for each in again.differences(before, entry)]
    assert differences == []


def test_a_form_shows_the_translation_and_is_about_it(play: Player) -> None:
    """Behind the margin, below the original; another translation makes another question."""
    asked(play)
    turn = Turn("approve", expect_revision=play.reply.revision, translation=HOSTILE)
    found = [put(play.engine, play.name, each) for each in other(turn)]
    forms = [Form(each, b"secret") for each in found if isinstance(each, Put)]
    text = forms[0].text()
    original, read = text.index(play.texts()[0][:20]), text.index(TRANSLATED[1:])
    assert original < read
    assert all(line.startswith("│ ") for line in text[read:].splitlines()[1:])
    assert len({form.code for form in forms}) == 3


def other(turn: Turn) -> list[Turn]:
    """The turn with its translation, with another, and with none."""
    return [turn, Turn(**{**turn.__dict__, "translation": FRENCH}), Turn(**{**turn.__dict__, "translation": None})]


def test_the_same_turn_is_the_same_with_its_translation(play: Player) -> None:
    """A repeat is replayed; under one id, another translation is another turn."""
    asked(play)
    revision = play.reply.revision
    first = play.send("approve", quote=OUI, translation=FRENCH, turn_id="t1", revision=revision)
    assert play.send("approve", quote=OUI, translation=FRENCH, turn_id="t1", revision=revision).replayed
    assert first.state == play.reply.state
    with pytest.raises(UsageError, match="another turn"):
        play.send("approve", quote=OUI, translation="Autre", turn_id="t1", revision=revision)


def test_the_translation_itself_is_nobodys_answer(play: Player) -> None:
    """It is what the person was told, as much as the original is."""
    reply = asked(play).send("approve", quote=FRENCH[:45], translation=FRENCH)
    assert reply.error is not None and "is a copy of what the person was shown" in reply.error.message
    assert play.send("approve", quote="On y va", translation=FRENCH).error is None


@pytest.mark.parametrize("gate", ["consent", "did_not_happen"])
def test_every_question_takes_one(play: Player, sandbox: Sandbox, tmp_path: Path, gate: str) -> None:
    """Of files, and of a doubt that the person settles."""
    if gate == "consent":
        begin(play, tmp_path, language="fr")
    else:
        asked(play)
        sandbox.fault("drop-after", on="create")
        answer(play, "approve")
        assert play.reply.status == "in_doubt"
    assert "evidence.translation" in play.option(gate).how
    given = {"quote": "Oui", **GIVEN.get(gate, {})}
    assert play.send(gate, **given, translation=FRENCH).error is None
    kept = [(entry.body or {})["evidence"] for entry in play.journal("event") if (entry.body or {})["event"] == gate]
    assert [each["translation"] for each in kept[-1]] == [FRENCH]
