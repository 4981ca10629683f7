"""Lint of what YAML declares: every rule by one change to a bundle of YAML alone that passes."""

from __future__ import annotations

import pytest

from workflow.bundle.lint import lint
from workflow.bundle.loader import read
from workflow.machine.definition import Definition
from workflow.machine.guards import BUILT_IN
from workflow.machine.registry import Action, Call, Done, Registry
from workflow.model.errors import BundleFaults
from workflow.model.frozen import replace
from workflow.service.declared_calls import completed

GOOD = """\
format: 1
workflow: tiny
languages: [en]
service:
  base_url: https://api.example
  key: {env: TINY_KEY, header: X-Token, scheme: ''}
  sandbox:
    'GET /orders/{any}': [{body: {state: new}}, {after: 'POST /orders', body: {state: paid}}]
    'POST /orders': {status: 201, body: {id: 7}}
data: {words: text, price: verbatim, amount: number, pictures: files, order_id: internal, state: hidden}
gates:
  agreed: {subject: [words, amount, price]}
  told: {}
actions:
  look:
    method: GET
    path: /orders/{words}
    effect: read
    query: {deep: true, words: '{words}'}
    headers: {X-Version: 2}
    sets: {state: order.state, price: text}
    fails: {unknown: 404}
  order:
    method: POST
    path: /orders
    effect: once
    idempotency: Idempotency-Key
    timeout: 20s
    body: {amount: '{amount}', note: {text: '{words}'}, price: '{price}', kind: gift}
    sets: {order_id: id}
    fails: {declined: [402, {error.code: declined}]}
guards:
  is_new: {datum: state, is: new}
  cheap: {datum: amount, in: [1, 2.5], because: it costs more}
  priced: {datum: price, set: true}
never_without: {order: [agreed]}
events:
  start: {input: [words, amount], optional: [pictures], if: cheap}
  agree: {gate: agreed}
  happened: {gate: told}
trouble: {unknown: sorry, declined: sorry, else: sorry}
start: buy.looking
phases:
  buy:
    looking: {do: look, then: {is_new: buy.asking, priced: buy.asking, else: buy.over}}
    asking: {say: offer, on: {agree: buy.ordering}}
    ordering: {do: order, then: buy.over, failed: buy.asking, doubt: buy.unsure}
    unsure: {say: unsure, on: {happened: buy.over}}
    over: {say: bye, end: done}
"""
TEXTS = {
    "sorry": "No.",
    "offer": "${words}: ${amount} for ${price}?",
    "offer.plain": "Shall I?",
    "unsure": "Did it happen?",
    "bye": "Bye.",
}


def problems(text: str, *, python: Registry | None = None) -> list[str]:
    """What lint says, or the loader before it, without the name of the file."""
    try:
        source = read(text, "workflow.yaml")
    except BundleFaults as faults:
        return [str(each).removeprefix("workflow.yaml:") for each in faults.problems]
    definition = Definition.from_document(source.document)
    code = completed(python or Registry({}, {each.name: each for each in BUILT_IN}), definition)
    found = lint(definition, source, code, {"en": TEXTS}, {})
    return [str(each).removeprefix("workflow.yaml:") for each in found]


def test_a_bundle_of_yaml_alone_has_no_problem() -> None:
    """Calls, guards, the key's header and the sandbox, all declared."""
    assert problems(GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # the target
        ("path: /orders/{words}", "path: /orders/{wrods}", "17:11: unknown datum 'wrods'; did you mean 'words'?"),
        ("path: /orders/{words}", "path: /orders/{pictures}", "17:11: 'pictures' is files: only an action"),
        ("path: /orders/{words}", "path: orders", "17:11: `path` must begin with one '/'"),
        ("path: /orders/{words}", "path: //elsewhere.example/{words}", "17:11: `path` must begin with one '/'"),
        ("path: /orders/{words}", "path: /orders/../{words}", "17:11: `path` must begin with one '/'"),
        ("path: /orders/{words}", "path: /orders/%2e%2e/{words}", "17:11: `path` must begin with one '/'"),
        ("path: /orders/{words}", "path: /orders/{words}?x=1", "17:11: `path` must begin with one '/'"),
        ("path: /orders/{words}", "path: '/orders/{words'", "17:11: `path` must begin with one '/'"),
        ("    effect: read\n", "    effect: read\n    body: {a: 1}\n", "19:5: a GET has no `body`: use `query`"),
        ("method: GET", "method: get", "16:13: 'method' must be GET, POST, PUT, PATCH or DELETE"),
        ("method: GET", "method: DELETE", "18:13: a DELETE changes something: its effect is not read"),
        ("timeout: 20s", "timeout: 11m", "28:14: `timeout` must be between 1s and 10m"),
        ("timeout: 20s", "timeout: soon", "28:14: 'timeout' must be a duration such as 3s"),
        ("effect: once", "effect: twice", "26:13: 'effect' must be read, repeatable or once"),
        ("  order:\n    method", "  order:\n    metod: x\n    method", "24:5: unknown key 'metod'; did you mean"),
        # what is sent
        ("text: '{words}'}", "text: '{wrods}'}", "29:45: unknown datum 'wrods'; did you mean 'words'?"),
        ("text: '{words}'}", "text: 'so {words}'}", "29:45: a datum stands alone, as '{name}'"),
        ("text: '{words}'}", "text: {words}}", "29:46: nothing stands here; a datum is written in quotes: '{words}'"),
        ("text: '{words}'}", "text: ['{words}']}", "29:45: a body has no lists: what needs one is an action"),
        ("deep: true", "deep: '{pictures}'", "19:19: 'pictures' is files: only an action in `phases/` can send it"),
        ("headers: {X-Version: 2}", "headers: {Authorization: x}", "20:30: the header 'Authorization' is not"),
        ("headers: {X-Version: 2}", "headers: {Host: x}", "20:21: the header 'Host' is not a bundle's to set"),
        ("headers: {X-Version: 2}", "headers: {x-token: x}", "20:24: the header 'x-token' is not a bundle's to set"),
        ("headers: {X-Version: 2}", "headers: {'X: y': x}", "20:23: the header 'X: y' is not a bundle's to set"),
        ("headers: {X-Version: 2}", 'headers: {X-A: "a\\nb"}', "20:20: a header's value is one line of plain text"),
        ("idempotency: Idempotency-Key", "idempotency: Cookie", "27:18: the header 'Cookie' is not a bundle's"),
        ("    headers: {X", "    idempotency: Once\n    headers: {X", "20:5: `idempotency` names a call that is"),
        ("timeout: 20s", "headers: {idempotency-key: 1}", "27:18: 'Idempotency-Key' is among `headers` as well"),
        ("header: X-Token", "header: Host", "6:32: the key cannot be sent in 'Host'"),
        ("scheme: ''", "scheme: two words", "6:49: the scheme is one word, or empty"),
        # what comes back
        ("state: order.state", "stat: order.state", "21:12: unknown datum 'stat'; did you mean 'state'?"),
        ("price: text}", "words: text}", "21:32: 'words' is text: no answer gives it; what the service says is"),
        ("price: text}", "pictures: text}", "21:32: 'pictures' is files: no answer gives it"),
        ("state: order.state", "state: 'order[0]'", "21:19: 'order[0]' is not a field of an answer: names and dots"),
        ("state: order.state", "state: order..state", "21:19: 'order..state' is not a field of an answer"),
        ("fails: {unknown: 404}", "fails: {unknwon: 404}", "22:13: unknown error class 'unknwon'; did"),
        ("fails: {unknown: 404}", "fails: {no_key: 404}", "22:13: 'no_key' is not the service's to say"),
        ("fails: {unknown: 404}", "fails: {unknown: 204}", "22:22: an answer that refuses has a status from 400"),
        ("fails: {unknown: 404}", "fails: {unknown: {}}", "22:22: an empty table would fit every answer"),
        ("fails: {unknown: 404}", "fails: {unknown: {'a b': 1}}", "22:22: 'a b' is not a field of an answer"),
        ("[402, {error", "[402, 402, {error", "31:23: no answer is ever 'declined' by 402: another sign"),
        ("fails: {unknown: 404}", "fails: {unknown: 404, declined: 404}", "22:37: no answer is ever 'declined' by 404"),
        ("[402, {error", "[500, {error", "31:23: after HTTP 500 nobody knows whether it was done"),
        ("[402, {error", "[408, {error", "31:23: after HTTP 408 nobody knows whether it was done"),
        ("[402, {error", "[409, {error", "31:23: after HTTP 409 nobody knows whether it was done"),
        ("[402, {error", "[425, {error", "31:23: after HTTP 425 nobody knows whether it was done"),
        ("    sets: {order_id: id}\n", "", "23:3: 'order' is once, and needs `sets`: a field of the answer"),
        # what is agreed to, used, and named twice
        ("subject: [words, amount, price]", "subject: [words, price]", "12:3: 'order' sends 'amount', which the gate"),
        ("do: look, then: {is_new", "then: {is_new", "15:3: no state does 'look'"),
        ("is_new: buy.asking, priced", "priced", "33:3: nothing asks for the guard 'is_new'"),
        ("  is_new: {", "  Is_New: {datum: state, is: x}\n  is_new: {", "33:3: 'Is_New' is not a name"),
        ("doubt: buy.unsure}", "doubt: buy.over}", "47:70: buy.over is reached without a doubt, too"),
        (", doubt: buy.unsure", "", "47:20: 'order' is once: buy.ordering needs `doubt`"),
        # guards
        ("datum: state, is: new", "datum: stat, is: new", "33:19: unknown datum 'stat'; did you mean 'state'?"),
        ("datum: state, is: new", "datum: state", "33:3: the guard 'is_new' needs one of is, not, in"),
        ("datum: state, is: new", "datum: state, is: new, set: true", "33:3: the guard 'is_new' needs one of"),
        ("in: [1, 2.5]", "in: [1, two]", "34:30: 'amount' is number, and never has this value"),
        ("in: [1, 2.5]", "is: true", "34:30: 'amount' is number, and never has this value"),
        ("in: [1, 2.5]", "in: []", "34:30: the guard 'cheap' can never pass"),
        ("set: true}", "set: 'yes'}", "35:31: `set` is true or false"),
        ("datum: amount, in: [1, 2.5]", "datum: pictures, is: x", "34:3: 'pictures' is files: only `set` can be asked"),
        # the sandbox
        ("'POST /orders': {status", "'POST orders': {status", "9:5: 'POST orders' is not a call: write a method"),
        ("'POST /orders': {status: 201", "'POST /orders': {status: 99", "9:30: a status is a number from 200 to 599"),
        ("{status: 201, body", "{status: '201', body", "9:30: a status is a number from 200 to 599"),
        ("fails: {unknown: 404}", "fails: {unknown: '404'}", "22:22: an answer that refuses has a status from 400"),
        ("after: 'POST /orders'", "after: 'POST /order'", "8:57: unknown call 'POST /order'; did you mean"),
        ("[{body: {state: new}}, {after", "[{after", "8:5: one answer at least must be there before any other call"),
        ("'GET /orders/{any}'", "'GET /orders'", "17:11: the sandbox does not answer 'GET /orders/{words}'"),
        ("{status: 201, body", "{statos: 201, body", "9:22: unknown key 'statos'; did you mean 'status'?"),
    ],
)  # fmt: skip
def test_a_bundle_with_one_fault_is_told_of_it(old: str, new: str, expected: str) -> None:
    """The fault is told in its place."""
    assert GOOD.count(old) == 1, old
    found = problems(GOOD.replace(old, new))
    assert any(each.startswith(expected) for each in found), found


def test_a_name_has_one_meaning() -> None:
    """What YAML declares is not in Python as well, nor built in."""

    def perform(call: Call) -> Done:
        raise AssertionError(call)

    python = Registry({"look": Action("look", "read", frozenset(), perform)}, {each.name: each for each in BUILT_IN})
    assert "15:3: the action 'look' is in `phases/` as well" in problems(GOOD, python=python)
    named = replace(BUILT_IN[0], name="cheap")
    both = Registry({}, {each.name: each for each in (*BUILT_IN, named)})
    assert "34:3: the guard 'cheap' is in `phases/` or built in as well" in problems(GOOD, python=both)


WATCHING = """\
    looking: {do: look, then: {is_new: buy.asking, priced: buy.asking, else: buy.waiting}}
    waiting:
      say: offer
      watch: {do: look, every: 3s, within: 1m, then: {is_new: buy.asking}, no_news: bye, late: buy.over, brief: wait}
      failed: {unknown: buy.over}
"""


def test_a_watch_may_say_where_a_certain_no_leads() -> None:
    """`failed` stands beside `watch`, by error class; a class or state that nobody knows is a fault there, too."""
    first = next(line for line in GOOD.splitlines(keepends=True) if line.startswith("    looking:"))
    good = GOOD.replace(first, WATCHING)
    assert [each for each in problems(good) if "brief" not in each] == []
    for old, new, fault in (
        ("failed: {unknown", "failed: {unkown", "unknown error class 'unkown'"),
        ("failed: {unknown: buy.over", "failed: {unknown: buy.ovr", "unknown state 'buy.ovr'"),
        ("      failed: {unknown: buy.over}", "      failed: {no_key: buy.over}", "'no_key' cannot be routed"),
    ):
        assert any(fault in each for each in problems(good.replace(old, new))), problems(good.replace(old, new))
