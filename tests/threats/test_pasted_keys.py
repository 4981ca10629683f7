"""Keys that a user pastes into the conversation: refused before anything is recorded, with the way to set one."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import Player, player
from tests.threats.test_leaks import DISGUISES, HARMLESS
from workflow.model.errors import UsageError
from workflow.model.session import Turn
from workflow.service.key import holds_a_key
from workflow.store.sqlite import SqliteStore

ROOT = Path(__file__).parents[2]
LETTERS = string.ascii_letters + string.digits


def token(size: int, seed: int = 7) -> str:
    """Letters and digits at random, the same at each run, with one of each kind at least."""
    return "aZ4" + "".join(random.Random(seed).choices(LETTERS, k=size - 3))


KEYS = {
    "of the service": f"sk-ag-{token(20)}",
    "of OpenAI": f"sk-proj-{token(40)}",
    "of Anthropic": f"sk-ant-api03-{token(60)}",
    "of Stripe": f"sk_live_{token(24)}",
    "of GitHub": f"ghp_{token(36)}",
    "of GitHub, for some repositories": f"github_pat_{token(40)}",
    "of GitLab": f"glpat-{token(20)}",
    "of Slack": f"xoxb-1234567890-{token(24)}",
    "of Google": f"AIza{token(35)}",
    "of Amazon": f"AKIA{token(16).upper()}",
    "of npm": f"npm_{token(36)}",
    "a JSON Web Token": f"eyJ{token(20)}.{token(30)}.{token(20)}",
    "a private key": "-----BEGIN OPENSSH PRIVATE KEY-----",
    "random": token(40),
    "named": f"My API key is {token(18).lower()}",
    "named in Chinese": f"密钥是{token(18)}",
}


@pytest.fixture
def kept(tmp_path: Path, sandbox: Sandbox) -> Player:
    """A session in files, in the sandbox."""
    return player(tmp_path, ROOT, sandbox.url, store=SqliteStore(tmp_path / "kept"))


@pytest.fixture
def sandbox() -> Any:
    """A service for one test."""
    with Sandbox() as running:
        yield running


@pytest.mark.rule("R11")
@pytest.mark.parametrize("kind", KEYS)
def test_what_has_the_form_of_a_key_is_refused_and_recorded_nowhere(
    kept: Player, sandbox: Sandbox, tmp_path: Path, kind: str
) -> None:
    """In words, an answer, a quote or a translation: nothing is sent, and no file of the store holds a piece of it."""
    key = KEYS[kind]
    with pytest.raises(UsageError, match="looks like a key"):
        kept.start({"words": f"A poster. {key}"})
    kept.start({"words": "A poster"})
    sent, seq = len(sandbox.requests), len(kept.journal())
    for event, given in (("answer", {"words": f"use {key}"}), ("adjust", {"words": key}), ("cancel", {"note": key})):
        with pytest.raises(UsageError, match="looks like a key"):
            kept.send(event, given)
    with pytest.raises(UsageError, match="looks like a key"):
        kept.send("create_now", quote=f"yes, with {key}")
    with pytest.raises(UsageError, match="looks like a key"):
        kept.send("create_now", quote="yes", translation=f"Faut-il créer l'image ? {key}")
    with pytest.raises(UsageError, match="looks like a key"):
        kept.send("answer", **file_of(description=f"a logo. {key}"))
    assert (len(sandbox.requests), len(kept.journal())) == (sent, seq)
    stored = b"".join(path.read_bytes() for path in (tmp_path / "kept").rglob("*") if path.is_file())
    assert kept.name.encode() in stored and key[-12:].encode() not in stored


def file_of(path: str = "logo.png", description: str = "a logo") -> dict[str, Any]:
    """A turn that offers a file."""
    return {"input": {"words": "Blue", "references": [{"path": path, "description": description}]}}


TEXTS: dict[str, Callable[[str], dict[str, Any]]] = {  # every text of a turn that a caller sends
    "words": lambda key: {"input": {"words": f"in blue, {key}"}},
    "an unknown input": lambda key: {"input": {"words": "Blue", "note": key}},
    "the name of an input": lambda key: {"input": {"words": "Blue", key: "yes"}},
    "a list in an input": lambda key: {"input": {"words": "Blue", "notes": [{"kept": key}]}},
    "a description": lambda key: file_of(description=f"a logo, {key}"),
    "the name of a file": lambda key: file_of(path=f"{key}.png"),
    "a folder": lambda key: file_of(path=f"{key}/logo.png"),
    "the event": lambda key: {"event": key},
    "a quote": lambda key: {"event": "create_now", "quote": f"yes, {key}"},
    "a translation": lambda key: {"event": "create_now", "quote": "yes", "translation": f"Créer ? {key}"},
    "an item": lambda key: {"event": "create_now", "quote": "yes", "items": [key]},
    "turn_id": lambda key: {"input": {"words": "Blue"}, "turn_id": key},
    "turn_id without an event": lambda key: {"event": None, "turn_id": key},
    "seen": lambda key: {"input": {"words": "Blue"}, "seen": key[:60]},
    "the name of the client": lambda key: {"input": {"words": "Blue"}, "client": f"host {key}"},
}


@pytest.mark.rule("R11")
@pytest.mark.parametrize("place", TEXTS)
def test_no_text_of_a_turn_brings_a_key_into_the_store(kept: Player, tmp_path: Path, place: str) -> None:
    """Whichever text of a turn holds it: the turn is refused, and no file of the store holds a piece of it."""
    kept.start({"words": "A poster"})
    (tmp_path / "logo.png").write_bytes(b"a logo")
    key = KEYS["of the service"]
    given = {"event": "answer", "input": {}, "seen": kept.reply.seen, **TEXTS[place](key)}
    items = tuple(given.pop("items", ())) or None
    with pytest.raises(UsageError, match="looks like a key|longer than the token"):
        kept.engine.advance(kept.name, Turn(items=items, **given))
    stored = b"".join(path.read_bytes() for path in (tmp_path / "kept").rglob("*") if path.is_file())
    assert key[-12:].encode() not in stored


@pytest.mark.parametrize("event", ["start", "answer", None])
def test_a_key_is_no_language(kept: Player, monkeypatch: pytest.MonkeyPatch, event: str | None) -> None:
    """A key that is spelled like a language tag, such as one of short groups, is not recorded as one."""
    key = "sk-0a1b2c3d-e5f6a7b8"
    monkeypatch.setattr("workflow.engine.run.Run.known_key", lambda run: key)
    if event == "start":
        with pytest.raises(UsageError, match="holds the service's key"):
            kept.start({"words": "A poster"}, language=key)
        assert kept.engine.sessions() == []
        return
    kept.start({"words": "A poster"})
    before, given = len(kept.journal()), {"words": "Blue"} if event else {}
    with pytest.raises(UsageError, match="holds the service's key"):
        kept.send(event, given, language=key)
    assert len(kept.journal()) == before


def test_the_refusal_says_where_a_key_is_set(kept: Player) -> None:
    """On the machine, not in the chat, and with the variable's name; it repeats nothing of the key."""
    with pytest.raises(UsageError) as caught:
        kept.start({"words": KEYS["of the service"]})
    told = f"{caught.value.message} {caught.value.hint}"
    assert "on the machine, not in this chat" in told and "ANYGEN_API_KEY" in told
    assert not any(KEYS["of the service"][at : at + 5] in told for at in range(6, 20))


@pytest.mark.parametrize("text", [each for each in HARMLESS if len(each) < 500])
def test_words_that_are_no_key_are_taken(text: str) -> None:
    """Everyday sentences in a dozen languages, with links, numbers, dates and colours."""
    assert not holds_a_key(text, "sk-sandbox-0000000000000000", strict=True)


@pytest.mark.parametrize(
    "text",
    [
        *("sk-skateboard-contest-2024-in-the-park", "Please check its format (sk-…)", "rk-1-and-rk-2-are-robots"),
        *("The token of the game is a silver-thimble-with-2-ears", "3f786850e387550fdab836ed7e6dc881de23001b"),
        *("ANTIDISESTABLISHMENTARIANISM_IS_A_LONG_WORD", "https://x.example/AbCdEf0123456789AbCdEf0123456789AbCd"),
        *("a1b2c3d4-e5f6-47a8-9b0c-d1e2f3a4b5c6", "The key is very important to us all", "AAAA" * 20),
    ],
)
def test_what_only_resembles_a_key_is_taken(text: str) -> None:
    """Words with hyphens, digests, links, shouting."""
    assert not holds_a_key(text, "sk-sandbox-0000000000000000", strict=True)


@pytest.mark.parametrize("disguise", [each for each in DISGUISES if each not in ("upper case", "look-alikes")])
def test_a_key_in_disguise_is_refused(disguise: str) -> None:
    """Full-width, invisible marks, codes: what is pasted from a web page is read as a person reads it."""
    assert holds_a_key(DISGUISES[disguise](KEYS["of OpenAI"]), "", strict=True)


@pytest.mark.parametrize("check", ["readings", "_has_key", "compatible", "drawn"])
def test_a_check_for_keys_that_fails_refuses_the_turn(
    kept: Player, monkeypatch: pytest.MonkeyPatch, check: str
) -> None:
    """It raises here: nothing is recorded."""

    def fails(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(f"workflow.service.key.{check}", fails)
    with pytest.raises(UsageError, match="looks like a key"):
        kept.start({"words": "A poster"})
    assert kept.engine.sessions() == []
