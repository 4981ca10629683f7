"""A bundle that changes under a live session: it follows what fits, and stops with a map where it does not (R2)."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.contract.journals import append
from tests.playing import HandClock, Player, player
from tests.promises.journeys import creates, to_generating, to_plan
from workflow.bundle import open_bundle
from workflow.engine import watching
from workflow.engine.run import Run
from workflow.history.upgrade import forecasts, upgrade
from workflow.model.errors import BundleChanged, UsageError
from workflow.model.journal import fold

KEY = {"ANYGEN_API_KEY": "sk-live-0123456789"}
Edit = Callable[..., None]


class Killed(BaseException):
    """The process died here."""


@pytest.fixture
def edit(copied: Path) -> Edit:
    """Replaces texts in a file of the bundle, each of which must be there."""

    def change(changes: Mapping[str, str], file: str = "workflow.yaml") -> None:
        text = (copied / file).read_text(encoding="utf-8")
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        (copied / file).write_text(text, encoding="utf-8")

    return change


@pytest.fixture
def live(copied: Path, tmp_path: Path, clock: HandClock) -> Player:
    """A session of a bundle that can be edited."""
    return player(tmp_path, copied, None, clock=clock, environ=dict(KEY))


def without_key(live: Player, folder: Path) -> Player:
    """The same session for somebody whose key is gone."""
    other = player(folder, Path(live.bundle), None, store=live.engine.world.store, environ={})
    other.name, other.reply = live.name, live.reply
    return other


ANSWER = (
    "has said more about the image; send only that.\n"
    "    input: [words]\n    optional: [references]\n    if: files_usable\n"
)
SHOWING = {"confirm.presenting": "confirm.showing", "    presenting:": "    showing:"}


@pytest.mark.rule("R2")
def test_a_renamed_state_stops_with_a_map(live: Player, edit: Edit) -> None:
    """The turn changes nothing and says which state is gone, and which command takes the session over."""
    to_plan(live)
    before = live.engine.world.store.load(live.name)
    edit(SHOWING)
    with pytest.raises(BundleChanged) as stopped:
        live.send("approve", quote="yes")
    assert "the state 'confirm.presenting' is gone" in stopped.value.message
    assert f"`workflow-admin upgrade {live.name} --map confirm.presenting=confirm.showing`" in stopped.value.hint
    assert live.engine.world.store.load(live.name) == before


@pytest.mark.rule("R2", "R48")
def test_a_mapped_state_puts_its_question_anew(live: Player, edit: Edit, sandbox: Sandbox) -> None:
    """The question is said again under its new name until a turn names the reply that said it."""
    to_plan(live)
    edit(SHOWING)
    reply = upgrade(live.engine, live.name, {"confirm.presenting": "confirm.showing"})
    assert (reply.state, reply.status) == ("confirm.showing", "waiting")
    assert "It stands in confirm.showing, which was confirm.presenting." in reply.notices
    assert not live.send("approve", quote="yes", seen=None).ok
    assert live.says() == ["plan"] and creates(sandbox) == []
    assert live.send("approve", quote="yes").state == "deliver.generating"
    assert len(creates(sandbox)) == 1
    (entry,) = live.journal("upgrade")
    assert entry.body and (entry.body["was"], entry.body["to"]) == ("confirm.presenting", "confirm.showing")
    check_fold(live)


@pytest.mark.rule("R2", "R48")
@pytest.mark.parametrize("how", ["a prompt", "a state elsewhere", "code"])
def test_an_unrelated_edit_voids_no_evidence(
    live: Player, edit: Edit, sandbox: Sandbox, tmp_path: Path, how: str
) -> None:
    """An approval that waits for a key survives what has nothing to do with it, and pays exactly once."""
    to_plan(live)
    poor = without_key(live, tmp_path)
    assert poor.send("approve", quote="yes").state == "create.creating"
    if how == "a prompt":
        edit({"plan": "plan "}, "prompts/en/plan.md")
    elif how == "a state elsewhere":
        edit({"revise.unchanged": "revise.same", "    unchanged:": "    same:"})
    else:
        edit({'"""One look;': '"""A look;'}, "phases/deliver.py")
    live.reply = live.engine.status(live.name)
    assert live.send("retry").state == "deliver.generating"
    assert len(live.journal("bundle")) == len(creates(sandbox)) == 1


@pytest.mark.rule("R48")
def test_a_gate_that_asks_for_more_voids_its_old_answers(
    live: Player, edit: Edit, sandbox: Sandbox, tmp_path: Path
) -> None:
    """An approval of less than the gate is about now pays for nothing: the plan is shown again."""
    to_plan(live)
    without_key(live, tmp_path).send("approve", quote="yes")
    edit({"user_approved:    {subject: [reply, prompt,": "user_approved:    {subject: [words, reply, prompt,"})
    for file in ("en/plan.md", "en/plan_with_files.md", "zh-CN/plan.md", "zh-CN/plan_with_files.md"):
        edit({"${prompt}": "${prompt}\n${words}"}, f"prompts/{file}")
    live.reply = live.engine.status(live.name)
    assert live.send("retry").state == "confirm.presenting"
    assert creates(sandbox) == []


def test_a_gate_whose_term_was_changed_voids_its_old_answers(
    live: Player, edit: Edit, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Also where nothing else of the bundle did, and the new term is the longer one."""
    to_plan(live)
    without_key(live, tmp_path).send("approve", quote="yes")
    edit({"user_approved:    {subject:": "user_approved:    {valid: 30d, subject:"})
    live.reply = live.engine.status(live.name)
    assert live.send("retry").state == "confirm.presenting" and creates(sandbox) == []
    assert live.send("approve", quote="yes").state == "deliver.generating" and len(creates(sandbox)) == 1


def test_a_renamed_working_state_keeps_its_answer(live: Player, edit: Edit, sandbox: Sandbox, tmp_path: Path) -> None:
    """The call that waits for a key is the same call under another name: nobody is asked twice, and it pays once."""
    to_plan(live)
    without_key(live, tmp_path).send("approve", quote="yes")
    edit({"create.creating": "create.ordering", "    creating:": "    ordering:"})
    reply = upgrade(live.engine, live.name, {"create.creating": "create.ordering"})
    assert not any("void" in notice for notice in reply.notices)
    live.reply = reply
    assert live.send("retry").state == "deliver.generating"
    assert len(creates(sandbox)) == 1


@pytest.mark.parametrize("gate", ["{subject: [reply, prompt]", "{valid: 6d, subject: [reply, prompt, uploads]"])
def test_an_upgrade_says_which_answers_are_void(
    live: Player, edit: Edit, sandbox: Sandbox, tmp_path: Path, gate: str
) -> None:
    """Where the gate changed as well, the map is recorded with the answer that no longer counts."""
    to_plan(live)
    without_key(live, tmp_path).send("approve", quote="yes")
    edit({"create.creating": "create.ordering", "    creating:": "    ordering:"})
    edit({"user_approved:    {subject: [reply, prompt, uploads]": f"user_approved:    {gate}"})
    reply = upgrade(live.engine, live.name, {"create.creating": "create.ordering"})
    assert any("'user_approved' is void" in notice for notice in reply.notices)
    session = live.engine.world.store.load(live.name)
    assert session and session.evidence == ()
    live.reply = reply
    assert live.send("retry").state == "confirm.presenting"
    assert creates(sandbox) == []


@pytest.mark.rule("R65")
def test_a_renamed_wait_is_not_longer(live: Player, edit: Edit, clock: HandClock) -> None:
    """The deadline of a wait goes on under its new name, and what was said of it is not said again."""
    to_generating(live)
    clock.pass_(600)
    edit({"deliver.generating": "deliver.making", "    generating:": "    making:"})
    upgrade(live.engine, live.name, {"deliver.generating": "deliver.making"})
    assert watching.remaining(live.engine.load(live.name)) == 600
    assert live.send(None).say == ()


def test_doubt_is_only_mapped_to_doubt(live: Player, edit: Edit, sandbox: Sandbox) -> None:
    """What is not known stays unknown under any name: a state that knows nothing of it is refused."""
    to_plan(live)
    sandbox.fault("drop-after", on="create")
    assert live.send("approve", quote="yes").status == "in_doubt"
    edit(
        {
            "create.unsure": "create.doubtful",
            "    unsure:\n      say: unsure_created": "    doubtful:\n      say: unsure_created",
        }
    )
    for wrong in ("confirm.presenting", "deliver.generating"):
        with pytest.raises(BundleChanged, match="is not a state of doubt"):
            upgrade(live.engine, live.name, {"create.unsure": wrong})
    reply = upgrade(live.engine, live.name, {"create.unsure": "create.doubtful"})
    assert (reply.state, reply.status) == ("create.doubtful", "in_doubt")
    assert live.send(None).say[0].id == "unsure_created"
    assert live.send("did_not_happen", quote="no").state == "confirm.presenting"
    assert len(creates(sandbox)) == 1


def test_an_open_call_is_settled_by_the_state_that_makes_it(
    live: Player, edit: Edit, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed as the call left, and its state renamed: mapped to the state that makes the call, it is in doubt there."""
    to_plan(live)
    note = Run.note

    def die(self: Run, kind: str, body: Any) -> None:
        if kind == "result" and body["action"] == "create":
            raise Killed
        note(self, kind, body)

    monkeypatch.setattr(Run, "note", die)
    with pytest.raises(Killed):
        live.send("approve", quote="yes")
    monkeypatch.setattr(Run, "note", note)
    edit({"create.creating": "create.ordering", "    creating:": "    ordering:"})
    with pytest.raises(BundleChanged, match="'create' may have been called, and 'confirm.presenting' does not call it"):
        upgrade(live.engine, live.name, {"create.creating": "confirm.presenting"})
    upgrade(live.engine, live.name, {"create.creating": "create.ordering"})
    assert live.send(None).state == "create.unsure"
    assert len(creates(sandbox)) == 1


@pytest.mark.rule("R48")
def test_no_map_pays_without_an_answer(live: Player, edit: Edit, sandbox: Sandbox) -> None:
    """A plan that waits for approval, mapped to the state that orders: the call does not leave, the person is asked."""
    to_plan(live)
    edit(SHOWING)
    upgrade(live.engine, live.name, {"confirm.presenting": "create.creating"})
    assert live.send(None).state == "confirm.showing"
    assert live.says() == ["ask_again", "plan"]
    assert creates(sandbox) == []


def test_unfinished_work_goes_on_under_the_new_rules(
    live: Player, edit: Edit, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in a call that may be repeated, and the bundle changed: it is made again, and leads where it leads now."""
    live.start({"words": "A poster"})
    note = Run.note

    def die(self: Run, kind: str, body: Any) -> None:
        if kind == "result":
            raise Killed
        note(self, kind, body)

    monkeypatch.setattr(Run, "note", die)
    with pytest.raises(Killed):
        live.send("answer", {"words": "blue"})
    monkeypatch.setattr(Run, "note", note)
    edit(SHOWING)
    assert live.send(None).state == "confirm.showing"
    assert [entry.kind for entry in live.journal("bundle")] == ["bundle"]


def test_a_state_that_is_something_else_now_stops(live: Player, edit: Edit, clock: HandClock) -> None:
    """A place to wait that became an end does not end the run by itself; mapped to itself, it is entered anew."""
    to_generating(live)
    clock.pass_(1201)
    assert live.send(None).state == "deliver.late"
    text = (Path(live.bundle) / "workflow.yaml").read_text(encoding="utf-8")
    late = text[text.index("    late:\n      say: late\n") : text.index("    waiting:\n      say: still_gen")]
    edit({late: "    late: {say: late, end: failed}\n"})
    with pytest.raises(BundleChanged, match="waits when the run came there, and ends now"):
        live.send("check")
    assert upgrade(live.engine, live.name, {"deliver.late": "deliver.late"}).status == "failed"


def test_a_journal_that_leads_elsewhere_stops_and_can_be_accepted(live: Player, edit: Edit) -> None:
    """Where earlier turns would be decided otherwise now, no map helps; a person's word does, and is recorded."""
    to_plan(live)
    edit({ANSWER: "has said more about the image; send only that.\n    input: [words, category]\n"})
    with pytest.raises(BundleChanged, match="would be decided otherwise .answer: accepted; now: refused") as stopped:
        live.send("adjust", {"words": "red"})
    assert f"`workflow-admin upgrade {live.name}`" in stopped.value.hint
    upgrade(live.engine, live.name, {})
    assert live.send("adjust", {"words": "red"}).state == "confirm.presenting"
    edit({"go ahead": "begin"}, "prompts/en/plan.md")
    assert live.send("adjust", {"words": "blue"}).state == "confirm.presenting"
    assert [entry.kind for entry in live.journal("bundle", "upgrade")] == ["upgrade", "bundle"]


def test_renamed_data_are_mapped(live: Player, edit: Edit) -> None:
    """Data under a new name keep their values; without a map they are not lost silently."""
    live.start({"words": "A poster"})
    rename_category(live, edit)
    hold_some(live)
    with pytest.raises(BundleChanged, match="there is no 'category' any more") as stopped:
        live.engine.status(live.name)
    assert "--map category=categories" in stopped.value.hint
    upgrade(live.engine, live.name, {"category": "categories"})
    data = live.engine.data(live.name)
    assert data["categories"] == "slides" and "category" not in data


def test_data_can_be_dropped(live: Player, edit: Edit) -> None:
    """An empty new name forgets a datum."""
    live.start({"words": "A poster"})
    rename_category(live, edit)
    hold_some(live)
    upgrade(live.engine, live.name, {"category": ""})
    assert {"category", "categories"}.isdisjoint(live.engine.data(live.name))


def test_data_of_another_type_do_not_fit(live: Player, edit: Edit) -> None:
    """A text is not taken for a number."""
    live.start({"words": "A poster"})
    hold_some(live)
    edit({"  category:       text ": "  category:       number "})
    with pytest.raises(BundleChanged, match="its 'category' is no number"):
        live.engine.status(live.name)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ({"confirm.presenting": "confirm.nowhere"}, "the bundle has no state 'confirm.nowhere'"),
        ({"confirm.presenting": ""}, "the bundle has no state ''"),
        ({"words": "speech"}, "the bundle has no datum 'speech'"),
        ({"words": "reply"}, "'words' fits the bundle as it is"),
    ],
)
def test_a_map_of_what_is_not_there_is_refused(live: Player, edit: Edit, names: dict[str, str], told: str) -> None:
    """A slip in a map changes nothing."""
    to_plan(live)
    edit(SHOWING)
    before = live.engine.world.store.load(live.name)
    with pytest.raises(UsageError, match=told):
        upgrade(live.engine, live.name, names)
    assert live.engine.world.store.load(live.name) == before


def test_another_workflow_is_never_followed(live: Player, edit: Edit) -> None:
    """A bundle of another name at the same place is not the session's, and no map makes it so."""
    to_plan(live)
    edit({"workflow: anygen-image": "workflow: anygen-poster"})
    with pytest.raises(BundleChanged, match="another workflow now") as stopped:
        live.send(None)
    assert "workflow-admin" not in stopped.value.hint
    with pytest.raises(BundleChanged, match="another workflow now"):
        upgrade(live.engine, live.name, {})


def test_an_ended_session_can_still_be_looked_at(live: Player, edit: Edit) -> None:
    """What has ended goes nowhere, so nothing of its way has to fit."""
    to_plan(live)
    live.send("cancel")
    edit({ANSWER: "has said more about the image; send only that.\n    input: [words, category]\n"})
    assert live.engine.status(live.name).status == "cancelled"


def test_forecasts_cover_all_live_sessions(live: Player, edit: Edit, copied: Path, tmp_path: Path) -> None:
    """Each is told what its next turn would find, before and after the bundle is put in place; nothing changes."""
    names = []
    for way in ("asks", "plans", "ends"):
        live.start({"words": "A poster"})
        names.append(live.name)
        if way != "asks":
            live.send("answer", {"words": "blue"})
        if way == "ends":
            live.send("cancel")
    assert {each.session: each.outcome for each in forecasts(live.engine)} == dict.fromkeys(names[:2], "same")
    candidate = tmp_path / "candidate"
    shutil.copytree(copied, candidate, ignore=shutil.ignore_patterns("__pycache__"))
    text = (candidate / "workflow.yaml").read_text(encoding="utf-8")
    for old, new in SHOWING.items():
        text = text.replace(old, new)
    (candidate / "workflow.yaml").write_text(text, encoding="utf-8")
    before = [live.engine.world.store.load(name) for name in names]
    found = {each.session: each for each in forecasts(live.engine, candidate)}
    assert [found[name].outcome for name in names[:2]] == ["follows", "stops"]
    command = f"workflow-admin upgrade {names[1]} --map confirm.presenting=confirm.showing"
    assert found[names[1]].command == command
    mapped = forecasts(live.engine, candidate, {"confirm.presenting": "confirm.showing"})
    assert {each.session: each.outcome for each in mapped} == {names[0]: "follows", names[1]: "upgrades"}
    assert [live.engine.world.store.load(name) for name in names] == before


def rename_category(live: Player, edit: Edit) -> None:
    """The datum ``category`` under another name, everywhere."""
    edit({"category": "categories"})
    for language in ("en", "zh-CN"):
        for file in (Path(live.bundle) / "prompts" / language).glob("recommend_suite*.md"):
            text = file.read_text(encoding="utf-8")
            file.write_text(text.replace("${category}", "${categories}"), encoding="utf-8")


def hold_some(live: Player) -> None:
    """The session holds a category: as if it had been asked for more in the bundle of before."""
    session = live.engine.world.store.load(live.name)
    assert session is not None
    run = Run(live.engine.world, open_bundle(Path(live.bundle)), session)
    run.note("result", {"action": "prepare", "set": {"category": "slides"}, "item": None})
    append(live.engine.world.store, run._noted, run.session, "waiting")


def check_fold(live: Player) -> None:
    """The stored session is what its journal adds up to."""
    folded = None
    for entry in live.journal():
        folded = fold(folded, entry)
    assert folded == live.engine.world.store.load(live.name)
