"""A file is read once when offered and once when sent, and only what was named and consented to leaves."""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from workflow.local import files
from workflow.local.files import MAX_BYTES, Offered, offer, take
from workflow.model.errors import FileChanged


def sha(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def refused(path: str | Path, base: Path = Path("/"), forbidden: tuple[Path, ...] = ()) -> str:
    """The reason why a path is not accepted; `take` must find the same one."""
    reason = offer(str(path), base=base, forbidden=forbidden)
    assert isinstance(reason, str)
    if os.path.isabs(path):
        with pytest.raises(FileChanged) as caught:
            take(str(path), "0" * 64, forbidden=forbidden)
        assert caught.value.kind == "stale" and caught.value.now is None
        assert reason.startswith(str(caught.value).rpartition(": ")[2].removesuffix("."))
    return reason


def test_an_offered_file(tmp_path: Path) -> None:
    """Everything that consent needs to know about the bytes."""
    (tmp_path / "ref.png").write_bytes(b"picture")
    expected = Offered(str(tmp_path / "ref.png"), "ref.png", sha(b"picture"), 7)
    assert offer("ref.png", base=tmp_path, forbidden=()) == expected
    assert offer(str(tmp_path / "ref.png"), base=Path("/elsewhere"), forbidden=()) == expected


@pytest.mark.rule("R33")
def test_the_consented_bytes_are_what_is_taken(tmp_path: Path) -> None:
    """From offer to take nothing is lost, and a copy under the same name is the same."""
    path = tmp_path / "ref.png"
    path.write_bytes(b"picture")
    assert take(str(path), sha(b"picture"), forbidden=()) == b"picture"
    path.unlink()
    path.write_bytes(b"picture")
    assert take(str(path), sha(b"picture"), forbidden=()) == b"picture"


@pytest.mark.rule("R33")
def test_one_changed_byte_is_another_file(tmp_path: Path) -> None:
    """Between consent and upload the file is exchanged: refused, with the file as it is now."""
    path = tmp_path / "ref.png"
    path.write_bytes(b"Picture")
    with pytest.raises(FileChanged) as caught:
        take(str(path), sha(b"picture"), forbidden=())
    assert caught.value.kind == "stale"
    assert caught.value.now == Offered(str(path), "ref.png", sha(b"Picture"), 7)


@pytest.mark.rule("R33")
def test_a_file_exchanged_for_a_link_is_refused(tmp_path: Path) -> None:
    """After consent, the name is made to point at a secret with, who knows, the same bytes."""
    path, secret = tmp_path / "ref.png", tmp_path / "secret"
    secret.write_bytes(b"picture")
    path.symlink_to(secret)
    with pytest.raises(FileChanged) as caught:
        take(str(path), sha(b"picture"), forbidden=())
    assert caught.value.now is None and "link" in str(caught.value)


def test_take_wants_a_full_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path would mean another file in another working directory."""
    (tmp_path / "ref.png").write_bytes(b"picture")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileChanged):
        take("ref.png", sha(b"picture"), forbidden=())


def _folder(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))


def _link(path: Path) -> None:
    (path.parent / "target").write_bytes(b"x")
    path.symlink_to(path.parent / "target")


def _dangling(path: Path) -> None:
    path.symlink_to(path.parent / "nothing")


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "no such file"),
        (_folder, "folder"),
        (_pipe, "not a regular file"),
        (_socket, "not a regular file"),
        (_link, "link"),
        (_dangling, "link"),
        (_empty, "empty"),
    ],
)
def test_only_a_regular_file_with_content(tmp_path: Path, make: Callable[[Path], None], reason: str) -> None:
    """A pipe would hang, a link may lead anywhere, and a folder is never looked into."""
    make(tmp_path / "it")
    assert reason in refused(tmp_path / "it")


@pytest.mark.parametrize("path", ["", "a\0b", "x" * 4097, "\ud800", "é" * 2049])
def test_what_is_no_path(tmp_path: Path, path: str) -> None:
    """No system call gets to see them."""
    assert refused(path, tmp_path) == "its path cannot be used"


@pytest.mark.parametrize("path", ["sub/", ".", "..", "sub/.", "sub/.."])
def test_a_path_that_ends_in_a_folder(tmp_path: Path, path: str) -> None:
    """Without a file's name there is no file."""
    (tmp_path / "sub").mkdir()
    assert refused(path, tmp_path) == "it is a folder"


def test_names_that_cannot_exist(tmp_path: Path) -> None:
    """A name too long for the file system, or below a file, is a reason like any other."""
    (tmp_path / "file").write_bytes(b"x")
    assert "too long" in refused(tmp_path / ("n" * 300))
    assert "no such file" in refused(tmp_path / "file" / "below")


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that the person may not read is not offered for them."""
    path = tmp_path / "ref.png"
    path.write_bytes(b"x")
    path.chmod(0)
    if os.geteuid() == 0:  # root may read everything: let the system say no

        def deny(*args: object, **kwargs: object) -> int:
            raise PermissionError(13, "no")

        monkeypatch.setattr(os, "open", deny)
    assert "permission" in refused(path)


@pytest.mark.rule("R43")
def test_50_mb_and_one_byte_more(tmp_path: Path) -> None:
    """The service's limit is checked here, before anything is asked or sent."""
    path = tmp_path / "large.png"
    path.write_bytes(b"x")
    os.truncate(path, MAX_BYTES)
    offered = offer(str(path), base=tmp_path, forbidden=())
    assert isinstance(offered, Offered) and offered.size == 52_428_800
    os.truncate(path, MAX_BYTES + 1)
    reason = refused(path)
    assert "50 MB" in reason and "ask for a smaller one" in reason and "reduce the file size" in reason


@pytest.mark.rule("R43")
def test_a_growing_file_is_not_read_beyond_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its size is checked, then it grows: one byte over the limit ends the reading."""
    path = tmp_path / "log"
    path.write_bytes(b"x" * 10)
    real = os.read
    asked: list[int] = []

    def growing(descriptor: int, count: int) -> bytes:
        with path.open("ab") as more:
            more.write(b"y" * 100)
        asked.append(count)
        return real(descriptor, min(count, 7))

    monkeypatch.setattr(os, "read", growing)
    reason = offer(str(path), base=tmp_path, forbidden=(), limit=20)
    assert isinstance(reason, str) and "larger than" in reason
    assert asked == [21, 14, 7]


def test_the_digest_is_of_the_bytes_that_were_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that changes while it is read: what is returned is what was hashed, never a second look."""
    path = tmp_path / "ref.png"
    path.write_bytes(b"first")
    real = files._read

    def then_changed(descriptor: int, limit: int) -> bytes | str:
        content = real(descriptor, limit)
        path.write_bytes(b"other")
        return content

    monkeypatch.setattr(files, "_read", then_changed)
    assert take(str(path), sha(b"first"), forbidden=()) == b"first"


def test_it_is_opened_once(tmp_path: Path) -> None:
    """A second opening could find another file: there is one, and no folder is listed."""
    path = tmp_path / "ref.png"
    path.write_bytes(b"picture")
    seen = audited(lambda: take(str(path), sha(b"picture"), forbidden=()))
    assert [event for event in seen if event[0] == "open"] == [("open", str(path))]


@pytest.mark.rule("R12")
@pytest.mark.rule("R13")
def test_nothing_else_is_read_and_no_folder_is_listed(tmp_path: Path) -> None:
    """Whatever lies beside the named file stays unread."""
    (tmp_path / "ref.png").write_bytes(b"picture")
    (tmp_path / "private.txt").write_bytes(b"private")
    seen = audited(lambda: offer("ref.png", base=tmp_path, forbidden=(tmp_path / "state",)))
    assert seen == [("open", str(tmp_path / "ref.png"))]


_watching: list[tuple[str, str]] | None = None


def _audit(event: str, args: tuple[object, ...]) -> None:
    if _watching is not None and event in ("open", "os.listdir", "os.scandir", "glob.glob"):
        _watching.append((event, str(args[0])))


sys.addaudithook(_audit)  # cannot be removed: it does nothing unless a test watches


def audited(act: Callable[[], object]) -> list[tuple[str, str]]:
    """What was opened or listed during ``act``."""
    global _watching
    seen: list[tuple[str, str]] = []
    _watching = seen
    try:
        act()
    finally:
        _watching = None
    return seen


CLOSED = "files of this folder are never read"


@pytest.mark.rule("R12")
@pytest.mark.parametrize(
    "path", ["/proc/self/environ", "/proc/self/mem", "/sys/kernel/notes", "/dev/null", "/dev/stdin"]
)
def test_system_folders_are_closed(path: str) -> None:
    """/proc/self/environ is a 'regular file' that may hold the key."""
    assert refused(path) == CLOSED


def test_a_system_file_under_another_name_is_closed(tmp_path: Path) -> None:
    """A folder of the person's that is a link into /proc is /proc."""
    (tmp_path / "pictures").symlink_to("/proc/self")
    assert refused(tmp_path / "pictures" / "environ") == CLOSED
    assert refused("pictures/../self/environ", tmp_path) == CLOSED


@pytest.mark.rule("R12")
def test_our_own_folders_are_closed(tmp_path: Path) -> None:
    """The key and the store are not reference images, by whatever way one gets there."""
    own = tmp_path / "config"
    (own / "deep").mkdir(parents=True)
    (own / "config.json").write_bytes(b"key")
    (own / "deep" / "file").write_bytes(b"key")
    (tmp_path / "beside").mkdir()
    (tmp_path / "config-of-another").mkdir()
    (tmp_path / "config-of-another" / "a.png").write_bytes(b"x")
    (tmp_path / "link").symlink_to(own)
    (tmp_path / "link2").symlink_to(tmp_path / "link" / "deep")
    for path in (
        "config/config.json",
        "config/deep/file",
        "link/config.json",
        "link2/file",
        "link2/../config.json",
    ):
        assert refused(tmp_path / path, forbidden=(own,)) == CLOSED
        assert refused(path, tmp_path, (own,)) == CLOSED
    assert refused("../config/config.json", tmp_path / "beside", (own,)) == CLOSED
    assert refused(own / "config.json", forbidden=(tmp_path / "link",)) == CLOSED
    assert isinstance(offer("config-of-another/a.png", base=tmp_path, forbidden=(own,)), Offered)


@pytest.mark.parametrize("path", ["/dev/null", "pictures/null", "deep/file"])
def test_a_closed_file_is_not_even_opened(tmp_path: Path, path: str) -> None:
    """To open a device can be an act (a watchdog starts to bite), through a linked folder as well."""
    (tmp_path / "pictures").symlink_to("/dev")
    (tmp_path / "state" / "deep").mkdir(parents=True)
    (tmp_path / "state" / "deep" / "file").write_bytes(b"x")
    (tmp_path / "deep").symlink_to(tmp_path / "state" / "deep")
    assert audited(lambda: refused(path, tmp_path, (tmp_path / "state",))) == []


def test_a_closed_folder_that_does_not_exist_closes_nothing(tmp_path: Path) -> None:
    """On the first run there is no state folder yet."""
    (tmp_path / "a.png").write_bytes(b"x")
    assert isinstance(offer("a.png", base=tmp_path, forbidden=(tmp_path / "state",)), Offered)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
def test_a_folder_exchanged_while_opening_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at the path and the opening, the parent becomes a link into the closed folder."""
    own, open_folder = tmp_path / "state", tmp_path / "pictures"
    own.mkdir()
    open_folder.mkdir()
    (own / "a.png").write_bytes(b"key")
    (open_folder / "a.png").write_bytes(b"picture")
    real = os.open

    def exchanging(path: str, flags: int) -> int:
        open_folder.rename(tmp_path / "moved")
        open_folder.symlink_to(own)
        return real(path, flags)

    monkeypatch.setattr(os, "open", exchanging)
    assert offer(str(open_folder / "a.png"), base=tmp_path, forbidden=(own,)) == CLOSED


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    """Neither success nor refusal leaks one."""
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("needs /proc")
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "empty").write_bytes(b"")
    before = len(os.listdir("/proc/self/fd"))
    for name in ("a.png", "empty", "none", "."):
        offer(name, base=tmp_path, forbidden=())
    assert len(os.listdir("/proc/self/fd")) == before
