"""What a form shows: in the session's language, what the answer is about, and nothing else."""

from __future__ import annotations

import re
from typing import Any

import anyio
import pytest
from mcp.client import ClientRequestContext
from mcp.types import ElicitRequestParams

from tests.mcp.conftest import Place, talk
from tests.mcp.host import CHANGE, WORDS, Filled, Host, Person, agree, answer_of
from workflow.mcp_server import alive
from workflow.mcp_server.form_words import NO_ANSWERS, form_words
from workflow.mcp_server.form_words import WORDS as SPOKEN

WAITING = "waiting for the person's answer"
CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize(
    ("language", "declared", "spoken"),
    [
        ("en", ("en",), "en"),
        ("en-GB", ("zh-CN", "en"), "en"),
        ("zh-CN", ("en", "zh-CN"), "zh"),
        ("zh-Hant-TW", ("en",), "zh"),
        ("fr", ("en", "zh-CN"), "en"),
        ("fr", ("zh-CN", "en"), "zh"),
        ("fr", ("de", "zh-CN"), "zh"),
        ("fr", ("de",), "en"),
    ],
)
def test_a_form_speaks_the_sessions_language(language: str, declared: tuple[str, ...], spoken: str) -> None:
    """Its own words exist in two languages; another one falls back in the bundle's order, then to English."""
    assert form_words(language, declared) is SPOKEN[spoken]


def test_the_words_take_the_same_places_in_each_language() -> None:
    """Every language has every line, with as many blanks; each "no answer" is known as one."""
    shapes = [{name: line.count("{}") for name, line in words.__dict__.items()} for words in SPOKEN.values()]
    assert all(shape == shapes[0] for shape in shapes)
    assert {words.no for words in SPOKEN.values()} == NO_ANSWERS
    assert all(CHINESE.search(line) for line in SPOKEN["zh"].__dict__.values() if line.strip("{}"))


def asked(place: Place, era: str, language: str) -> Person:
    """The forms of a conversation in this language: a plan, then a change."""

    async def play(host: Host) -> None:
        host.reply = await host.call("workflow_start", input={"words": WORDS}, language=language)
        assert (await host.advance("approve"))["ok"]
        await host.call("workflow_watch", session=host.name)
        await host.advance()
        assert (await host.advance("modify", input={"words": CHANGE}))["state"] == "revise.applying"
        names.append(host.name)

    names: list[str] = []
    person = talk(place, era, play, Person(agree))
    assert not [text for text in person.asked if names[0] in text]
    return person


def test_a_chinese_user_reads_chinese(quick: Place, era: str) -> None:
    """Text, titles and choices; only what others wrote and the event's code are in other words."""
    person = asked(quick, era, "zh-CN")
    for text, form in zip(person.asked, person.forms, strict=True):
        ours = [line for line in text.splitlines() if line and not line.startswith("│") and "“" not in line]
        assert ours and all(CHINESE.search(line) for line in ours)
        assert all(CHINESE.search(str(field["title"])) for field in form.values())
        assert form["answer"]["enum"][0] == "现在不回答" and CHINESE.search(form["answer"]["description"])


def test_a_form_shows_what_is_new(quick: Place, era: str) -> None:
    """The plan once, where it is agreed to; a change shows the change and no plan, no link and no session."""
    plan, change = asked(quick, era, "en").asked
    shown = [line for line in plan.splitlines() if len(line) > 30]
    assert len(shown) == len(set(shown)) and "Shall I go ahead" in plan
    assert [line for line in change.splitlines() if line] == [
        SPOKEN["en"].asks_in_sandbox,
        SPOKEN["en"].would_send,
        f"words: “{CHANGE}”",
    ]


def test_files_are_chosen_by_their_names(place: Place, era: str) -> None:
    """A title names the file and its folder; digest and size stand above."""
    (place.folder / "more").mkdir()
    (place.folder / "more" / "other.png").write_bytes(b"another picture")
    files: list[dict[str, Any]] = [{"path": path, "description": "x"} for path in ("ref.png", "more/other.png")]

    async def play(host: Host) -> None:
        await host.start(references=files)
        await host.advance("consent")

    (form,) = talk(place, era, play, Person(agree)).forms
    titles = [field["title"] for name, field in form.items() if name.startswith("file_")]
    assert titles[0] == "“ref.png”: may it be sent?" and "“other.png” (“more”)" in titles[1]


@pytest.mark.parametrize("hears", [True, False], ids=["with a token", "without a token"])
def test_a_call_that_waits_for_a_form_shows_that_it_lives(
    quick: Place, era: str, monkeypatch: pytest.MonkeyPatch, hears: bool
) -> None:
    """A client that would give up after a minute hears that the call goes on, until the person has answered.

    In the later era no call is open while the person answers: there is nothing to keep alive.
    """
    monkeypatch.setattr(alive, "FIRST", 0.001)
    monkeypatch.setattr(alive, "SIGN", 0.001)
    told: list[tuple[float, str | None]] = []
    waits = hears and era == "2025-11-25"
    lives = anyio.Event()

    async def update(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, message))
        if [each for _, each in told].count(WAITING) == 3:
            lives.set()

    class Slow(Person):
        async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> Filled:
            with anyio.move_on_after(20 if waits else 0):  # without any sign the person answers in the end
                await lives.wait()
            return await super().__call__(context, params)

    async def play(host: Host) -> None:
        plan = await host.start()
        given = {"session": host.name, "event": "approve", "seen": plan["seen"]}
        result = await host.client.call_tool("workflow_advance", given, progress_callback=update if hears else None)
        assert answer_of(result)["state"] == "deliver.generating"
        after.append(len(told))

    after: list[int] = []
    talk(quick, era, play, Slow(agree))
    messages = [each for _, each in told]
    assert (messages.count(WAITING) >= 3) is waits and len(told) == after[0]
    assert set(messages) == ({"working"} if hears else set()) | ({WAITING} if waits else set())
    assert [each for each, _ in told] == sorted({each for each, _ in told})
