"""Events that a setting switches off appear nowhere: not in replies, refusals, the skill, drawings or over MCP."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import Player, player
from tests.promises.conftest import REFERENCE
from tests.promises.journeys import to_generating, to_ready
from workflow.author.skill import TARGETS, write_skill
from workflow.bundle import open_bundle
from workflow.machine.definition import OURS, Definition
from workflow.machine.wording import worded
from workflow.mcp_server.resources import _drawn
from workflow.model.frozen import replace
from workflow.show.formats import FORMATS, as_text
from workflow.show.graph import draw
from workflow.show.machine_page import page_of

SWITCHED = ("praised", "asked_for_more")
MOVES_ONLY = ("graph mermaid", "graph dot", "graph svg")
OFF_ON = pytest.mark.parametrize("on", [False, True], ids=["off", "on"])


def configured(on: bool) -> Definition:
    """The reference bundle under this user's configuration; `adjust`, which moves, is switched as well."""
    definition = open_bundle(REFERENCE).definition
    events = {**definition.events, "adjust": replace(definition.events["adjust"], guard="recommending")}
    return replace(definition, events=events).configured({"recommendations": on})


def drawing(form: str) -> Callable[[Definition], str]:
    """The machine in one form."""
    return lambda definition: as_text(draw(definition, {}), form)


def page(definition: Definition) -> str:
    """The machine as a page."""
    bundle = replace(open_bundle(REFERENCE), definition=definition)
    effects = {name: action.effect for name, action in bundle.registry.actions.items()}
    return page_of(bundle, draw(definition, effects), None)


def skill(target: str) -> Callable[[Definition], str]:
    """The skill for one program."""
    return lambda definition: write_skill(definition, "d" * 64, target)


STATIC: dict[str, Callable[[Definition], str]] = {
    **{f"graph {form}": drawing(form) for form in FORMATS},
    **{f"skill {target}": skill(target) for target in TARGETS},
    "page": page,
}


@OFF_ON
@pytest.mark.parametrize("surface", STATIC)
def test_texts_made_of_the_bundle_name_them_only_while_on(surface: str, on: bool) -> None:
    """Each drawing, the page and each skill. Most drawings show only what moves; the page has `adjust` in messages."""
    sought = ("adjust",) if surface in MOVES_ONLY else SWITCHED if surface == "page" else ("adjust", *SWITCHED)
    text = STATIC[surface](configured(on))
    assert [bool(re.search(rf"\b{name}\b", text)) for name in sought] == [on] * len(sought)


@OFF_ON
def test_the_diagram_over_mcp_names_them_only_while_on(
    tmp_path: Path, copied: Path, sandbox: Sandbox, on: bool
) -> None:
    """It is drawn under the configuration of the engine that serves it."""
    yaml = copied / "workflow.yaml"
    text = yaml.read_text(encoding="utf-8")
    adjust = text[text.index("  adjust:\n") : text.index("  modify:\n")]
    guarded = adjust.replace("if: files_usable", "if: recommending")
    assert guarded != adjust
    yaml.write_text(text.replace(adjust, guarded), encoding="utf-8")
    play = player(tmp_path, copied, sandbox.url, settings={"recommendations": on})
    assert bool(re.search(r"\badjust\b", _drawn(play.engine, str(copied), None))) is on


@OFF_ON
@pytest.mark.parametrize("reach", [to_generating, to_ready])
@pytest.mark.rule("R92", "R93")
def test_replies_and_refusals_name_them_only_while_on(
    tmp_path: Path, sandbox: Sandbox, reach: Callable[[Player], Any], on: bool
) -> None:
    """Neither offered nor among what is possible, or not possible, now; one that is sent says that it is off."""
    play = player(tmp_path, REFERENCE, sandbox.url, settings={"recommendations": on})
    reach(play)
    offered = {option.event for option in play.reply.next}
    assert [name in offered for name in SWITCHED] == [on, on]
    hint = (play.send("approve", quote="Yes").error or pytest.fail("accepted")).hint
    assert [name in hint for name in SWITCHED] == [on, on]
    reply = play.send("praised")
    assert (reply.error is None) is on
    if reply.error:
        why = "'praised' is switched off: recommendations are switched off in the configuration"
        assert reply.error.message == f"'praised' is refused: {why}" or reply.error.message == why


def test_what_moves_can_be_switched_off_too() -> None:
    """Its moves go with it, and nothing else does; `start` stays whatever its guard says."""
    definition = open_bundle(REFERENCE).definition
    events = {**definition.events, "finish": replace(definition.events["finish"], guard="recommending")}
    events["start"] = replace(events["start"], guard="recommending")
    changed = replace(definition, events=events)
    off = changed.switched_off(changed.options({}))
    assert off == {*SWITCHED, "finish"} and changed.switched_off({"recommendations": True}) == frozenset()
    less = changed.without(off)
    assert "finish" not in less.events and not any("finish" in state.on for state in less.states.values())
    assert set(definition.events) - set(less.events) == off and set(less.states) == set(definition.states)
    assert changed.without(frozenset()) is changed


@pytest.mark.parametrize("language", ["en", "zh-CN", "fr"])
def test_replies_say_the_phase_and_what_each_event_means(play: Player, language: str) -> None:
    """The phase by number and title in the session's language; `when` of each event, as the bundle says it."""
    play.start({"words": "A poster"}, language=language)
    definition = open_bundle(REFERENCE).definition
    phase = {"en": "1 Understand requirements", "zh-CN": "1 明确需求", "fr": "1 Understand requirements"}[language]
    assert play.reply.phase == phase
    told = {option.event: option.when for option in play.reply.next}
    assert told == {name: worded(definition.events[name].when, language) for name in told} and all(told.values())


def test_retry_says_when_it_is_sent(play: Player, sandbox: Sandbox) -> None:
    """The event that every workflow has says its own meaning, where a call has failed."""
    sandbox.fault("unauthorized", on="prepare")
    play.start({"words": "A poster"})
    assert {option.event: option.when for option in play.reply.next}["retry"] == OURS["retry"]
