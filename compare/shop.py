"""The shop of ``bundle/phases/shop.py`` in a process of its own, as the conductor handles it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

SHOP = Path(__file__).parent / "bundle" / "phases" / "shop.py"


class Shop:
    """Runs while it is entered; it ends with this process, whatever happens."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen([sys.executable, str(SHOP)], stdin=-1, stdout=-1, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def hold(self, kind: str) -> None:
        """Hold back the answers to ``plans`` or ``orders``; they are counted all the same."""
        self._ask("POST", "/hold", {"kind": kind})

    def release(self) -> None:
        """Let all answers go, and everyone who waits for a count."""
        self._ask("POST", "/release", {})

    def calls(self, kind: str = "orders", least: int = 0) -> list[str]:
        """The texts asked for so far, as soon as there are this many, or answers are released."""
        found: list[str] = self._ask("GET", f"/calls?kind={kind}&least={least}")[kind]
        return found

    def _ask(self, method: str, path: str, body: dict[str, str] | None = None) -> dict[str, list[str]]:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data, method=method), timeout=90) as said:
            answer: dict[str, list[str]] = json.load(said)
        return answer
