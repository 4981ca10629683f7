"""Every rule of lint, by one change to a bundle that passes; and the reference bundle passes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from workflow.bundle import find_problems, open_bundle
from workflow.bundle.lint import lint
from workflow.bundle.loader import read
from workflow.machine.definition import Definition
from workflow.machine.guards import BUILT_IN
from workflow.machine.registry import PASSES, Action, Call, Done, Facts, Guard, Registry, Verdict
from workflow.model.frozen import replace

ROOT = Path(__file__).resolve().parents[2]

GOOD = """\
format: 1
workflow: tiny
languages: [en, de]
settings: {quick: true}
service: {base_url: https://api.example, sandbox: phases.twin}
data:
  words: text
  pictures: files
  offer: verbatim
  link: url
  uploads: internal
  order_id: internal
  progress: hidden
never_say: [secret, 'ord_*']
avoid: [endpoint]
gates:
  agreed: {subject: [offer, order_id], covers: [R1]}
  allowed: {each: pictures, until: uploads}
  told: {}
never_without:
  order: [agreed]
  upload: [allowed]
events:
  start: {input: [words], optional: [pictures], if: fits}
  agree: {gate: agreed, if: open}
  allow: {gate: allowed}
  happened: {gate: told}
  other: {input: [words]}
  check: {}
  cancel: {}
  thanks: {say: welcome}
trouble: {invalid: sorry, else: sorry}
start: ask.choosing
on: {cancel: over.cancelled}
phases:
  ask:
    choosing:
      then: {fits: ask.allowing, else: ask.asking}
    allowing:
      say: may_i
      on: {allow: ask.uploading}
    uploading:
      do: upload
      then: ask.asking
      failed: {invalid: ask.allowing, else: ask.allowing}
    asking:
      say: {open: offer, else: closed}
      on: {agree: buy.ordering, other: ask.choosing}
  buy:
    ordering:
      do: order
      then: buy.waiting
      failed: ask.asking
      doubt: buy.unsure
    unsure:
      say: unsure
      on: {happened: buy.waiting}
    waiting:
      say: waiting
      aside: {first: more}
      watch:
        do: look
        every: 3s
        within: 20m
        then: {ready: over.finished}
        no_news: patience
        late: over.finished
        brief: wait
  over:
    finished: {say: bye, end: done}
    cancelled: {say: bye, end: cancelled}
"""

MESSAGES = {
    "welcome": "You are welcome.",
    "sorry": "That did not work.",
    "may_i": "May I send these?\n\n${pictures}",
    "offer": "${offer}\n\nDo you agree?",
    "offer.plain": "There is an offer that I cannot show.",
    "closed": "We are closed.",
    "unsure": "Did it happen? It costs $$5.",
    "waiting": "It is being made.",
    "more": "There is more to buy.",
    "patience": "Not yet: ${link}",
    "bye": "Goodbye. [The endpoint of it](https://api.example/a/endpoint)",
}
PROMPTS: Mapping[str, Mapping[str, str]] = {"en": MESSAGES, "de": MESSAGES}
BRIEFS = {"wait": "Run ${command} for ${session}, up to ${minutes} of ${limit_minutes}: ${link}, ${language}"}


def done(call: Call) -> Done:
    """An action that is never performed here."""
    raise AssertionError(call)


def passes(facts: Facts) -> Verdict:
    """A guard that is never asked here."""
    raise AssertionError((facts, PASSES))


def registry(
    effects: Mapping[str, str],
    guards: Mapping[str, tuple[str, ...]],
    sets: Mapping[str, tuple[str, ...]] = {},
) -> Registry:
    """Actions by effect and guards by what they read."""
    actions = {n: Action(n, e, frozenset(sets.get(n, ())), done) for n, e in effects.items()}  # type: ignore[arg-type]
    named = {n: Guard(n, frozenset(reads), passes) for n, reads in guards.items()}
    return Registry(actions, {**{each.name: each for each in BUILT_IN}, **named})


CODE = registry(
    {"upload": "repeatable", "order": "once", "look": "read"},
    {"fits": ("pictures",), "open": (), "ready": ("progress",), "first": ()},
    {"upload": ("uploads", "offer"), "order": ("order_id",), "look": ("progress", "link")},
)


def problems(
    text: str = GOOD,
    prompts: Mapping[str, Mapping[str, str]] = PROMPTS,
    briefs: Mapping[str, str] = BRIEFS,
    code: Registry | None = CODE,
) -> list[str]:
    """What lint says, without the name of the YAML file."""
    source = read(text, "workflow.yaml")
    found = lint(Definition.from_document(source.document), source, code, prompts, briefs)
    return [str(problem).removeprefix("workflow.yaml:") for problem in found]


def edited(old: str, new: str) -> str:
    """The good bundle with one change."""
    assert GOOD.count(old) == 1, old
    return GOOD.replace(old, new)


def said(message: str, text: str | None, language: str | None = None) -> dict[str, dict[str, str]]:
    """The prompts with one text changed or left out, in one language or in all."""
    out = {tag: dict(texts) for tag, texts in PROMPTS.items()}
    for tag in [language] if language else list(out):
        out[tag].pop(message, None)
        if text is not None:
            out[tag][message] = text
    return out


def test_a_good_bundle_has_no_problem() -> None:
    """With and without its Python."""
    assert problems() == []
    assert problems(code=None) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # names
        ("workflow: tiny", "workflow: Tiny!", ["2:11: a workflow's name is made of a-z, 0-9, _ and -"]),
        ("  link: url\n", "  link: url\n  Other: url\n", [
            "11:3: 'Other' is not a name: write a-z, 0-9 and _, beginning with a letter",
            "11:3: nothing ever sets 'Other'",
        ]),
        ("languages: [en, de]", "languages: [en, de, de]", ["3:21: the language 'de' is there twice"]),
        ("never_say: [secret, 'ord_*']", "never_say: [secret, '*']", [
            "14:21: an empty word would be found everywhere"
        ]),
        ("covers: [R1]", "covers: [R1, rule]", ["17:53: 'rule' is not a rule number: the letter R and digits"]),
        ("languages: [en, de]", "covers: {fits: [R1], order: [R2], bye: [x], sory: [R2]}\nlanguages: [en, de]", [
            "3:41: 'x' is not a rule number: the letter R and digits",
            "3:45: unknown guard, action, message, brief or datum 'sory'; did you mean 'sorry'?",
        ]),
        ("languages: [en, de]", "description: a --- b\ntriggers: [ill, '']\nlanguages: [en, de]", [
            "3:14: a skill's description holds no <, > or ---",
            "4:17: an empty trigger says nothing",
        ]),
        ("languages: [en, de]", f"description: {'a' * 1020}\ntriggers: [ill]\nlanguages: [en, de]", [
            "3:14: with the triggers 1035 characters; a skill's description has at most 1024"
        ]),
        ("workflow: tiny", f"workflow: {'tiny' * 17}", ["2:11: a skill's name has at most 64 characters"]),
        # service
        ("https://api.example, s", "http://api.example, s", [
            "5:21: 'base_url' must be https, or http on loopback"
        ]),
        ("https://api.example, s", "https://api.example/v1, s", [
            "5:21: 'base_url' must be scheme and host alone"
        ]),
        ("https://api.example, s", "https://me@api.example, s", [
            "5:21: 'base_url' must be scheme and host alone"
        ]),
        ("https://api.example, s", "ftp://api.example, s", ["5:21: 'base_url' must be https://host"]),
        ("https://api.example, s", "'https://[x', s", ["5:21: 'base_url' is not an address"]),
        ("sandbox: phases.twin", "sandbox: os.path", [
            "5:51: 'sandbox' must be a module of the bundle, such as phases.sandbox"
        ]),
        # states
        ("start: ask.choosing", "start: ask.chosing", [
            "33:8: unknown state 'ask.chosing'; did you mean 'ask.choosing'?"
        ]),
        ("on: {cancel: over.cancelled}", "on: {cancel: cancelled}", [
            "34:14: unknown state 'cancelled'; did you mean 'over.cancelled'?",
            "71:5: nothing leads to over.cancelled",
        ]),
        ("failed: ask.asking", "failed: ask.askng", [
            "53:15: unknown state 'ask.askng'; did you mean 'ask.asking'?"
        ]),
        ("failed: {invalid: ask.allowing,", "failed: {invalid: ask,", ["45:25: unknown state 'ask'"]),
        ("late: over.finished", "late: over.finshed", [
            "67:15: unknown state 'over.finshed'; did you mean 'over.finished'?"
        ]),
        # events
        ("  start: {input: [words], optional: [pictures], if: fits}\n", "", [
            "23:1: the event 'start' is missing: every session begins with it"
        ]),
        ("  thanks: {say: welcome}", "  retry: {say: welcome}", [
            "31:3: the event 'retry' is there already: every workflow has it"
        ]),
        ("  thanks: {say: welcome}", "  note: {say: welcome}", [
            "31:3: the event 'note' is there already: every workflow has it"
        ]),
        ("  thanks: {say: welcome}", "  again: {say: welcome}", [
            "31:3: the event 'again' is there already: every workflow has it"
        ]),
        ("other: ask.choosing}", "other: ask.choosing, note: ask.choosing}", [
            "48:54: 'note' can be sent wherever it has a meaning, and leads nowhere"
        ]),
        ("other: ask.choosing}", "other: ask.choosing, again: ask.asking}", []),
        ("other: ask.choosing}", "other: ask.choosing, again: over.finished}", [
            "48:61: `again` leads to no question: name a state that asks a gate of `never_without`"
        ]),
        ("other: ask.choosing}", "other: ask.choosing, again: buy.ordering}", [
            "48:61: `again` leads to no question: name a state that asks a gate of `never_without`",
            "50:5: 'order' is reached without agreed",
        ]),
        ("on: {cancel: over.cancelled}", "on: {cancel: over.cancelled, again: ask.choosing}", [
            "34:30: 'again' leads on from single states: write it in their `on`",
            "34:30: 'again' settles a doubt, which takes a person: it needs `gate`",
        ]),
        ("  thanks: {say: welcome}", "  ready: {say: welcome}", [
            "31:3: only the service may say 'ready': a watch waits for it"
        ]),
        ("  thanks: {say: welcome}", "  late: {say: welcome}", [
            "31:3: only the service may say 'late': a watch waits for it"
        ]),
        ("other: ask.choosing}", "ohter: ask.choosing}", [
            "28:3: the event 'other' is offered nowhere",
            "48:33: unknown event 'ohter'; did you mean 'other'?",
        ]),
        ("other: ask.choosing}", "other: ask.choosing, start: ask.choosing}", [
            "48:54: 'start' begins a session and moves none"
        ]),
        ("other: ask.choosing}", "other: ask.choosing, thanks: ask.choosing}", [
            "48:54: the event 'thanks' only says 'welcome': it moves nothing"
        ]),
        ("  cancel: {}\n", "  cancel: {}\n  nod: {}\n", ["31:3: the event 'nod' is offered nowhere"]),
        ("other: {input: [words]}", "other: {input: [wrds]}", [
            "28:19: unknown datum 'wrds'; did you mean 'words'?"
        ]),
        ("other: {input: [words]}", "other: {input: [offer]}", [
            "28:19: 'offer' is verbatim: no caller can give it"
        ]),
        ("other: {input: [words]}", "other: {input: [words], optional: [words]}", [
            "28:38: 'words' is asked for twice"
        ]),
        # code
        ("then: {fits: ask.allowing,", "then: {fitss: ask.allowing,", [
            "38:14: unknown guard 'fitss'; did you mean 'fits'?"
        ]),
        ("if: open}", "if: opne}", [
            "25:29: unknown guard 'opne'; did you mean 'open'?",
            "47:7: the message 'closed' does not show 'offer', which the gate 'agreed' of 'agree' is about",
        ]),
        ("do: order", "do: ordre", ["51:11: unknown action 'ordre'; did you mean 'order'?"]),
        ("  upload: [allowed]", "  uplaod: [allowed]", [
            "22:3: unknown action 'uplaod'; did you mean 'upload'?"
        ]),
        ("failed: {invalid: ask.allowing,", "failed: {invlid: ask.allowing,", [
            "45:16: unknown error class 'invlid'; did you mean 'invalid'?"
        ]),
        ("failed: {invalid: ask.allowing,", "failed: {no_key: ask.allowing,", [
            "45:16: 'no_key' cannot be routed: nothing has left, and `retry` goes on"
        ]),
        # shapes
        ("      say: may_i\n", "      say: may_i\n      do: look\n", [
            "41:7: ask.allowing waits, and has no `do`"
        ]),
        ("finished: {say: bye,", "finished: {say: bye, on: {other: ask.asking},", []),
        ("finished: {say: bye,", "finished: {say: bye, no_news: bye,", []),
        ("finished: {say: bye,", "finished: {say: bye, aside: more,", [
            "70:26: over.finished ends, and has no `aside`"
        ]),
        ("finished: {say: bye,", "finished: {say: bye, on: {othr: ask.asking},", [
            "70:31: unknown event 'othr'; did you mean 'other'?"
        ]),
        ("finished: {say: bye,", "finished: {say: bye, on: {agree: buy.ordering},", [
            "70:16: the message 'bye' does not show 'offer', which the gate 'agreed' of 'agree' is about"
        ]),
        ("cancelled: {say: bye,", "cancelled: {say: bye, on: {other: ask.asking},", [
            "34:6: over.cancelled ends runs in doubt and others, and takes other: lead those in doubt to an end of "
            "their own"
        ]),
        ("      on: {agree: buy.ordering, other: ask.choosing}\n",
         "      on: {agree: buy.ordering, other: ask.choosing}\n      no_news: bye\n", []),
        ("      on: {agree: buy.ordering, other: ask.choosing}\n",
         "      on: {agree: buy.ordering, other: ask.choosing}\n      no_news: {open: bye}\n", [
            "49:7: `no_news` needs `else`"
        ]),
        ("      on: {agree: buy.ordering, other: ask.choosing}\n",
         "      on: {agree: buy.ordering, other: ask.choosing, check: ask.choosing}\n      no_news: bye\n", [
            "49:7: `check` leads away from ask.asking: it says no `no_news`"
        ]),
        ("      on: {agree: buy.ordering, other: ask.choosing}\n",
         "      on: {agree: buy.ordering, other: ask.choosing}\n      acknowledge: {agree: bye}\n", []),
        ("      on: {agree: buy.ordering, other: ask.choosing}\n",
         "      on: {agree: buy.ordering, other: ask.choosing}\n      acknowledge: {agre: bye}\n", [
            "49:21: 'agre' does not lead on from ask.asking; did you mean 'agree'?: nothing is said on it"
        ]),
        ("      on: {agree: buy.ordering, other: ask.choosing}\n",
         "      on: {agree: buy.ordering, other: ask.choosing}\n      acknowledge: {agree: by, other: {opn: bye}}\n", [
            "49:28: unknown message 'by'; did you mean 'bye'?",
            "49:40: unknown guard 'opn'; did you mean 'open'?"
        ]),
        ("      aside: {first: more}\n", "      aside: {first: more}\n      no_news: bye\n", [
            "61:7: `no_news` of buy.waiting stands in its `watch`"
        ]),
        ("        no_news: patience\n", "        no_news: {ready: bye, open: patience}\n", [
            "66:9: `no_news` needs `else`"
        ]),
        ("  check: {}\n", "", []),
        ("cancelled: {say: bye, end", "cancelled: {end", ["71:5: over.cancelled ends, and needs `say`"]),
        ("on: {happened: buy.waiting}", "on: {happened: buy.waiting, check: over.finished}", [
            "57:35: 'check' settles a doubt, which takes a person: it needs `gate`"
        ]),
        ("    cancelled: {say: bye, end: cancelled}", "    cancelled: {}", [
            "34:6: 'cancel' settles a doubt, which takes a person: it needs `gate`",
            "71:5: over.cancelled must work (`do`, `then`), wait (`say`, `on`) or end (`say`, `end`)"
        ]),
        ("      then: ask.asking\n", "", ["42:5: ask.uploading works, and needs `then`"]),
        ("      then: {fits: ask.allowing, else: ask.asking}",
         "      then: {fits: ask.allowing, else: ask.asking}\n      failed: ask.asking", [
            "39:7: `failed` of ask.choosing needs `do`"
        ]),
        ("      then: {fits: ask.allowing, else: ask.asking}",
         "      then: {fits: ask.allowing, else: ask.asking}\n      doubt: buy.unsure", [
            "39:7: `doubt` of ask.choosing needs `do`"
        ]),
        ("      then: {fits: ask.allowing, else: ask.asking}",
         "      then: {fits: ask.allowing, else: ask.asking}\n      on: {other: ask.asking}", [
            "39:7: `on` of ask.choosing needs `say`, or is what holds everywhere: only who waits can be answered"
        ]),
        ("      then: {fits: ask.allowing, else: ask.asking}",
         "      then: {fits: ask.allowing, else: ask.asking}\n      on: {cancel: over.finished}", []),
        ("      then: {fits: ask.allowing, else: ask.asking}",
         "      then: {fits: ask.allowing, else: ask.asking}\n      no_news: bye", [
            "39:7: `no_news` of ask.choosing needs `say`: only who waits can be answered"
        ]),
        # tables
        ("then: {fits: ask.allowing, else: ask.asking}", "then: {fits: ask.allowing, open: ask.asking}", [
            "38:7: `then` needs `else`"
        ]),
        ("then: {fits: ask.allowing, else: ask.asking}", "then: {else: ask.asking, fits: ask.allowing}", [
            "38:14: `else` comes last: the table is read from the left"
        ]),
        ("say: {open: offer, else: closed}", "say: {open: offer, fits: closed}", [
            "47:7: `say` needs `else`"
        ]),
        ("trouble: {invalid: sorry, else: sorry}", "trouble: {invalid: sorry}", [
            "32:1: `trouble` needs `else`"
        ]),
        ("trouble: {invalid: sorry,", "trouble: {invalid: sorry, order: sorry,", []),
        ("trouble: {invalid: sorry,", "trouble: {order: sorry, invalid: sorry,", [
            "32:25: the class 'invalid' stands after the action 'order': name all classes first"
        ]),
        ("failed: ask.asking", "failed: {order: ask.asking, else: ask.asking}", [
            "53:16: unknown error class 'order'"
        ]),
        # words of several
        ("  offer: verbatim", "  offer: texts", []),
        ("  words: text", "  words: texts", [
            "24:19: 'words' is texts: no caller can give it",
            "28:19: 'words' is texts: no caller can give it",
        ]),
        ("then: {ready: over.finished}", "then: {ready: over.finished, else: over.finished}", [
            "65:38: a watch has no `else`: without news it goes on"
        ]),
        ("then: {ready: over.finished}", "then: {}", [
            "65:9: a watch waits for something: a table guard: state"
        ]),
        # effects and watches
        ("      doubt: buy.unsure\n", "", [
            "51:11: 'order' is once: buy.ordering needs `doubt`",
            "54:5: nothing leads to buy.unsure",
        ]),
        ("      doubt: buy.unsure\n", "      doubt: ask.asking\n", [
            "54:14: ask.asking is reached without a doubt, too; a doubt needs a state of its own",
            "55:5: nothing leads to buy.unsure",
        ]),
        ("failed: ask.asking", "failed: {invalid: ask.asking}", [
            "50:5: 'order' does not lead back to agreed when its approval no longer counts: route `failed: void`",
            "51:11: 'order' is once: buy.ordering needs a total `failed`",
        ]),
        ("      then: ask.asking\n", "      then: ask.asking\n      doubt: buy.unsure\n", [
            "45:7: 'upload' is repeatable: nothing can be in doubt"
        ]),
        ("do: look", "do: upload", [
            "10:3: nothing ever sets 'link'",
            "13:3: nothing ever sets 'progress'",
            "58:5: 'upload' is reached without allowed",
            "62:13: a watch looks again and again: 'upload' is repeatable, not read",
            "62:13: a watch looks again and again, so that no approval can be needed for 'upload'",
        ]),
        ("every: 3s", "every: 0.5s", ["63:16: `every` must be at least 1s"]),
        ("within: 20m", "within: 3s", ["64:17: `within` must be longer than `every`"]),
        ("within: 20m", "within: 9000h", ["64:17: `within` must not be longer than a year"]),
        ("brief: wait", "brief: wiat", [
            "68:16: unknown brief 'wiat'; did you mean 'wait'?",
            "prompts/briefs/wait.md:1:1: nothing names the brief 'wait'; did you mean 'wiat'?",
        ]),
        # invariants
        ("never_without:", "only_after: {ordr: [upload], buy.unsur: [buy.ordering], look: []}\nnever_without:", [
            "20:14: unknown action 'ordr'; did you mean 'order'?",
            "20:30: unknown state 'buy.unsur'; did you mean 'buy.unsure'?",
            "20:57: `only_after` of 'look' names nothing",
        ]),
        ("never_without:", "only_after: {order: [upload]}\nnever_without:", ["51:5: 'order' is reached before upload"]),
        ("never_without:", "never_after: {order: [order, lok]}\nnever_without:", [
            "20:30: unknown action 'lok'; did you mean 'look'?"
        ]),
        ("never_without:", "never_after: {order: [ask.uploading]}\nnever_without:", [
            "51:5: 'order' is reached after ask.uploading"
        ]),
        ("  order: [agreed]\n", "", [
            "50:11: 'order' is once, and no gate protects it: name one in `never_without`"
        ]),
        # routes
        ("      on: {happened: buy.waiting}\n", "", [
            "27:3: the event 'happened' is offered nowhere",
            "55:5: nothing but a cancelled end leads on from buy.unsure: it needs `on` or `watch`",
        ]),
        ("else: ask.asking}\n", "else: ask.again}\n    again:\n      then: {fits: ask.asking, else: ask.asking}\n", [
            "40:14: 'fits' can never hold here: it has just been asked, and did not"
        ]),
        ("      then: ask.asking\n", "      then: ask.uploading\n", [
            "42:5: 'upload' is reached without allowed",
            "44:7: a circle in which nothing is waited for: ask.uploading → ask.uploading",
        ]),
        ("  over:\n", "    lost:\n      then: over.finished\n  over:\n", ["69:5: nothing leads to buy.lost"]),
        ("else: ask.asking}\n", "else: ask.turning}\n    turning:\n      then: ask.choosing\n", [
            "38:7: a circle in which nothing is waited for: ask.choosing → ask.turning → ask.choosing"
        ]),
        ("else: ask.asking}\n", "else: ask.choosing}\n", [
            "38:7: a circle in which nothing is waited for: ask.choosing → ask.choosing"
        ]),
        # gates
        ("agreed: {subject: [offer, order_id]", "agreed: {subject: [ofer, order_id]", [
            "17:22: unknown datum 'ofer'; did you mean 'offer'?"
        ]),
        ("each: pictures,", "each: words,", [
            "18:19: 'words' is text: `each` must be files",
            "40:7: the message 'may_i' does not show 'words', which the gate 'allowed' of 'allow' is about",
        ]),
        ("until: uploads", "until: progress", ["18:36: 'progress' is hidden: `until` must be internal"]),
        ("{each: pictures, until: uploads}", "{until: uploads}", ["18:13: `until` needs `each`"]),
        ("{each: pictures, until: uploads}", "{each: pictures, until: uploads, declined: left}", [
            "18:55: unknown datum 'left'"
        ]),
        ("{each: pictures, until: uploads}", "{each: pictures, until: uploads, declined: pictures}", [
            "18:55: `declined` is another datum than `each`"
        ]),
        ("{each: pictures, until: uploads}", "{declined: pictures}", ["18:13: `declined` needs `each`"]),
        ("{each: pictures, until", "{each: pictures, subject: [link], until", [
            "18:13: a gate has `subject` or `each`, not both",
            "40:7: the message 'may_i' does not show 'link', which the gate 'allowed' of 'allow' is about",
        ]),
        ("agree: {gate: agreed,", "agree: {gate: agred,", [
            "17:3: no event answers the gate 'agreed'",
            "21:3: no state asks for what 'order' is never done without",
            "25:17: unknown gate 'agred'; did you mean 'agreed'?",
            "50:5: 'order' is reached without agreed",
        ]),
        ("start: {input: [words],", "start: {gate: told, input: [words],", [
            "24:11: 'start' answers no gate: nothing has been asked yet"
        ]),
        ("  upload: [allowed]", "  upload: [alowed]", [
            "22:3: no state asks for what 'upload' is never done without",
            "22:12: unknown gate 'alowed'; did you mean 'allowed'?",
        ]),
        ("  upload: [allowed]", "  upload: []", [
            "22:3: no state asks for what 'upload' is never done without"
        ]),
        ("subject: [offer, order_id]", "subject: [offer, link]", [
            "47:7: the message 'offer' does not show 'link', which the gate 'agreed' of 'agree' is about"
        ]),
        # messages
        ("say: may_i", "say: may_we", [
            "40:12: unknown message 'may_we'; did you mean 'may_i'?",
            "prompts/de/may_i.md:1:1: nothing says the message 'may_i'; did you mean 'may_we'?",
            "prompts/en/may_i.md:1:1: nothing says the message 'may_i'; did you mean 'may_we'?",
        ]),
        ("no_news: patience", "no_news: bye", [
            "prompts/de/patience.md:1:1: nothing says the message 'patience'",
            "prompts/en/patience.md:1:1: nothing says the message 'patience'",
        ]),
        ("trouble: {invalid: sorry,", "trouble: {invalid: sory,", [
            "32:20: unknown message 'sory'; did you mean 'sorry'?"
        ]),
    ],
)  # fmt: skip
def test_one_change_to_the_yaml_is_told_in_its_place(old: str, new: str, expected: list[str]) -> None:
    """Each rule has its own words, its exact place, and the name that was probably meant."""
    assert problems(edited(old, new)) == expected


def test_what_is_said_on_check_needs_the_event() -> None:
    """Nobody could ask for it; a watch alone looks by itself."""
    text = edited(
        "      on: {agree: buy.ordering, other: ask.choosing}\n",
        "      on: {agree: buy.ordering, other: ask.choosing}\n      no_news: bye\n",
    )
    assert problems(text.replace("  check: {}\n", "")) == [
        "48:7: `no_news` is said on `check`, and there is no such event"
    ]


def test_a_state_that_waits_for_nothing_is_found() -> None:
    """Without `on`, `watch` and a way out for every state, the run would be stuck."""
    text = edited("on: {cancel: over.cancelled}", "on: {}").replace("  cancel: {}\n", "")
    text = text.replace("      on: {happened: buy.waiting}\n", "")
    text = text.replace("    cancelled: {say: bye, end: cancelled}\n", "")
    assert problems(text) == [
        "27:3: the event 'happened' is offered nowhere",
        "54:5: nothing but a cancelled end leads on from buy.unsure: it needs `on` or `watch`",
    ]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("[]", ["3:12: at least one language must be declared"]),
        ("[en, DE]", ["3:17: write the language 'DE' as 'de'"]),
        ("[en, german]", ["3:17: 'german' is not a language tag"]),
    ],
)
def test_language_tags_are_checked(tags: str, expected: list[str]) -> None:
    """They are well formed, in the usual case, and there is at least one."""
    found = problems(edited("languages: [en, de]", f"languages: {tags}"))
    assert [line for line in found if line.startswith("3:")] == expected


@pytest.mark.rule("R23")
def test_a_text_that_is_missing_in_one_language_is_an_error() -> None:
    """Not English by accident: the place where the message is named, and the file to write."""
    assert problems(prompts=said("closed", None, "de")) == [
        "47:32: the message 'closed' has no text in de: write prompts/de/closed.md"
    ]
    assert problems(prompts=said("offer.plain", None, "de")) == [
        "47:19: the message 'offer.plain' has no text in de: write prompts/de/offer.plain.md"
    ]
    assert len(problems(prompts={"en": MESSAGES})) == len(MESSAGES) - 1


@pytest.mark.parametrize(
    ("message", "text", "expected"),
    [
        ("bye", "  \n", "1:1: the message is empty"),
        ("bye", "a\r\nb", "1:1: lines must end with a line feed alone"),
        ("bye", "Well,\nit costs $5", "2:10: a stray '$'; write $$ for a dollar sign"),
        ("bye", "See\n  ${lnk}", "2:3: unknown datum 'lnk'; did you mean 'link'?"),
        ("bye", "See $order_id", "1:5: 'order_id' is internal: no message may show it"),
        ("bye", "See ${progress}", "1:5: 'progress' is hidden: no message may show it"),
        ("bye", "Hello\nthe Secret is out", "2:1: no message may hold the word secret"),
        ("bye", "your ord_77 is here", "1:1: no message may hold the word ord_*"),
        ("bye", "the order_id is here", "1:1: no message may hold the word order_id"),
        ("bye", "look at /home/me/x.png", "1:1: no message may hold a file path"),
        ("bye", "call it with --verbose", "1:1: no message may hold a command"),
        ("bye", "ask the endpoint", "1:1: our own messages do without the word endpoint"),
        ("patience", "Not yet: ${link} ${pictures}", "1:18: 'pictures' is shown here, but not in en"),
        ("patience", "Not yet.", "1:1: 'link' is not shown here, but is in en"),
        ("offer.plain", "Not this: $words", "1:11: a plain variant cannot show 'words', the words of others"),
        ("by", "Bye.", "1:1: nothing says the message 'by'; did you mean 'bye'?"),
        ("by.plain", "Bye.", "1:1: nothing says the message 'by.plain'"),
    ],
)  # fmt: skip
def test_one_change_to_a_text_is_told_in_its_file(message: str, text: str, expected: str) -> None:
    """The file, the line and, for what is filled in, the column."""
    found = problems(prompts=said(message, text, "de"))
    assert f"prompts/de/{message}.md:{expected}" in found


def test_a_plain_variant_that_nobody_needs_is_no_problem() -> None:
    """A message may have one without words of others in it."""
    assert problems(prompts=said("bye.plain", "Bye.")) == []


def test_a_language_that_is_not_declared_is_told_once() -> None:
    """Not message by message."""
    assert problems(prompts={**PROMPTS, "fr": MESSAGES}) == ["prompts/fr:1:1: the language 'fr' is not declared"]


def test_the_question_must_be_seen_in_every_language() -> None:
    """Nobody agrees to what they were not shown."""
    found = problems(prompts=said("may_i", "May I?"))
    assert found == ["40:7: the message 'may_i' does not show 'pictures', which the gate 'allowed' of 'allow' is about"]
    assert found[0] in problems(prompts=said("may_i", "May I?", "de"))


def test_a_message_on_which_the_event_is_refused_need_not_show_its_question() -> None:
    """`closed` is said where `open` does not hold, and `agree` asks for `open`; else it is an error."""
    assert problems(edited("agree: {gate: agreed, if: open}", "agree: {gate: agreed}")) == [
        "47:7: the message 'closed' does not show 'offer', which the gate 'agreed' of 'agree' is about"
    ]


def test_what_comes_with_the_answer_need_not_be_shown() -> None:
    """The person's own words are the subject, and they are said in the same turn."""
    text = edited("happened: {gate: told}", "happened: {gate: told, input: [words]}")
    assert problems(text.replace("  told: {}", "  told: {subject: [words]}")) == []


@pytest.mark.parametrize(
    ("brief", "expected"),
    [
        (
            "Run ${comand}",
            ["prompts/briefs/wait.md:1:5: a brief cannot show 'comand'; did you mean 'command'?"],
        ),
        ("Do not\nshow $order_id", ["prompts/briefs/wait.md:2:6: a brief cannot show 'order_id'"]),
        ("Pay $ 5", ["prompts/briefs/wait.md:1:5: a stray '$'; write $$ for a dollar sign"]),
    ],
)
def test_a_brief_shows_public_data_and_what_the_engine_knows(brief: str, expected: list[str]) -> None:
    """Nothing else can be filled in."""
    assert problems(briefs={"wait": brief}) == expected


def test_what_actions_set_and_guards_read_must_be_data() -> None:
    """Told where they are first used."""
    guards = {**CODE.guards, "open": Guard("open", frozenset({"hours"}), passes)}
    actions = {**CODE.actions, "look": replace(CODE.actions["look"], sets=frozenset({"progess", "progress", "link"}))}
    assert problems(code=Registry(actions, guards)) == [
        "25:29: the guard 'open' reads 'hours', which is not a datum",
        "62:13: the action 'look' sets 'progess', which is not a datum",
    ]


def test_a_name_may_be_used_for_things_of_several_kinds() -> None:
    """An event, a datum, a guard, a message and a state have names of their own."""
    text = GOOD.replace("told", "offer_").replace("offer_", "offer")
    assert problems(text) == []


def test_everything_is_told_at_once_in_order() -> None:
    """The YAML first, then the texts by file and line."""
    text = edited("every: 3s", "every: 0s").replace("if: fits}", "if: fitss}")
    found = problems(text, said("bye", "a /usr/bin/env $"), {**BRIEFS, "more": "x"})
    assert found == [
        "24:53: unknown guard 'fitss'; did you mean 'fits'?",
        "63:16: `every` must be at least 1s",
        "prompts/briefs/more.md:1:1: nothing names the brief 'more'",
        "prompts/de/bye.md:1:1: no message may hold a file path",
        "prompts/de/bye.md:1:16: a stray '$'; write $$ for a dollar sign",
        "prompts/en/bye.md:1:1: no message may hold a file path",
        "prompts/en/bye.md:1:16: a stray '$'; write $$ for a dollar sign",
    ]


@pytest.mark.rule("R23")
def test_the_reference_bundle_passes() -> None:
    """Complete in both languages, its Python included, and free of what its messages may not hold."""
    assert find_problems(ROOT) == []
    assert set(open_bundle(ROOT).prompts) == {"en", "zh-CN"}


@pytest.mark.rule("R62", "R84")
def test_the_reference_bundle_asks_for_enough_time() -> None:
    """At least 25 minutes for a process that waits for the image, and 10 for one that waits for changes."""
    states = open_bundle(ROOT).definition.states
    limits = {name: state.watch.time_limit for name, state in states.items() if state.watch}
    assert limits.keys() == {"deliver.generating", "revise.applying"}
    assert limits["deliver.generating"] >= 1500
    assert limits["revise.applying"] >= 600
