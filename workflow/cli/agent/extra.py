"""How an extra of this distribution is installed, given how the distribution itself was."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

NAME = "phasegate"
_REQUIREMENT = re.compile(r"([^;]+?)\s*;\s*extra\s*==\s*['\"]([\w-]+)['\"]\s*")


def remedy(extra: str) -> str:
    """The command that installs the extra for the Python that runs this, in a sentence.

    It names the folder or the address that the distribution came from. Where that is not known or not there any more,
    and in an editable checkout, it names the packages of the extra. A Python without pip, such as those of uv, gets it
    first.
    """
    command = shlex.join([sys.executable, "-m", "pip", "install", *_what(extra)])
    if importlib.util.find_spec("pip") is None:
        command = f"{shlex.join([sys.executable, '-m', 'ensurepip'])} && {command}"
    return f"Install it as the extra '{extra}': `{command}`."


def _what(extra: str) -> list[str]:
    try:
        known = importlib.metadata.distribution(NAME)
        said: Any = json.loads(known.read_text("direct_url.json") or "{}")
        url = said.get("url", "")
        parts = urlsplit(url)
        folder = unquote(parts.path) if parts.scheme == "file" else ""
        if url and not said.get("dir_info", {}).get("editable") and (not folder or os.path.exists(folder)):
            return [_from(extra, url, said)]
        found = (_REQUIREMENT.fullmatch(each) for each in known.requires or ())
        return [each[1] for each in found if each and each[2] == extra]
    except (importlib.metadata.PackageNotFoundError, ValueError, AttributeError):  # a checkout that is not installed
        return [f"{Path(__file__).resolve().parents[3]}[{extra}]"]


def _from(extra: str, url: str, said: dict[str, Any]) -> str:
    """What pip installs again, with the extra, from where it came; see PEP 610."""
    if source := said.get("vcs_info"):
        url = f"{source['vcs']}+{url}@{source['commit_id']}"
    if place := said.get("subdirectory"):
        url = f"{url}#subdirectory={place}"
    return f"{NAME}[{extra}] @ {url}"
