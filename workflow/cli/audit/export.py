"""A log on its way to somebody else: a new folder with the entries, a verifier, and if wanted a page to read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from workflow.history.export import Export
from workflow.history.proof import Proof
from workflow.model.errors import UsageError
from workflow.model.frozen import Noun
from workflow.model.strict_json import printed_json
from workflow.show.log_page import page_of

JOURNAL, VERIFIER, PAGE = "journal.jsonl", "verify.py", "journal.html"


class Written(Noun):
    """Where an export is, and how many of its entries do not have all of their content."""

    folder: str
    files: tuple[str, ...]
    entries: int
    redacted: int
    left_out: int
    erased: int
    receipt: str
    sandbox: bool
    fault: str | None


def write_export(found: Export, folder: str, *, page: bool = False, proof: Proof | None = None) -> Written:
    """Write it into ``folder``, which must not be there; only its owner can read it (0700, 0600)."""
    texts = {
        JOURNAL: "".join(f"{printed_json(line.as_json())}\n" for line in found.lines),
        VERIFIER: files("workflow.history").joinpath("verifier.py").read_text(encoding="utf-8"),
    }
    if page:
        texts[PAGE] = page_of(found, proof)
    _write(Path(folder), texts)
    return Written(
        folder=folder,
        files=tuple(texts),
        entries=len(found.lines),
        redacted=sum(bool(line.redacted) for line in found.lines),
        left_out=sum(line.left_out for line in found.lines),
        erased=sum(line.without == "erased" for line in found.lines),
        receipt=found.lines[-1].entry.receipt,
        sandbox=found.session.sandbox is not None,
        fault=found.fault,
    )


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    try:
        os.mkdir(folder, 0o700)
        for name, text in texts.items():
            file = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(file, "w", encoding="utf-8", newline="") as out:
                out.write(text)
    except FileExistsError as error:
        raise UsageError(f"{folder} is there already", "Name a folder that is not, with --to.") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{folder} cannot be written: {reason}", "Name another folder with --to.") from error
