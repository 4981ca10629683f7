"""Scenarios that were played, as JUnit XML: what build servers read.

It is of the form that both widespread schemas take, that of Jenkins' xUnit plugin and that of Ant's reports: a case
has no file, and a suite no number of skipped ones.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree

from workflow.author.play import Played

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 may hold, escaped or not."""
_HOST = "localhost"
"""The sandbox is on loopback; the name of the machine is nobody's business."""


def as_junit(suite: str, played: Sequence[tuple[Played, float]], began: float) -> bytes:
    """The document: each scenario with the seconds that it took, of a run that ``began`` then (seconds since 1970).

    A scenario that cannot be played is an error, one that does not come as it says a failure.
    """
    wrong = [each.playable for each, _ in played if not each.passed]
    about = {
        "name": suite,
        "package": suite,
        "id": "0",
        "hostname": _HOST,
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(began)),
        "tests": str(len(played)),
        "failures": str(wrong.count(True)),
        "errors": str(wrong.count(False)),
        "time": _seconds(seconds for _, seconds in played),
    }
    root = ElementTree.Element("testsuites")
    found = _add(root, "testsuite", about)
    _add(found, "properties")
    for each, seconds in played:
        case = _add(found, "testcase", {"classname": suite, "name": each.name, "time": _seconds([seconds])})
        if not each.passed:
            kind, type_ = ("failure", "mismatch") if each.playable else ("error", "scenario")
            first = each.mismatches[0]
            message = f"{first.place}: {first.what}: expected {first.expected}, got {first.got}"
            _add(case, kind, {"type": type_, "message": message}, "\n".join(each.transcript()))
    _add(found, "system-out")
    _add(found, "system-err")
    ElementTree.indent(root)
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _add(
    parent: ElementTree.Element, name: str, attributes: dict[str, str] | None = None, text: str = ""
) -> ElementTree.Element:
    """An element of the parent; what XML cannot hold is replaced in each text."""
    cleaned = {key: _clean(value) for key, value in (attributes or {}).items()}
    made = ElementTree.SubElement(parent, name, cleaned)
    made.text = _clean(text) or None
    return made


def _seconds(taken: Iterable[float]) -> str:
    return f"{sum(taken):.3f}"


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
