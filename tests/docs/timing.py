"""How long a page takes a reader who types it as written: ``python -m tests.docs.timing docs/tutorial.md``.

Only the machine is timed: the files are there at once, and nobody reads.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.docs.pages import blocks
from tests.docs.shell import commands_of, followed


def counted(page: Path) -> tuple[int, int, int]:
    """What a reader of the page has to type: commands, files, and the lines of these files."""
    commands = [line for block in blocks(page, "sh") for line in commands_of(block.text)]
    files = [block for block in blocks(page) if block.note.startswith("file: ")]
    return len(commands), len(files), sum(len(block.text.splitlines()) for block in files)


def main() -> None:
    """Follow the page, and print what was typed, and the seconds from the first command to the last."""
    page = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        for _ in followed(page, Path(folder)):
            """Each block is typed as it comes."""
        took = time.monotonic() - began
    commands, files, lines = counted(page)
    print(f"{page}: {commands} commands, {files} files of {lines} lines: {took:.0f} s")


if __name__ == "__main__":
    main()
