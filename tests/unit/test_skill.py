"""The skill of a bundle: accepted by the specification's own validator, made alike each time, no way round a gate."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from skills_ref import read_properties, validate

from tests.on_leave import LEAVE
from workflow.author.skill import FILE, TARGETS, origin, standing, write_skill
from workflow.bundle import open_bundle
from workflow.bundle.listing import description_of, skill_name
from workflow.machine.definition import Definition
from workflow.model.frozen import replace

ROOT = Path(__file__).parents[2]
BUNDLES = (ROOT, ROOT / "tests/courier", ROOT / "benchmarks/bundle")
DIGEST = "d" * 64


def reference() -> Definition:
    """The definition of the reference bundle."""
    return open_bundle(ROOT).definition


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: bundle.name)
@pytest.mark.parametrize("target", TARGETS)
def test_a_skill_is_one_by_the_specification(bundle: Path, target: str, tmp_path: Path) -> None:
    """Each bundle's skill for each program passes the validator, under 500 lines, with what the text promises."""
    opened = open_bundle(bundle)
    folder = tmp_path / skill_name(opened.definition)
    folder.mkdir()
    text = write_skill(opened.definition, opened.digest, target, "/a folder/of 'mine'")
    (folder / FILE).write_text(text, encoding="utf-8")
    assert validate(folder) == []
    assert len(text.splitlines()) < 500
    found = read_properties(folder)
    assert found.description == description_of(opened.definition)
    assert found.metadata["phasegate-bundle"] == opened.digest
    assert ("openclaw" in found.metadata) == (target == "openclaw")


@pytest.mark.parametrize("target", TARGETS)
def test_a_skill_is_made_alike_each_time(target: str) -> None:
    """The same bundle gives the same bytes; another digest, target or folder gives others."""
    text = write_skill(reference(), DIGEST, target)
    assert text == write_skill(reference(), DIGEST, target)
    others = [write_skill(reference(), "e" * 64, target), write_skill(reference(), DIGEST, target, "/tea")]
    others += [write_skill(reference(), DIGEST, other) for other in TARGETS if other != target]
    assert len({text, *others}) == 1 + len(others)


@pytest.mark.parametrize("target", TARGETS)
def test_no_skill_offers_what_answers_gates(target: str) -> None:
    """Neither the text nor what may run unasked names the command of people, nor a prefix that would cover it."""
    text = write_skill(reference(), DIGEST, target)
    assert "workflow-admin" not in text
    allowed = re.findall(r"Bash\(([^)]*)\)", text)
    assert allowed and all(re.fullmatch(r"workflow [a-z]+:\*", each) for each in allowed)
    assert not any("workflow-admin approve".startswith(each.removesuffix(":*")) for each in allowed)
    assert f"--host {TARGETS[target].host} " in text


@pytest.mark.parametrize("target", TARGETS)
def test_every_event_is_named_with_who_decides_it(target: str) -> None:
    """A gate's event is the user's, every other the agent's; `start` is how to begin."""
    text = write_skill(reference(), DIGEST, target)
    for event in reference().events.values():
        row = re.search(rf"^\| `{event.name}` \| .*? \| (.*?) \|", text, re.MULTILINE)
        assert (row is None) == (event.name == "start")
        assert row is None or row[1].startswith("the user" if event.gate else "you")


def test_only_a_skill_with_timers_speaks_of_them() -> None:
    """What happens by itself needs nothing of the agent; where nothing does, nothing is said."""
    assert "| `due` |" in write_skill(open_bundle(LEAVE).definition, DIGEST, "generic")
    assert "| `due` |" not in write_skill(reference(), DIGEST, "generic")


def test_waiting_is_left_out_where_nothing_waits() -> None:
    """A bundle that never waits for its service has no section about it."""
    waits = reference()
    rests = replace(waits, states={name: replace(state, watch=None) for name, state in waits.states.items()})
    assert "## While the service works" in write_skill(waits, DIGEST, "claude")
    assert "## While the service works" not in write_skill(rests, DIGEST, "claude")


def test_where_a_text_comes_from() -> None:
    """Digest, target and folder are read from the text; whatever is changed in it shows."""
    text = write_skill(reference(), DIGEST, "openclaw", '/a "folder"')
    found = origin(text)
    assert found is not None
    assert (found.bundle, found.target, found.folder, found.edited) == (DIGEST, "openclaw", '/a "folder"', False)
    assert standing(text, text) == "current"
    assert standing(text, write_skill(reference(), "e" * 64, "openclaw", '/a "folder"')) == "older"
    for edited in (text + "\n", text.replace("NEVER answer", "Answer"), text.replace(DIGEST, "e" * 64)):
        assert standing(edited, text) == "edited"
    for strange in ("", "# A skill", "---\nname: x\n---\n", text.partition("\n---\n")[2]):
        assert origin(strange) is None and standing(strange, text) is None


@pytest.mark.parametrize(
    ("description", "triggers", "told"),
    [
        ("", (), "Guided image creation with AnyGen."),
        ("Makes\n images.", (), "Makes images."),
        ("Makes images", ("asked",), "Makes images. Use when asked."),
        ("Makes images", ("one", "two.", "three"), "Makes images. Use when one; when two; or when three."),
    ],
)
def test_what_an_agent_sees_first(description: str, triggers: tuple[str, ...], told: str) -> None:
    """What it does, then when to take it up; the title stands in for a description that is missing."""
    assert description_of(replace(reference(), description=description, triggers=triggers)) == told


@pytest.mark.parametrize(("workflow", "name"), [("tea", "tea"), ("a_long__name-", "a-long-name"), ("x1", "x1")])
def test_the_name_is_one_by_the_specification(workflow: str, name: str) -> None:
    """A bundle may be called what no skill can be; hyphens take the place of the rest."""
    assert skill_name(replace(reference(), workflow=workflow)) == name


def test_a_message_and_its_wish_contradict_nothing() -> None:
    """One event for each message, with what comes on top named; a wish before its question waits."""
    text = " ".join(write_skill(reference(), DIGEST, "generic").split())
    assert "at most one `advance`" not in text
    assert "with the `seen` of that reply: an older one has its messages said again" in text
    assert "Two things come on top: `note`, and a `check` that *When no event fits* asks for first." in text
    assert "or since the user said it before `say` asked what it asks now: keep it with the event `note`" in text
    assert "Where the user takes back a `cancel`" in text and "begin no other session" in text
