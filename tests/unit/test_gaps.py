"""Warnings of lint about what a run may lack: a value where a message shows it, and a way out behind a failed call."""

from __future__ import annotations

import time

import pytest

from workflow.bundle.code import complete
from workflow.bundle.lint import advise, lint
from workflow.bundle.loader import read
from workflow.machine.definition import Definition
from workflow.machine.guards import BUILT_IN
from workflow.machine.registry import PASSES, Guard, Registry

YAML = """
format: 1
workflow: letters
languages: [en]
service: {base_url: 'http://127.0.0.1:9', sandbox: {GET /price: {body: {text: x}}, POST /letters: {body: {link: l}}}}
data: {words: text, price: verbatim, note: text, link: url}
gates: {agreed: {subject: [words]}, told: {}}
actions:
  ask: {method: GET, path: /price, effect: read, sets: {price: text}}
  send: {method: POST, path: /letters, effect: once, body: {words: '{words}'}, sets: {link: link}}
never_without: {send: [agreed]}
events:
  start: {when: At first., input: [words]}
  go: {when: Go on., gate: agreed}
  comment: {when: A note., optional: [note]}
  sent: {when: It is there., input: [link], gate: told}
  lost: {when: It is not., gate: told}
  cancel: {when: No more.}
trouble: {else: failed}
start: a.asking
ON
phases:
  a:
    title: A
    asking: {do: ask, then: ASKED, FAILED}
    offering: {say: offer, on: {go: a.sending, comment: a.offering}}
    sending: {do: send, then: over.sent, failed: a.offering, doubt: a.unsure}
    unsure: {say: unsure, on: {sent: over.sent, lost: a.offering}}
  over:
    sent: {say: SENT, end: done}
    cancelled: {say: cancelled, end: cancelled}
"""
MESSAGES = {
    "offer": "Shall it be $words?",
    "unsure": "Is it there?",
    "sent": "It is here: $link",
    "short": "It is sent.",
    "cancelled": "As you wish.",
    "failed": "Not now.",
}
GUARDS = {
    "priced": Guard("priced", frozenset({"price"}), lambda facts: PASSES),
    "linked": Guard("linked", frozenset({"link"}), lambda facts: PASSES),
    "other": Guard("other", frozenset({"words"}), lambda facts: PASSES),
}
EVERYWHERE = "on: {cancel: over.cancelled}"
FAILED = "failed: {upstream: a.offering, else: a.offering}"


def warnings(
    *,
    on: str = EVERYWHERE,
    asked: str = "a.offering",
    failed: str = FAILED,
    sent: str = "sent",
    **messages: str,
) -> list[tuple[str, tuple[str, ...]]]:
    """The warnings, each with its trace, of the bundle with these parts and messages."""
    text = YAML.replace("ON\n", f"{on}\n").replace("ASKED, FAILED", f"{asked}, {failed}" if failed else asked)
    source = read(text.replace("SENT", sent), "w")
    definition = Definition.from_document(source.document)
    registry = complete(Registry({}, {**{each.name: each for each in BUILT_IN}, **GUARDS}), definition)
    found = advise(definition, source, {}, registry, {"en": {**MESSAGES, **messages}})
    return [(each.message.partition(": ")[2], each.trace) for each in found]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({}, []),
        ({"offer": "$words"}, []),  # `start` brings it
        ({"offer": "$words, $price"}, ["offer", "price"]),  # the call that sets it may have failed
        ({"offer": "$price", "failed": "failed: over.cancelled"}, []),  # no way comes past the call
        ({"offer": "$note"}, ["offer", "note"]),  # a comment may never come
        ({"unsure": "$link"}, ["unsure", "link"]),  # in doubt, nothing was set
        ({"sent": "$link"}, []),  # by the call, or by the person
        ({"cancelled": "$price"}, ["cancelled", "price"]),
        ({"offer": "$price", "asked": "{priced: a.offering, else: over.cancelled}", "failed": ""}, []),
        ({"offer": "$price", "asked": "{priced: a.offering, else: over.cancelled}"}, ["offer", "price"]),
        ({"sent": "{linked: sent, else: short}", "short": "$link"}, []),
        ({"sent": "{other: sent, else: short}", "short": "$note"}, ["short", "note"]),
    ],
)
def test_a_message_that_may_show_nothing_is_a_warning(parts: dict[str, str], expected: list[str]) -> None:
    """Lint names message and datum, with a shortest run; a guard that looks at the datum is enough."""
    texts = {name: text for name, text in parts.items() if name in MESSAGES and not text.startswith("{")}
    keys = {name: text for name, text in parts.items() if name not in texts}
    if "failed" in texts:
        keys["failed"] = texts.pop("failed")
    found = warnings(**keys, **texts)
    if not expected:
        assert found == []
        return
    message, datum = expected
    ((told, trace),) = found
    assert told == f"the message '{message}' shows '{datum}', which has no value yet on this way"
    assert trace and trace[0].startswith("turn 1   `start`")


@pytest.mark.parametrize(
    ("on", "failed", "alone"),
    [
        (EVERYWHERE, "", False),
        ("on: {}", "", True),
        ("on: {}", "failed: {upstream: a.offering}", True),
        ("on: {}", "failed: {upstream: a.offering, else: a.offering}", False),
        ("on: {}", "failed: a.offering", False),
    ],
)
def test_a_failed_call_that_leaves_only_retry_is_a_warning(on: str, failed: str, alone: bool) -> None:
    """Unless every class leads on, or something else moves the run there."""
    found = [told for told, _ in warnings(on=on, failed=failed) if "retry" in told]
    assert found == (["a failed call in a.asking leaves only `retry`: the user cannot stop"] if alone else [])


def test_warnings_stop_nothing() -> None:
    """The bundle with both gaps passes every check."""
    text = (
        YAML.replace("  cancel: {when: No more.}\n", "")
        .replace("ON\n", "")
        .replace("ASKED, FAILED", "a.offering")
        .replace("SENT", "sent")
    )
    text = text.replace("    cancelled: {say: cancelled, end: cancelled}\n", "")
    source = read(text, "w")
    definition = Definition.from_document(source.document)
    registry = complete(Registry({}, {each.name: each for each in BUILT_IN}), definition)
    prompts = {**MESSAGES, "offer.plain": "Shall it be that?"}
    del prompts["short"], prompts["cancelled"]
    assert advise(definition, source, {}, registry, {"en": prompts})
    assert [str(each) for each in lint(definition, source, registry, {"en": prompts}, {})] == []


def test_a_large_machine_is_no_ordeal() -> None:
    """A thousand states and thirty data that each message shows: each datum is followed once."""
    states = "".join(f"    s{n}: {{say: all, on: {{go: a.s{n + 1}}}}}\n" for n in range(1_000))
    data = ", ".join(f"d{n}: number" for n in range(30))
    text = f"""
format: 1
workflow: large
languages: [en]
service: {{base_url: 'http://127.0.0.1:9', sandbox: {{GET /x: {{}}}}}}
data: {{{data}}}
events: {{start: {{when: A.}}, go: {{when: B., input: [{", ".join(f"d{n}" for n in range(30))}]}}}}
trouble: {{else: all}}
start: a.s0
phases:
  a:
    title: A
{states}    s1000: {{say: all, end: done}}
"""
    source = read(text, "w")
    shown = {"en": {"all": " ".join(f"$d{n}" for n in range(30))}}
    began = time.process_time()
    found = advise(Definition.from_document(source.document), source, {}, Registry({}, {}), shown)
    assert len(found) == 30 and time.process_time() - began < 20


def test_an_unknown_name_says_what_to_write() -> None:
    """A message that has no text in any language names its file, a routed class without words names `trouble`."""
    text = YAML.replace("ON\n", f"{EVERYWHERE}\n").replace("ASKED, FAILED", "a.offering, failed: {void: a.offering}")
    source = read(text.replace("SENT", "terms"), "w")
    definition = Definition.from_document(source.document)
    registry = complete(Registry({}, {each.name: each for each in BUILT_IN}), definition)
    hints = {each.message: each.hint for each in lint(definition, source, registry, {"en": MESSAGES}, {})}
    (terms,) = (hint for told, hint in hints.items() if "unknown message 'terms'" in told)
    assert terms == "Write prompts/en/terms.md."
    (void,) = (hint for told, hint in hints.items() if "unknown error class 'void'" in told)
    assert void.startswith("Give it a message under `trouble`")
