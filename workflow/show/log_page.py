"""A log as one page to read and to print: no script, nothing loaded, and nobody's text is ever markup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from workflow.history.export import Export, Line
from workflow.history.proof import Answer, Proof
from workflow.machine.foreign import TRANSLATED, inline, limited
from workflow.model.signature import fingerprint
from workflow.show.markup import Markup, joined, tag
from workflow.show.story import tell
from workflow.show.times import minute

MOST = 20_000
"""Characters of one foreign text; journal.jsonl beside the page has all of it."""
QUIET = ("move", "confirm", "unsaid", "watching", "unwatched", "language", "bundle")
"""Kinds that are told in small print."""
NAMES = {
    "started": "began",
    "event": "answer",
    "refusal": "refused",
    "intent": "paid call",
    "result": "outcome",
    "failure": "failed",
    "odd": "odd answer",
    "doubt": "in doubt",
    "partial": "answer of several",
    "unproven": "wrong passphrase",
    "reply": "said",
    "forgotten": "erased",
}
"""Kind → what stands before the entry; the others stand for themselves."""


def page_of(found: Export, proof: Proof | None) -> str:
    """The whole page; ``proof`` is left out where there is none."""
    name = found.session.name
    over = (
        "Sandbox: the log of a session that ordered nothing real" if found.session.sandbox else "The log of a session"
    )
    parts = [
        tag("header", tag("p", over, cls="over"), tag("h1", name), _facts(found)),
        _trust(found),
        *([_proof(found, proof)] if proof else []),
        tag("main", tag("h2", "What happened"), tag("ol", *(_entry(found, each) for each in _told(found)), cls="log")),
        _footer(found),
    ]
    head = Markup(
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="referrer" content="no-referrer">'
        f"{tag('title', f'{name}{_sandbox(found)}: log')}<style>{_style()}</style>"
    )
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>{joined(*parts)}</body></html>\n'


def _sandbox(found: Export) -> str:
    return " (sandbox)" if found.session.sandbox else ""


def _style() -> str:
    return Path(__file__).with_name("log_page.css").read_text(encoding="utf-8")


def _facts(found: Export) -> Markup:
    session, lines = found.session, found.lines
    facts = {
        "procedure": session.workflow,
        "stands in": f"{session.state} ({found.status.replace('_', ' ')})",
        "began": f"{minute(lines[0].entry.time)} UTC",
        "last change": f"{minute(lines[-1].entry.time)} UTC",
        "service": "a sandbox" if session.sandbox else "the real one",
        "bundle": session.bundle[:12],
        "head": lines[-1].entry.receipt,
    }
    return tag("dl", *(tag("div", tag("dt", label), tag("dd", text)) for label, text in facts.items()), cls="facts")


def _trust(found: Export) -> Markup:
    """Whether the log held when the page was made; a page can be edited, which is what the verifier is for."""
    if found.fault:
        return tag("section", tag("h2", "This log does not hold"), tag("p", found.fault), cls="trust bad")
    text = (
        "When this page was made, every entry followed from the one before, and the saved run was what they add up to. "
        "A page proves nothing: verify.py beside it checks the entries, against a receipt that was kept elsewhere."
    )
    return tag("section", tag("h2", "The chain holds"), tag("p", text), cls="trust good")


def _proof(found: Export, proof: Proof) -> Markup:
    rows = []
    for claim in proof.claims:
        rows.append(
            tag(
                "li",
                tag("b", "✓ " if claim.holds else "✗ "),
                tag("a", f"entry {claim.seq}", href=f"#e{claim.seq}"),
                f": {claim.text}",
                *(tag("div", *_answer(found, each), cls="note") for each in claim.by),
                *([tag("div", claim.why, cls="note")] if claim.why else []),
                cls="good" if claim.holds else "bad",
            )
        )
    plain = f"; {proof.withheld} said in plain form instead" if proof.withheld else ""
    if proof.clean:
        rows.append(tag("li", tag("b", "✓ "), f"all {proof.messages} messages were clean{plain}", cls="good"))
    title = "What it proves" if proof.holds else "What it does not prove"
    total = f"{proof.summary[0].upper()}{proof.summary[1:]}."
    limits = [tag("p", each, cls="note") for each in proof.limits]
    return tag("section", tag("h2", title), tag("ul", *rows), *limits, tag("p", total))


def _answer(found: Export, answer: Answer) -> Iterator[Markup | str]:
    """An answer that carries a call; its texts are covered as those of its entry are."""
    yield answer.source
    yield tag("blockquote", limited(found.covered(answer.quote), MOST))
    yield tag("div", f"given {minute(answer.given)} UTC, counts until {minute(answer.until)} UTC")
    if answer.device is not None:
        yield tag("div", f"signed by the device {inline(answer.device)}, on the page {answer.origin}")
    if answer.text is not None:
        yield tag("div", "to the question:")
        yield tag("blockquote", limited(found.covered(answer.text), MOST))
    if answer.translation is not None:
        yield f"{TRANSLATED}:"
        yield tag("blockquote", limited(found.covered(answer.translation), MOST))
    if answer.missing:
        yield answer.missing


def _told(found: Export) -> Iterator[Line]:
    return (line for line in found.lines if not line.left_out)


def _entry(found: Export, line: Line) -> Markup:
    entry = line.entry
    told = tell(entry)
    kind = entry.kind if entry.kind in NAMES or entry.kind in QUIET else "other"
    body = entry.body or {}
    apart = ("evidence", "translation", "told", "declined") if _list(body, "evidence") or _list(body, "told") else ()
    notes = [note for note in told.notes if note[0] not in apart]
    day, _, rest = entry.time.partition("T")
    parts = [
        tag("div", tag("span", rest[:8]), tag("span", day, cls="day"), cls="time"),
        tag(
            "div",
            tag("p", tag("b", _named(found, entry.kind), cls="kind"), " ", told.what, cls="what"),
            *(tag("div", *_message(each), cls="said") for each in _list(body, "told")),
            *(tag("blockquote", *_words(each)) for each in (*_list(body, "evidence"), *_list(body, "declined"))),
            *(tag("div", *_message(each), cls="said") for each in _list(body.get("reply"), "say")),
            *(tag("p", tag("i", f"{label}: "), text, cls="note") for label, text in notes),
            *([tag("p", tag("i", "redacted: "), ", ".join(line.redacted), cls="note")] if line.redacted else []),
            cls="told",
        ),
        tag("a", f"#{entry.seq}", href=f"#e{entry.seq}", cls="seq", title=entry.hash),
    ]
    return tag("li", *parts, cls=f"{kind}{' quiet' if entry.kind in QUIET else ''}", id=f"e{entry.seq}")


def _named(found: Export, kind: str) -> str:
    """What stands before an entry; a call in a sandbox was paid for by nobody."""
    return "sandbox call" if kind == "intent" and found.session.sandbox else NAMES.get(kind, kind)


def _words(evidence: Any) -> Iterator[Markup | str]:
    """The person's own words, and what they were an answer to."""
    if isinstance(evidence, Mapping):
        yield limited(str(evidence.get("quote")), MOST)
        by = f", {evidence['approver']}" if evidence.get("approver") else ""
        by += f", passkey {fingerprint(evidence['signature']['key'])}" if evidence.get("signature") else ""
        by += f" as {evidence['role']}" if evidence.get("role") else ""
        by += f", for {evidence['service']}" if evidence.get("service") else ""
        how = f"{evidence.get('gate')}, {evidence.get('strength')} ({evidence.get('channel')}{by})"
        yield tag("cite", f"{how}, bound to {str(evidence.get('subject'))[:12]}…")
        if evidence.get("translation"):
            yield tag("cite", f"{TRANSLATED}:")
            yield tag("q", limited(str(evidence["translation"]), MOST))


def _message(said: Any) -> Iterator[Markup | str]:
    """A message as it was said; what the service wrote in it is set apart."""
    if not isinstance(said, Mapping):
        return
    marks = [mark.replace("_", " ") for mark in ("repeat", "maybe_said", "unsaid", "withheld") if said.get(mark)]
    yield tag("cite", ", ".join([str(said.get("id")), str(said.get("language")), *marks]))
    for part in _list(said, "parts") or [said]:
        if isinstance(part, Mapping):
            text = limited(str(part.get("text")), MOST)
            yield tag("q", text) if part.get("by") else text


def _footer(found: Export) -> Markup:
    left, redacted = sum(line.left_out for line in found.lines), sum(bool(line.redacted) for line in found.lines)
    texts = [f"{len(found.lines)} entries."]
    if left:
        texts.append(f"{left} that were not asked for are left out of this page.")
    if redacted:
        texts.append(f"In {redacted}, internal data were redacted; their places are named.")
    return tag("footer", " ".join(texts), " Times are UTC. What the service or a person wrote is set apart.")


def _list(value: Any, name: str) -> list[Any]:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else []
