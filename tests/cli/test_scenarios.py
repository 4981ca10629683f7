"""``workflow test`` and ``workflow simulate``: what they print, and how they end."""

from __future__ import annotations

import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import Commands

COURIER = Path(__file__).parent.parent / "courier"


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """A bundle with a scenario that does not come as it says, and one that is none."""
    folder = tmp_path / "courier"
    shutil.copytree(COURIER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    scenarios = folder / "scenarios"
    text = (scenarios / "to-the-door.yaml").read_text(encoding="utf-8")
    (scenarios / "elsewhere.yaml").write_text(text.replace("state: order.offering", "state: order.pricing"), "utf-8")
    (scenarios / "none.yaml").write_text("scenario: x\nwhen:\n- {sent: start}\n", encoding="utf-8")
    return folder


def test_all_scenarios_are_played_and_told(cli: Commands, terminal: None, wrong: Path, tmp_path: Path) -> None:
    """A line for what passed, a transcript for what failed, a sum; exit code 2; and the same as JUnit XML."""
    ended = cli("test", str(wrong), "--junit", str(tmp_path / "report.xml"))
    assert ended.code == 2 and ended.out.splitlines()[-1] == "1 passed, 2 failed"
    assert "FAILED  elsewhere: A parcel" in ended.out and "✗ courier/scenarios/elsewhere.yaml:9:7: state" in ended.out
    assert "✗ courier/scenarios/none.yaml:3:4: unknown key 'sent'; did you mean 'send'?" in ended.out
    (suite,) = ElementTree.parse(tmp_path / "report.xml").getroot()
    assert [suite.get(name) for name in ("name", "tests", "failures", "errors")] == ["courier", "3", "1", "1"]


def test_what_fails_is_an_annotation_for_github(cli: Commands, wrong: Path) -> None:
    """At the line of the step, beside what people read; with --format json it is the JSON."""
    ended = cli("test", str(wrong), "--format", "github")
    found = [line for line in ended.out.splitlines() if line.startswith("::")]
    assert ended.code == 2 and len(found) == 3
    assert found[0].startswith("::error file=courier/scenarios/elsewhere.yaml,line=9,col=7,title=elsewhere::state")
    assert cli("test", str(wrong), "--format", "json").json["ok"] is False


def test_one_scenario_is_played_alone(cli: Commands, wrong: Path) -> None:
    """The others are not even read."""
    ended = cli("test", str(wrong), "--scenario", "to-the-door", "--json")
    assert ended.code == 0 and [each["name"] for each in ended.json["scenarios"]] == ["to-the-door"]
    assert "did you mean 'elsewhere'" in cli("test", str(wrong), "--scenario", "elswhere", "--json").error["message"]


def test_a_bundle_without_scenarios_says_so(cli: Commands, wrong: Path) -> None:
    """Nothing to play is no success."""
    shutil.rmtree(wrong / "scenarios")
    assert "has no scenarios" in cli("test", str(wrong), "--json").error["message"]


def test_a_report_that_cannot_be_written_is_a_usage_error(cli: Commands, tmp_path: Path) -> None:
    """It names the file."""
    ended = cli("test", str(COURIER), "--junit", str(tmp_path / "nowhere" / "report.xml"), "--json")
    assert ended.code == 2 and "report.xml cannot be written" in ended.error["message"]


def test_a_simulation_reports_what_it_covered(cli: Commands, terminal: None) -> None:
    """States, transitions and guards, with what is missing."""
    ended = cli("simulate", str(COURIER), "--walks", "2", "--steps", "8", "--seed", "3")
    assert ended.code == 0 and ended.out.splitlines()[-1] == "nothing was broken"
    assert "2 walks, " in ended.out and "  states: " in ended.out and "  guards: " in ended.out


def test_a_simulation_that_reached_nothing_fails(cli: Commands, terminal: None, wrong: Path) -> None:
    """It does not say that nothing was broken; the reason, and exit code 2."""
    shutil.rmtree(wrong / "scenarios")
    code = wrong / "phases" / "order.py"
    code.write_text(code.read_text(encoding="utf-8").replace("0 < weight", "11 < weight"), encoding="utf-8")
    ended = cli("simulate", str(wrong), "--walks", "2", "--steps", "8")
    assert ended.code == 2 and "nothing was broken" not in ended.out
    assert "NOTHING REACHED: no session began: 'start' is refused: the parcel must weigh" in ended.out
    told = cli("simulate", str(wrong), "--walks", "2", "--steps", "8", "--json").json
    assert (told["ok"], told["violation"]) == (False, None) and told["unreached"].startswith("no session began")


def test_a_violation_is_shown_with_its_seed(cli: Commands, wrong: Path) -> None:
    """The run that breaks it, and the seed that takes it again; exit code 2."""
    order = wrong / "phases" / "order.py"
    text = order.read_text(encoding="utf-8")
    assert 'call("GET", "/price", query' in text
    order.write_text(text.replace('call("GET", "/price", query', 'call("POST", "/bookings", query'), encoding="utf-8")
    ended = cli("simulate", str(wrong), "--walks", "3", "--seed", "5", "--json")
    found = ended.json["violation"]
    assert ended.code == 2 and not ended.json["ok"] and found["seed"] == 5 + found["walk"]
    assert "paid requests" in found["broken"][0] and "start" in found["transcript"][0]
