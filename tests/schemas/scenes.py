"""Every command that authors and people run, called so that each of its forms is printed in all of its parts."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import pytest

from tests import roles as signing
from tests.cli.test_approver import RIGHT, WRONG, Person
from tests.cli.test_cheat import GOT_THROUGH
from tests.cli.test_coverage import SKILL
from tests.devices import SignedBy
from tests.guarded import CANNOT_TELL, write
from tests.playing import HandClock
from tests.schemas import sessions
from tests.schemas.forms import PROGRAMS
from tests.schemas.recorder import Output, Recorder, Scene, standing
from workflow.bundle import open_bundle
from workflow.cli.demo import cheat
from workflow.cli.demo.attempts import MADE_UP, Act
from workflow.cli.people import approver
from workflow.local import approvers
from workflow.local.approvers import Device
from workflow.local.browsers import Browsers
from workflow.local.clock import SystemClock
from workflow.service.sandbox.table import Answers

COURIER = Path(__file__).parents[1] / "courier"


def play(folder: Path, scenes: Sequence[Scene] = ()) -> list[Output]:
    """What these scenes print, or all of them."""
    found: list[Output] = []
    for scene in scenes or SCENES:
        with standing(folder / scene.__name__) as (cli, patch):
            scene(cli, patch)
        found += cli.outputs
    return found


def bundles(cli: Recorder, patch: pytest.MonkeyPatch) -> None:
    """What authors are told: of a sound bundle, and of broken ones."""
    for form in ("ascii", "mermaid", "dot", "svg", "html"):
        cli("graph", "--format", form, "--json")
    cli("schema")
    cli("init", "mine")
    cli("lint", "mine")
    cli("test", "mine")
    cli("simulate", "mine", "--walks", "1", "--steps", "3")
    broken = cli.folder / "broken"
    shutil.copytree(COURIER, broken, ignore=shutil.ignore_patterns("__pycache__"))
    scenario = (broken / "scenarios/to-the-door.yaml").read_text(encoding="utf-8")
    (broken / "scenarios/elsewhere.yaml").write_text(
        scenario.replace("state: order.offering", "state: order.pricing"), encoding="utf-8"
    )
    depot = broken / "phases/depot.py"
    text = depot.read_text(encoding="utf-8").replace('PAID = ("POST /bookings",)', "PAID = ()")
    depot.write_text(text, encoding="utf-8")
    cli("test", "broken")
    cli("simulate", "broken", "--walks", "1", "--steps", "2")
    shutil.rmtree(broken / "scenarios")
    order = broken / "phases/order.py"
    order.write_text(order.read_text(encoding="utf-8").replace("0 < weight", "11 < weight"), encoding="utf-8")
    cli("simulate", "broken", "--walks", "1", "--steps", "8")
    write(cli.folder / "guarded", "then", CANNOT_TELL["misses a key"])
    cli("simulate", "guarded", "--seed", "1", "--walks", "40", "--steps", "20")
    yaml = cli.folder / "mine/workflow.yaml"
    text = yaml.read_text(encoding="utf-8")
    yaml.write_text(text + "\nnever_after: {mine.offering: [mine.offering]}\n", encoding="utf-8")
    cli("lint", "mine")
    yaml.write_text(text.replace("wish_is_clear", "wish_is_cler"), encoding="utf-8")
    cli("lint", "mine")
    yaml.write_text(re.sub(r"    when: .*\n", "", text), encoding="utf-8")
    cli("lint", "mine")
    cli("lint", "nowhere")


def skills(cli: Recorder, patch: pytest.MonkeyPatch) -> None:
    """Skills that are written, checked and covered."""
    cli("skill", "export", "--target", "claude", "skills/anygen-image")
    cli("skill", "check", "skills/anygen-image")
    cli("skill", "check", "nowhere")
    file = cli.folder / "skills/anygen-image/SKILL.md"
    file.write_text(f"{file.read_text(encoding='utf-8')}\nMine.\n", encoding="utf-8")
    cli("skill", "check", "skills/anygen-image")
    (cli.folder / "SKILL.md").write_text(SKILL, encoding="utf-8")
    cli("skill", "coverage", "SKILL.md")
    cli("skill", "coverage", "SKILL.md", "--strict")
    patch.setenv("PHASEGATE_STATE", str(file))
    cli("skill", "export", "--target", "claude", "more/anygen-image")


def machine(cli: Recorder, patch: pytest.MonkeyPatch) -> None:
    """What holds on this machine, with a key and without."""
    cli("config")
    cli("doctor")
    patch.setenv("ANYGEN_API_KEY", "sk-of-a-test-0000000000000000")
    cli("config")
    patch.setenv("ANYGEN_API_KEY", "two words")
    cli("config")
    cli("doctor")
    (cli.folder / "mine").mkdir()
    cli("init", "mine")
    yaml = cli.folder / "mine/workflow.yaml"
    yaml.write_text(yaml.read_text(encoding="utf-8") + "\nsettings: {most: 2.5, loud: true}\n", encoding="utf-8")
    patch.setenv("PHASEGATE_BUNDLE", str(yaml.parent))
    (cli.folder / "config/config.toml").write_text(
        '[gates]\nno_such_gate = "asked"\n[limits]\norder = {per = "24h", most = 5}\n', encoding="utf-8"
    )
    cli("config")
    for arguments in (("--help",), ("--version",), ("status", "--help")):
        cli(*arguments, "--json")
    cli.admin("token", "--help", "--json")


def people(cli: Recorder, patch: pytest.MonkeyPatch) -> None:
    """Tokens, browsers and passphrases."""
    cli.admin("token", "new", "openclaw", "--owner", "me")
    cli.admin("token", "list")
    cli.admin("token", "revoke", "openclaw")
    cli.admin("token", "revoke", "openclaw")
    link = cli.admin("page", "--scope", "auditor", "--json").json["link"].partition("=")[2]
    cli.admin("page")
    Browsers(cli.folder / "config", SystemClock()).pair(link, "a phone")
    (paired,) = cli.admin("browser", "list", "--json").json["browsers"]
    cli.admin("browser", "revoke", paired["id"])
    cli.admin("browser", "revoke", "1f2e3d4c")
    patch.setattr(approvers, "COST", 2**4)
    clock = HandClock()
    patch.setattr(approver, "SystemClock", lambda: clock)
    cli.admin("approver", "add")
    person = Person(patch)
    person.types(unseen=(RIGHT, RIGHT))
    cli.admin("approver", "add", "--json")
    person.types(unseen=(RIGHT,))
    cli.admin("approver", "role", "owner", "manager", "--json")
    person.types(unseen=(WRONG,))
    cli.admin("approver", "remove", "--json")
    cli.admin("approver", "list")
    cli.admin("device", "list")
    device = Device("a phone", "https://approve.example.org", "Y3JlZGVudGlhbA", "a2V5", "2027-01-15T08:00:00.000Z")
    approvers.Approvers(cli.folder / "config", clock).pair("owner", device)
    cli.admin("device", "list")
    person.types("y", unseen=(RIGHT,))
    cli.admin("device", "confirm", device.fingerprint, "--json")
    cli.admin("device", "list")
    person.types()
    cli.admin("device", "revoke", device.fingerprint, "--json")
    patch.setattr("workflow.cli.console.interactive", lambda: False)
    for listed in ("device", "approver"):
        (cli.folder / "config/approvers.json").chmod(0o644)
        cli.admin(listed, "list")


def roles(cli: Recorder, patch: pytest.MonkeyPatch) -> None:
    """A report that waits for two of the board, whose members have answered in part, and then is paid."""
    patch.setattr(approvers, "COST", 2**4)
    clock = HandClock()
    patch.setattr(approver, "SystemClock", lambda: clock)
    person = Person(patch)
    for name, role in (("erin", "employee"), ("ada", "board"), ("bob", "board")):
        person.types(unseen=(RIGHT, RIGHT))
        cli.admin("approver", "add", name, "--role", role)
    bundle = signing.write(cli.folder / "signing")
    sandbox = Answers(open_bundle(bundle).definition)
    sandbox.start()
    try:
        patch.setenv("PHASEGATE_SANDBOX", sandbox.url)
        name = cli.turn("start", "--bundle", str(bundle), input={**signing.REPORT, "big": True})["session"]
        for approved_by in ("erin", "ada"):
            person.types("y", "yes", unseen=(RIGHT,))
            cli.admin("approve", name, "--approver", approved_by)
        cli("status", name)
        cli("audit", "log", name)
        person.types("y", "yes", unseen=(RIGHT,))
        cli.admin("approve", name, "--approver", "bob")
        cli("audit", "prove", name)
    finally:
        sandbox.stop()


def signed(cli: Recorder, patch: pytest.MonkeyPatch) -> None:
    """A report that everybody signed with a passkey, and is paid."""
    patch.setattr(approvers, "COST", 2**4)
    with SignedBy(cli.folder, on_disk=True) as signing:
        for person in ("erin", "mona"):
            signing.paired(person)
        signing.begin()
        signing.sign("erin", "submit")
        signing.sign("mona", "approve")
        signing.store.close()
        cli("audit", "prove", signing.play.name)
        cli.admin("device", "list")
        cli.admin("page", "--approver", "erin")


def demos(cli: Recorder, patch: pytest.MonkeyPatch) -> None:
    """Both plays, of the second the last act, and an agent that is not stopped."""
    cli("demo", "--yes", "--json")
    patch.setattr(cheat, "ACTS", (Act("A plan", MADE_UP.steps[:1]),))
    patch.setattr(cheat, "TRIED", 1)
    cli("demo", "--try-to-cheat", "--json")
    patch.setattr(cheat, "ACTS", GOT_THROUGH)
    patch.setattr(cheat, "TRIED", 1)
    cli("demo", "--try-to-cheat", "--json")


def failures(cli: Recorder, patch: pytest.MonkeyPatch) -> None:
    """Every command called wrongly, and every one that takes a session with one that is not there."""
    for program, group in PROGRAMS.items():
        for command in _leaves(group, ()):
            said = cli.admin if program == "workflow-admin" else cli
            said(*command, "--no-such-option", "--json")
            if command not in (("demo",), ("doctor",), ("config",), ("sandbox",), ("mcp",), ("serve",), ("api",)):
                said(*command, "no-such-thing", "--json")
    cli("no-such-command")
    cli.admin("no-such-command")


def _leaves(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        yield path
        return
    for name in command.list_commands(click.Context(command)):
        inner = command.get_command(click.Context(command), name)
        assert inner is not None
        yield from _leaves(inner, (*path, name))


SCENES: Sequence[Scene] = (*sessions.SCENES, bundles, skills, machine, people, roles, signed, demos, failures)
