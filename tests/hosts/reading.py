"""What a host hands its model of a tool's result: the text blocks, or the object (`structuredContent`).

Read in the packages of `package.json`, and for VS Code and Codex in their public source; no account is needed for that,
and none of it is played. The server answers with text alone, which each of them reads once.
"""

from __future__ import annotations

from collections.abc import Mapping

OBJECT = "the object in place of the text, where there is one"
READS: Mapping[str, str] = {
    "claude-code": OBJECT,
    "openclaw": "both, so that it reads an answer twice",
    "codex": f"{OBJECT}; the text as JSON blocks",
    "gemini-cli": "the text; of an error all blocks as JSON",
    "vscode": OBJECT,
    "cursor": "not known",
    "generic": "not known",
}
