"""Scenarios that were played, as JUnit XML: what build servers read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from workflow.author.play import Played

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 may hold, escaped or not."""


def as_junit(suite: str, played: Sequence[tuple[Played, float]]) -> bytes:
    """The document; each scenario with the seconds that it took."""
    failed = sum(not each.passed for each, _ in played)
    root = ElementTree.Element("testsuites")
    about = {"name": suite, "tests": str(len(played)), "failures": str(failed), "errors": "0"}
    total = sum(seconds for _, seconds in played)
    found = ElementTree.SubElement(root, "testsuite", {**about, "time": f"{total:.3f}"})
    for each, seconds in played:
        case = ElementTree.SubElement(
            found, "testcase", {"classname": suite, "name": each.name, "file": each.file, "time": f"{seconds:.3f}"}
        )
        if not each.passed:
            first = each.mismatches[0]
            message = f"{first.place}: {first.what}: expected {first.expected}, got {first.got}"
            failure = ElementTree.SubElement(case, "failure", {"message": _clean(message)})
            failure.text = _clean("\n".join(each.transcript()))
    ElementTree.indent(root)
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
