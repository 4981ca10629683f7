"""``workflow graph --format html``: one page that tells what is behind each state, and runs nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands
from tests.cli.test_export import Page
from workflow.bundle import Bundle, open_bundle
from workflow.model.frozen import replace
from workflow.show.graph import draw
from workflow.show.machine_page import page_of

ROOT = Path(__file__).parents[2]
HOSTILE = "</title><script>alert(1)</script><img src=x onerror=alert(2)> ${words} \u202eevil"


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """The reference bundle."""
    return open_bundle(ROOT)


def drawn(bundle: Bundle) -> str:
    """The page of a bundle, without a session."""
    effects = {name: action.effect for name, action in bundle.registry.actions.items()}
    return page_of(bundle, draw(bundle.definition, effects), None)


def test_the_page_tells_everything_of_every_state(bundle: Bundle) -> None:
    """A place for each state, with every message in every language, its action, and what leads on."""
    page = Page(drawn(bundle))
    places = [attributes["id"] for tag, attributes in page.tags if tag == "article"]
    assert places == list(bundle.definition.states)
    for state in bundle.definition.states.values():
        for message in (*(state.say.targets if state.say else ()), *(state.aside.targets if state.aside else ())):
            assert all(bundle.prompts[language][message] in page.text for language in bundle.definition.languages)
    assert {*bundle.registry.actions, *bundle.definition.gates} <= set(re.findall(r"\w+", page.text))
    assert "create (once); sets message_id, task_id" in page.text
    assert "never without user_approved or ordered_directly" in page.text


def test_every_link_of_the_page_leads_to_a_state(bundle: Bundle) -> None:
    """In the drawing and in the text; nothing leads away from the page."""
    page = Page(drawn(bundle))
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert {f"#{name}" for name in bundle.definition.states} == set(links)
    assert {attributes["href"] for tag, attributes in page.tags if tag == "use"} == {"#machine"}


def test_the_page_loads_and_runs_nothing(bundle: Bundle) -> None:
    """Hostile titles and messages are text; there is no script, no handler and no address of elsewhere."""
    definition = replace(bundle.definition, title=HOSTILE)
    prompts = {language: dict.fromkeys(texts, HOSTILE) for language, texts in bundle.prompts.items()}
    text = drawn(replace(bundle, definition=definition, prompts=prompts))
    page = Page(text)
    assert "<script>alert(1)</script>" in page.text and "\\u{202e}" in page.text and "\u202e" not in text
    assert not {"script", "img", "iframe", "link", "object", "form", "base"} & {tag for tag, _ in page.tags}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on") or name == "src"]
    assert set(re.findall(r"\w+://[^\s\"<]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'; style-src 'unsafe-inline'" in text


def test_the_way_of_a_session_is_told_without_its_words(cli: Commands, sandbox: Sandbox) -> None:
    """Step by step to where it stands now; what people said in it is not in a drawing."""
    plan = cli.planned()
    page = Page(cli("graph", "--session", plan["session"], "--format", "html").out)
    told = " ".join(page.text.split())
    assert f"{plan['session']} (sandbox) is now in confirm.presenting" in told
    assert f"The way of {plan['session']} (sandbox)start → understand.starting" in told
    assert "then → understand.receiving" in told and "then → confirm.presenting" in told
    assert "A poster" not in page.text


def test_a_state_that_is_gone_breaks_nothing(cli: Commands, sandbox: Sandbox) -> None:
    """A session of one bundle in the page of another: its steps are told, nothing is marked."""
    plan = cli.planned()
    ended = cli("graph", str(ROOT / "tests/courier"), "--session", plan["session"], "--format", "html")
    assert ended.code == 0 and "is now in" not in Page(ended.out).text
