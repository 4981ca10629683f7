"""The secret of a store: made once, by whoever comes first, and read by its owner alone."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from workflow.local.secret import LENGTH, secret
from workflow.model.errors import StoreError


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    """The second time it is read; another name has another one; nothing else is left in the folder."""
    made = secret(tmp_path / "state", "mcp.key")
    assert len(made) == LENGTH and secret(tmp_path / "state", "mcp.key") == made
    assert secret(tmp_path / "state", "other.key") != made
    assert sorted(each.name for each in (tmp_path / "state").iterdir()) == ["mcp.key", "other.key"]


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    """Not under a wide umask, and no longer once its mode was widened."""
    before = os.umask(0)
    try:
        made = secret(tmp_path, "mcp.key")
    finally:
        os.umask(before)
    path = tmp_path / "mcp.key"
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    assert secret(tmp_path, "mcp.key") == made and path.stat().st_mode & 0o777 == 0o600


def test_those_who_come_at_once_get_the_same(tmp_path: Path) -> None:
    """Whoever is first makes it; nobody reads half of it."""
    found: list[bytes] = []
    barrier = threading.Barrier(8)

    def ask() -> None:
        barrier.wait()
        found.append(secret(tmp_path, "mcp.key"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(found)) == 1


@pytest.mark.parametrize("content", [b"", b"short", b"x" * (LENGTH + 1)])
def test_something_else_in_its_place_is_told(tmp_path: Path, content: bytes) -> None:
    """It is neither used nor replaced."""
    (tmp_path / "mcp.key").write_bytes(content)
    with pytest.raises(StoreError, match="mcp.key") as error:
        secret(tmp_path, "mcp.key")
    assert "Remove" in error.value.hint and (tmp_path / "mcp.key").read_bytes() == content


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Nobody can have it read from elsewhere."""
    (tmp_path / "elsewhere").write_bytes(b"x" * LENGTH)
    (tmp_path / "mcp.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError):
        secret(tmp_path, "mcp.key")
