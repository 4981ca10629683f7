"""Where the key comes from, what is no key, and that it shows nowhere."""

from __future__ import annotations

import base64
import json
import os
import stat
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.model.errors import CredentialsError
from workflow.service.key import Key, checked_key, read_key, redact

KEY = "sk-ag-0123456789abcdefghij"
ENV = "ANYGEN_API_KEY"
FILE = "~/.config/anygen/config.json"


def write(home: Path, content: object, mode: int = 0o600) -> Path:
    """The configuration file below ``home``, as JSON unless it is bytes."""
    path = home / ".config" / "anygen" / "config.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    path.chmod(mode)
    return path


def failing(home: Path, environ: dict[str, str] | None = None) -> CredentialsError:
    """The error of a look-up; nothing chained to it shows a key (R11)."""
    with pytest.raises(CredentialsError) as caught:
        read_key(ENV, FILE, environ or {}, home)
    error: BaseException | None = caught.value
    while error is not None:
        shown = f"{error} {error!r} {vars(error)}"
        assert KEY not in shown and KEY[:10] not in shown
        error = error.__cause__ or error.__context__
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.rule("R4")
def test_the_variable_wins_over_the_file(tmp_path: Path) -> None:
    """First the environment, then the file; each says where the key came from."""
    write(tmp_path, {"api_key": "sk-of-the-file"})
    assert read_key(ENV, FILE, {ENV: KEY}, tmp_path) == Key(KEY, ENV)
    assert read_key(ENV, FILE, {}, tmp_path) == Key("sk-of-the-file", FILE)
    assert read_key(None, FILE, {ENV: KEY}, tmp_path).source == FILE


@pytest.mark.rule("R4")
@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_a_blank_variable_is_none(tmp_path: Path, blank: str) -> None:
    """A variable set to nothing does not hide the file."""
    write(tmp_path, {"api_key": KEY})
    assert read_key(ENV, FILE, {ENV: blank}, tmp_path).value == KEY


def test_blanks_around_a_key_are_no_part_of_it(tmp_path: Path) -> None:
    """Pasted line ends are the usual fault, and harmless."""
    write(tmp_path, {"api_key": f" {KEY}\n"})
    assert read_key(ENV, FILE, {}, tmp_path).value == KEY
    assert read_key(ENV, FILE, {ENV: f"\t{KEY}\r\n"}, tmp_path).value == KEY


@pytest.mark.rule("R11")
def test_a_key_does_not_show_in_its_repr(tmp_path: Path) -> None:
    """Somebody will log the object one day."""
    assert KEY not in repr(read_key(ENV, FILE, {ENV: KEY}, tmp_path))


@pytest.mark.parametrize("content", [None, {}, {"api_key": ""}, {"api_key": " \n"}, {"api_key": None}, {"other": "x"}])
def test_no_key_anywhere(tmp_path: Path, content: object) -> None:
    """Missing and empty are the same, and the way out is named."""
    if content is not None:
        write(tmp_path, content)
    error = failing(tmp_path)
    assert error.kind == "no_key"
    assert ENV in error.hint and FILE in error.hint


def test_a_file_in_the_way_of_the_folder(tmp_path: Path) -> None:
    """Where a folder should be there is a file: there is no key, and no crash."""
    (tmp_path / ".config").write_text("")
    assert failing(tmp_path).kind == "no_key"


MALFORMED = [
    f"{KEY}\nX-Evil: 1",
    f"{KEY} {KEY}",
    f"{KEY}\x00",
    f"{KEY}é",
    f"{KEY}\u200b",
    KEY * 30,
    f"{KEY}\x7f",
]


@pytest.mark.rule("R11")
@pytest.mark.parametrize("key", MALFORMED)
def test_a_malformed_key_is_refused_without_being_repeated(tmp_path: Path, key: str) -> None:
    """It would be printed by the library's own exception, or smuggle in a header."""
    write(tmp_path, {"api_key": key})
    assert failing(tmp_path).kind == "credentials"
    error = failing(tmp_path, {ENV: key})
    assert error.kind == "credentials" and ENV in str(error)
    with pytest.raises(CredentialsError) as caught:
        checked_key(key)
    assert KEY[:10] not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        f'{{"api_key": "{KEY}"'.encode(),
        f'{{"api_key": "{KEY}", "api_key": "other"}}'.encode(),
        f'["{KEY}"]'.encode(),
        f'"{KEY}"'.encode(),
        KEY.encode(),
        b'{"api_key": 5}',
        b'{"api_key": ["%b"]}' % KEY.encode(),
        b'{"api_key": "\xff"}',
        b"",
        b"[" * 60_000,
    ],
)
@pytest.mark.rule("R11")
def test_an_unreadable_file_is_an_error_of_its_own(tmp_path: Path, content: bytes) -> None:
    """It is not 'no key': the person has set one, and must learn why it does not count."""
    write(tmp_path, content)
    error = failing(tmp_path)
    assert error.kind == "credentials" and FILE in str(error)


def test_a_file_of_64_kib_is_read(tmp_path: Path) -> None:
    """The limit itself is allowed; other clients keep their own fields in the file."""
    content = json.dumps({"api_key": KEY}).encode()
    write(tmp_path, content + b" " * (65_536 - len(content)))
    assert read_key(ENV, FILE, {}, tmp_path).value == KEY
    write(tmp_path, content + b" " * (65_537 - len(content)))
    assert "64 KiB" in str(failing(tmp_path))


@pytest.mark.rule("R5")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o700])
def test_a_wide_mode_is_repaired_and_said(tmp_path: Path, mode: int) -> None:
    """Others could read the key: the file is narrowed, and the person learns of it."""
    path = write(tmp_path, {"api_key": KEY}, mode)
    key = read_key(ENV, FILE, {}, tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(key.notices) == 1 and FILE in key.notices[0] and KEY[:10] not in key.notices[0]
    assert read_key(ENV, FILE, {}, tmp_path).notices == ()


@pytest.mark.rule("R5")
@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_narrow_mode_is_left_alone(tmp_path: Path, mode: int) -> None:
    """Nothing to mend, nothing to say."""
    path = write(tmp_path, {"api_key": KEY}, mode)
    assert read_key(ENV, FILE, {}, tmp_path).notices == ()
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_mode_that_cannot_be_changed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system without modes the key still works, with a warning."""

    def refuse(descriptor: int, mode: int) -> None:
        raise PermissionError(1, "no")

    write(tmp_path, {"api_key": KEY}, 0o644)
    monkeypatch.setattr(os, "fchmod", refuse)
    key = read_key(ENV, FILE, {}, tmp_path)
    assert key.value == KEY and "could not be changed" in key.notices[0]


def test_the_file_may_be_a_link(tmp_path: Path) -> None:
    """People keep their settings elsewhere and link to them."""
    path = write(tmp_path, {"api_key": KEY}, 0o644)
    path.rename(tmp_path / "settings.json")
    path.symlink_to(tmp_path / "settings.json")
    assert read_key(ENV, FILE, {}, tmp_path).value == KEY
    assert stat.S_IMODE((tmp_path / "settings.json").stat().st_mode) == 0o600


def test_a_folder_or_a_pipe_is_no_file(tmp_path: Path) -> None:
    """A pipe without a writer must not hang the turn."""
    path = write(tmp_path, {})
    path.unlink()
    os.mkfifo(path, 0o600)
    assert failing(tmp_path).kind == "credentials"
    path.unlink()
    path.mkdir()
    assert failing(tmp_path).kind == "credentials"


def test_another_users_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who owns the file decides which account pays, and can read what is put there."""
    write(tmp_path, {"api_key": KEY})
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    error = failing(tmp_path)
    assert error.kind == "credentials" and "another user" in str(error)


def test_a_place_outside_home_is_named_in_full(tmp_path: Path) -> None:
    """The ``~`` stands for the home folder only."""
    (tmp_path / "home").mkdir()
    path = tmp_path / "key.json"
    path.write_text(json.dumps({"api_key": KEY}))
    path.chmod(0o600)
    assert read_key(None, str(path), {}, tmp_path / "home").source == str(path)


def test_no_places_at_all(tmp_path: Path) -> None:
    """A bundle may name neither; it is an error like any other."""
    with pytest.raises(CredentialsError) as caught:
        read_key(None, None, {ENV: KEY}, tmp_path)
    assert caught.value.kind == "no_key"


@pytest.mark.rule("R11")
@pytest.mark.parametrize("key", [KEY, 'sk-"quoted\\slashed/plus+and%more', "sk-ag/+0123456789=="])
def test_every_form_of_the_key_is_redacted(key: str) -> None:
    """Errors of other programs repeat a key encoded in some way, or its beginning."""
    coded = [
        key,
        f"Bearer {key}",
        key[:10] + "…",
        quote(key, safe=""),
        quote(key, safe="").lower(),
        json.dumps(key),
        json.dumps(key).replace("/", "\\/"),
        base64.b64encode(key.encode()).decode(),
        base64.urlsafe_b64encode(key.encode()).decode(),
        *(base64.b64encode(f"{'x' * n}:{key}:rest".encode()).decode() for n in range(3)),
    ]
    for text in coded:
        shown = redact(f"before {text} after", key)
        assert "[key]" in shown and shown.startswith("before ") and shown.endswith(" after")
        assert text not in shown and key[:10] not in shown
    whole = redact(" ".join(coded), key)
    assert key not in whole and key[:10] not in whole


@pytest.mark.parametrize("key", [None, ""])
def test_without_a_key_nothing_is_redacted(key: str | None) -> None:
    """An empty key is in every text, and must not cut it to pieces."""
    assert redact("any text", key) == "any text"


def test_the_beginning_of_a_short_key_is_not_redacted() -> None:
    """Ten characters of a short key are most of it, and might be an ordinary word."""
    assert redact("sk-sandbox and sk-sandbox-1", "sk-sandbox-1") == "sk-sandbox and [key]"


@given(st.text(alphabet=[chr(c) for c in range(33, 127)], min_size=16, max_size=80), st.binary(max_size=4))
def test_no_alignment_of_base64_shows_the_key(key: str, before: bytes) -> None:
    """However it is packed, what remains does not decode to the key."""
    packed = base64.b64encode(before + key.encode() + b"!").decode()
    assert redact(packed, key) != packed
