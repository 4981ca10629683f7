"""Rules that an agent keeps by itself stand in the skill that it reads, and the prose's sentences are tied to rules."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.rules import HERE, read_rules, read_tests
from workflow.author.rule_coverage import covers, demands, sentences
from workflow.author.skill import TARGETS, write_skill
from workflow.bundle import open_bundle

ROOT = Path(__file__).resolve().parents[2]
DIGEST = "d" * 64


def skill(target: str, **settings: bool) -> str:
    """The exported text on one line, as an agent reads it, under these settings."""
    definition = open_bundle(ROOT).definition.configured(settings)
    return " ".join(write_skill(definition, DIGEST, target).split())


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "sentence",
    [
        pytest.param("MUST follow this file exactly, and skip, reorder or improvise", marks=pytest.mark.rule("R1")),
        pytest.param("If the file has changed since you read it, read it again", marks=pytest.mark.rule("R2")),
        pytest.param("commands or raw output.", marks=pytest.mark.rule("R15")),
        pytest.param("NEVER show the user ids, tokens, keys, paths of files, names", marks=pytest.mark.rule("R16")),
        pytest.param("API, OpenAPI, prepare, create, poll, status, query, spawn", marks=pytest.mark.rule("R20")),
        pytest.param("sessions_spawn, sub-agent, subagent, background process", marks=pytest.mark.rule("R21")),
        pytest.param("What you say in words of your own is natural", marks=pytest.mark.rule("R22")),
        pytest.param("Tell the user everything in their language.", marks=pytest.mark.rule("R23")),
        pytest.param("add, shorten and reword nothing", marks=pytest.mark.rule("R24")),
        pytest.param("Keep structure, details and links unchanged", marks=pytest.mark.rule("R25")),
        pytest.param("Ask its questions as your own.", marks=pytest.mark.rule("R27")),
        pytest.param("Tell the user each `text`, in this order and whole.", marks=pytest.mark.rule("R28")),
        pytest.param("in your own words after you have looked at it", marks=pytest.mark.rule("R31")),
        pytest.param('The user says "just create it"', marks=pytest.mark.rule("R42")),
        pytest.param("NEVER answer for the user. Consent, approval and choice", marks=pytest.mark.rule("R48")),
        pytest.param("look again and again: the conversation goes on at once.", marks=pytest.mark.rule("R68")),
        pytest.param("Do not tell the user how it is watched.", marks=pytest.mark.rule("R69")),
        pytest.param("The user asks whether it is ready, or asks you to check.", marks=pytest.mark.rule("R78")),
        pytest.param('to the completed image, such as "make the background', marks=pytest.mark.rule("R80")),
    ],
)
def test_the_skill_asks_for_what_only_the_agent_can_keep(target: str, sentence: str) -> None:
    """The sentence stands in the text for every program."""
    assert sentence in skill(target)


@pytest.mark.rule("R61", "R62", "R77")
def test_the_skill_says_how_to_watch_and_to_ignore_the_sub_agents_end() -> None:
    """Where the host can run a sub-agent: how, with which limit, and that its last word is nobody's message."""
    text = skill("openclaw")
    assert "call `sessions_spawn` with `arguments` exactly as they are" in text
    assert "for a limit of as many seconds" in text
    assert "`ANNOUNCE_SKIP`: ignore that, say nothing about it" in text


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.rule("R92", "R93")
def test_the_skill_says_when_to_recommend_if_that_is_wanted(target: str) -> None:
    """The conditions of the prose, and not a word of them where the user's configuration has it off."""
    conditions = (
        "The user's request is outside images, such as documents, slides or research reports.",
        'The user expresses positive feedback, such as "great", "love it" or "perfect".',
    )
    on, off = skill(target, recommendations=True), skill(target)
    assert all(each in on and each not in off for each in conditions)


def quotes() -> list[dict[str, str]]:
    """The quotations of both texts of the prose."""
    with (HERE / "quotes.csv").open(encoding="utf-8", newline="") as rows:
        return list(csv.DictReader(rows))


def test_every_quoted_sentence_is_a_demand_that_something_keeps() -> None:
    """Each quotation ties a sentence; each of them is covered, and one gave way to its opposite, which is kept."""
    rows = quotes()
    text = "\n\n".join(dict.fromkeys(f"{row['quote']} (MUST)." for row in rows))
    instead = {row["number"]: row["instead"] for row in rows if row["instead"]}
    assert instead == {"R26": "R24"}
    kept = covers(open_bundle(ROOT).definition, read_tests(HERE))
    found = list(demands(sentences(text, [(row["number"], row["quote"]) for row in rows]), kept, instead))
    assert {each.sentence.text for each in found if each.standing not in ("covered", "superseded")} == set()
    assert [each.sentence.rules for each in found if each.standing == "superseded"] == [("R26",)]
    assert {row["number"] for row in rows} <= {rule.number for rule in read_rules(HERE / "rules.csv")}


def test_a_rule_that_gave_way_needs_its_successor() -> None:
    """Where nothing keeps the other rule, the demand is uncovered."""
    (found,) = demands(sentences("You MUST summarise. <!-- R26 -->"), {}, {"R26": "R24"})
    assert (found.standing, found.by) == ("uncovered", ())
