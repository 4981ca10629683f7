"""Figures of the pages are those of the code: each is read from its constant."""

from __future__ import annotations

import pytest

from phases.anygen.client import MAX_FILE
from tests.docs.pages import DOCS
from workflow.bundle import loader
from workflow.cli.agent import turns
from workflow.engine import budget, intake, refusals, work
from workflow.local import approvers
from workflow.machine import decide, hosts
from workflow.mcp_server import broker, connections, elicitation, rate_limit, sockets, uploads
from workflow.service import http

KIB, MIB = 1024, 1024**2
FIGURES = (
    ("cli.md", f"It holds at most {intake.LARGEST_TURN // KIB} KiB"),
    ("cli.md", f"it may have {turns.LARGEST // MIB} MiB"),
    ("cli.md", f"It has at least {approvers.SHORTEST} characters"),
    ("yaml.md", f"A file has at most {loader.MAX_BYTES // KIB} KiB"),
    ("reliability.md", f"| what a turn holds, as JSON | {intake.LARGEST_TURN // KIB} KiB |"),
    ("reliability.md", f"| files of a turn; a text | {decide.MOST_FILES}; {decide.LONGEST_TEXT:,} characters |"),
    ("reliability.md", f"| an answer of the service, decoded | {http.MAX_BODY // MIB} MiB |"),
    ("reliability.md", f"| steps of a turn without a rest | {work.MOST_STEPS} |"),
    ("reliability.md", f"| attempts of one call | {work.ATTEMPTS}, pauses up to {work.LONGEST_PAUSE:g} s each |"),
    ("reliability.md", f"| all calls of a turn, pauses included, paid calls aside | {budget.TURN:g} s |"),
    ("reliability.md", f"| a look of a watch, however many pages it reads | {budget.LOOK:g} s |"),
    ("reliability.md", f"| a paid action | {budget.PAID / 60:g} min"),
    ("security.md", f"at most {http.MAX_BODY // MIB} MiB, strict JSON"),
    ("concepts.md", f"not seen within {hosts.PATIENCE:g} seconds"),
    ("mcp.md", f"for up to {elicitation.PATIENCE / 60:g} minutes"),
    ("anygen.md", f"A file has at most {MAX_FILE // MIB} MB, a turn at most {decide.MOST_FILES} files"),
    ("broker.md", f"| a request | {broker.MAX_REQUEST // MIB} MB |"),
    ("broker.md", f"| a file in it | {uploads.MAX_FILE // MIB} MB |"),
    ("broker.md", f"| all files that wait | {uploads.MAX_SPOOL // MIB} MB |"),
    ("broker.md", f"wait | {uploads.MAX_OWNED // MIB} MB, {uploads.MOST_OWNED} files |"),
    ("broker.md", f"| MCP connections of one owner | {connections.MOST_OF_ONE} |"),
    ("broker.md", f"| TCP connections of one owner | {sockets.MOST_OF_ONE} |"),
    ("broker.md", f"| TCP connections without a valid token | {sockets.MOST_STRANGERS} |"),
    ("broker.md", f"| headers of a request | {sockets.HEADER_SECONDS:g} s, {sockets.LARGEST_HEADER // KIB} KiB |"),
    ("broker.md", f"| refused turns that a session records | {refusals.MOST_AN_HOUR} an hour |"),
    ("broker.md", f"| of a refused turn | {refusals.MOST_KEPT // KIB} KiB |"),
    ("broker.md", f"{rate_limit.BURST} at once after a pause, then {rate_limit.PER_SECOND:g} a second"),
    ("broker.md", f"| under way for one owner, streams included | {rate_limit.AT_ONCE} |"),
)


@pytest.mark.parametrize(("page", "figure"), FIGURES)
def test_a_figure_is_that_of_the_code(page: str, figure: str) -> None:
    """A limit that is changed is changed in the page about it."""
    assert figure in " ".join((DOCS / page).read_text(encoding="utf-8").split())
