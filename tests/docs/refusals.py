"""Every kind of refusal, brought about with the reference bundle: what docs/refusals.md shows is what was answered."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from phases.anygen.sandbox import Sandbox
from tests.conduct import WORDS, answer, begin, reach
from tests.docs.pages import ROOT
from tests.playing import Player, player
from workflow.model.reply import Reply

SOURCE = ROOT / "workflow" / "machine" / "decide.py"
DECIDING = ("_unknown", "_stale", "_input", "_identity", "_unseen", "_gate", "_items", "_relayed")
"""The functions of ``decide.py`` that refuse; what guards say is the bundle's own."""


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of refusal: ``what`` was sent, and what it means for an agent."""

    name: str
    what: str
    means: str
    bring_about: Callable[[Player, Path, Sandbox], Reply]
    gates: dict[str, str] = field(default_factory=dict)


def _asking(play: Player, folder: Path) -> None:
    play.start({"words": WORDS})


def _presenting(play: Player, folder: Path) -> None:
    _asking(play, folder)
    reach(play, "confirm.presenting")


def _too_early(play: Player, folder: Path, sandbox: Sandbox) -> Reply:
    _asking(play, folder)
    return play.send("approve", quote="yes, go ahead")


def _misspelt(play: Player, folder: Path, sandbox: Sandbox) -> Reply:
    _presenting(play, folder)
    return play.send("aprove", quote="yes, go ahead")


def _of_the_service(play: Player, folder: Path, sandbox: Sandbox) -> Reply:
    _presenting(play, folder)
    return play.send("task_completed")


def _switched_off(play: Player, folder: Path, sandbox: Sandbox) -> Reply:
    _presenting(play, folder)
    return play.send("praised")


def _twice(play: Player, folder: Path, sandbox: Sandbox) -> Reply:
    _presenting(play, folder)
    return play.send("start", {"words": WORDS})


def _ended(play: Player, folder: Path, sandbox: Sandbox) -> Reply:
    _asking(play, folder)
    play.send("cancel")
    return play.send("answer", {"words": "Wait, one more thing"})


def _stale(play: Player, folder: Path, sandbox: Sandbox) -> Reply:
    _presenting(play, folder)
    return play.send("approve", quote="yes, go ahead", revision=1)


def _wrong_input(play: Player, folder: Path, sandbox: Sandbox) -> Reply:
    _asking(play, folder)
    return play.send("answer", {"text": "Warm colours"})


def _wrong_type(play: Player, folder: Path, sandbox: Sandbox) -> Reply:
    _asking(play, folder)
    return play.send("answer", {"words": ["Warm", "colours"]})


def _guarded(play: Player, folder: Path, sandbox: Sandbox) -> Reply:
    _asking(play, folder)
    (folder / "ref.png").write_bytes(b"a picture")
    return play.send("answer", {"words": "Like this", "references": [{"path": "ref.png"}]})


def _unmistakable(play: Player, folder: Path, sandbox: Sandbox) -> Reply:
    _presenting(play, folder)
    return play.send("approve", quote="yes, go ahead", seen=None)


def _paying(play: Player, folder: Path, sandbox: Sandbox) -> Reply:
    begin(play, folder)
    reach(play, "deliver.ready")
    (folder / "two.png").write_bytes(b"another picture")
    play.send("modify", {"words": "Bluer", "references": [{"path": "two.png", "description": "navy"}]}, quote="Bluer")
    return play.send("decline", revision=None, seen=None)


def _no_quote(play: Player, folder: Path, sandbox: Sandbox) -> Reply:
    _presenting(play, folder)
    return play.send("approve", seen=play.reply.seen)


def _wordless(play: Player, folder: Path, sandbox: Sandbox) -> Reply:
    _presenting(play, folder)
    return play.send("approve", quote="...")


def _denied(play: Player, folder: Path, sandbox: Sandbox) -> Reply:
    _presenting(play, folder)
    return play.send("approve", quote="Okay, wait, don't do that")


def _copied(play: Player, folder: Path, sandbox: Sandbox) -> Reply:
    _presenting(play, folder)
    return play.send("approve", quote=str(play.engine.data(play.name)["reply"]))


def _too_weak(play: Player, folder: Path, sandbox: Sandbox) -> Reply:
    _presenting(play, folder)
    return play.send("approve", quote="yes, go ahead")


def _other_words(play: Player, folder: Path, sandbox: Sandbox) -> Reply:
    _presenting(play, folder)
    answer(play, "approve")
    reach(play, "deliver.ready")
    return play.send("modify", {"words": "Make the background navy"}, quote="make it bluer")


def _not_shown(play: Player, folder: Path, sandbox: Sandbox) -> Reply:
    _asking(play, folder)
    sandbox.fault("leak-id", on="prepare", field="reply")
    play.send("answer", {"words": "Warm"})
    return play.send("approve", quote="yes, go ahead")


def _no_item(play: Player, folder: Path, sandbox: Sandbox) -> Reply:
    begin(play, folder)
    return play.send("consent", quote="yes, send it", items=[])


def _strange_item(play: Player, folder: Path, sandbox: Sandbox) -> Reply:
    begin(play, folder)
    return play.send("consent", quote="yes, send it", items=["other.png"])


def _no_names(play: Player, folder: Path, sandbox: Sandbox) -> Reply:
    play.start({"words": WORDS, "references": _offered(folder, "logo.png", "shop.png")})
    return play.send("consent", quote="yes, send it")


def _same_names(play: Player, folder: Path, sandbox: Sandbox) -> Reply:
    play.start({"words": WORDS, "references": _offered(folder, "one/ref.png", "two/ref.png")})
    return play.send("consent", quote="yes, the first", items=["ref.png"])


def _offered(folder: Path, *names: str) -> list[dict[str, str]]:
    """Files with other bytes each, as an agent offers them."""
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return [{"path": name, "description": name} for name in names]


KINDS = (
    Kind(
        "Not possible here",
        "`approve` while the service still asks questions",
        "The step is out of order. The message says where the event belongs, the hint what is possible now.",
        _too_early,
    ),
    Kind("No such event", "`aprove`", "A slip of spelling. Nothing has happened; send the right name.", _misspelt),
    Kind(
        "An event of the service",
        "`task_completed`",
        "Only the service can say so: nobody can talk a run into believing that the work is done.",
        _of_the_service,
    ),
    Kind(
        "Switched off",
        "`praised` while the user's configuration has `recommendations` off",
        "Nothing offers or names such an event. Say nothing of it.",
        _switched_off,
    ),
    Kind("A second start", "`start` to a session that runs", "Go on with it, or start another session.", _twice),
    Kind(
        "After the end",
        "`answer` to a run that was cancelled",
        "It takes what its end names, and nothing else.",
        _ended,
    ),
    Kind(
        "Stale",
        "`approve` with the revision of an older reply",
        "Something has happened since: the person may have agreed to something else. Its type is `stale`, and it ends "
        "with exit code 6. Never just repeat it with the new revision: show the person what stands there now.",
        _stale,
    ),
    Kind(
        "Input that is missing, or unknown",
        "`answer` with `text` for `words`",
        "All that is wrong is told at once. What an event takes stands in `next` of the reply before.",
        _wrong_input,
    ),
    Kind("Input of another type", "`answer` with a list for `words`", "Each datum has a type.", _wrong_type),
    Kind(
        "A guard",
        "a file without a description",
        "The bundle's own condition, in the bundle's own words.",
        _guarded,
    ),
    Kind(
        "An answer to what?",
        "`approve` without `seen`",
        "An answer of the person belongs to one reply. Send the `seen` of the reply that asked.",
        _unmistakable,
    ),
    Kind(
        "A turn that can cost money",
        "`decline` of a file, after which a change would be sent, without saying which turn it is",
        "A repeat of it must be seen to be one: send the `seen` of the last reply, or a `turn_id` of your own.",
        _paying,
    ),
    Kind(
        "Without the person's words",
        "`approve` without a quote",
        "Nobody has agreed to anything yet. Ask the person; never write the quote yourself.",
        _no_quote,
    ),
    Kind(
        "A quote without words",
        "`approve` with three dots",
        "That is nothing a person has said. Ask, and send what they answered.",
        _wordless,
    ),
    Kind(
        "A quote that refuses",
        '`approve` with "Okay, wait, don\'t do that" as the quote',
        "The person has said no. Ask them again, and send what they answer to that.",
        _denied,
    ),
    Kind(
        "A quote that is a copy",
        "`approve` with the plan itself as the quote",
        "What was shown to the person is not what they said to it. Send their answer, however short.",
        _copied,
    ),
    Kind(
        "Too weak",
        '`approve` by the agent where the user\'s configuration has `user_approved = "asked"`',
        "What an agent reports is not enough here: the person answers with `workflow-admin approve`.",
        _too_weak,
        {"user_approved": "asked"},
    ),
    Kind(
        "Other words than the person's",
        "`modify` with words that the quote does not have",
        "What is sent is what the person said. Put the same words in both places.",
        _other_words,
    ),
    Kind(
        "Not shown",
        "`approve` of a plan whose message was withheld, since it held an id",
        "Nobody can agree to what nobody has seen. Another plan has to be made.",
        _not_shown,
    ),
    Kind("No file", "`consent` to an empty list", "An answer for none of them is a `decline`.", _no_item),
    Kind(
        "Several files, and words alone",
        "`consent` to two files without saying which",
        "Words never stand for several files. Name those that the person agreed to; the others count as declined.",
        _no_names,
    ),
    Kind(
        "Another file",
        "`consent` to a file that was not asked for",
        "Only what was shown can be agreed to.",
        _strange_item,
    ),
    Kind(
        "Two files of one name", "`consent` to one of them, by its name alone", "Put its folder before it.", _same_names
    ),
)
"""In the order of the page."""


@cache
def refused(kind: Kind) -> Reply:
    """What the engine answers; the run stands where it stood."""
    with TemporaryDirectory() as name, Sandbox(rounds=2, looks=1) as sandbox:
        folder = Path(name).resolve()
        play = player(folder, ROOT, sandbox.url, gates=kind.gates)
        reply = kind.bring_about(play, folder, sandbox)
        assert reply.error is not None, f"{kind.name}: nothing was refused"
        return reply


def page() -> str:
    """Every kind with what was answered to it."""
    return "\n\n".join(_told(kind) for kind in KINDS)


def patterns() -> Iterator[tuple[int, str]]:
    """The line and the form of every reason that ``decide.py`` can give."""
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and function.name in DECIDING:
            for node in ast.walk(function):
                if isinstance(node, ast.Yield) and isinstance(node.value, (ast.Constant, ast.JoinedStr)):
                    yield node.lineno, _form(node.value)
                elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refused":
                    (reason,) = node.args[0].elts  # type: ignore[attr-defined]
                    yield node.lineno, _form(reason)


def _told(kind: Kind) -> str:
    reply = refused(kind)
    error = reply.error
    assert error is not None
    lines = [each.replace(str(reply.session), "amber-fox") for each in (f"{error.type}: {error.message}", error.hint)]
    told = "\n".join(textwrap.fill(line, 116, break_long_words=False, break_on_hyphens=False) for line in lines if line)
    sent = textwrap.fill(f"Sent: {kind.what}. {kind.means}", 120, break_on_hyphens=False)
    return f"### {kind.name}\n\n{sent}\n\n```text\n{told}\n```"


def _form(reason: ast.expr) -> str:
    """A text with holes as a pattern; holes may be empty."""
    if isinstance(reason, ast.Constant):
        return re.escape(str(reason.value))
    assert isinstance(reason, ast.JoinedStr)
    return "".join(re.escape(str(each.value)) if isinstance(each, ast.Constant) else ".*" for each in reason.values)
