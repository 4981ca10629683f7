"""Approvers: people whose passphrase makes an answer ``proven`` (decision 041), their roles and their passkeys.

One file beside ``config.toml`` holds for each a salted scrypt digest, never the passphrase, their roles (decision 175),
and the public keys of their devices (decision 220). It counts how often the passphrase was wrong in a row, so that a
new process waits as the one before had to.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workflow.local.private import MAX_FILE_BYTES, read_private
from workflow.model.errors import CredentialsError, UsageError
from workflow.model.frozen import Noun, as_dict, replace
from workflow.model.instant import Instant
from workflow.model.ports import Clock
from workflow.model.signature import fingerprint, holding, plain
from workflow.model.strict_json import JsonError, read_json, write_json

FILE = "approvers.json"
OWNER = "owner"
"""The approver who gave no name."""
SHORTEST, LONGEST = 12, 1000
"""Characters of a passphrase."""
COST = 2**17
"""scrypt's N; with its r of 8 one try takes 128 MiB and some tenths of a second."""
LONGEST_WAIT = 900.0
"""Seconds after many wrong ones; after the first it is one, and then always twice as long."""

_NAME = re.compile(r"[a-z][a-z0-9._-]{0,31}")
_ROLE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_VERSION = 1
MOST_DEVICES = 16
"""Devices of one approver."""
LONGEST_NAME = 60
"""Characters of what a device is called."""
_DEVICES = "`workflow-admin device list` shows them."


class Device(Noun):
    """A passkey of an approver: the ``credential`` and public ``key`` that a page at ``origin`` was given, base64url.

    ``since`` is when it was paired, ``confirmed`` when the approver confirmed its fingerprint with their passphrase;
    None until then. ``counter`` is the last that it sent; many devices send 0 always.
    """

    name: str
    origin: str
    credential: str
    key: str
    since: str
    confirmed: str | None = None
    counter: int = 0

    @property
    def fingerprint(self) -> str:
        """The key's, as a person compares it."""
        return fingerprint(self.key)


class Approver(Noun, hide=("salt", "digest")):
    """One approver as the file has them: ``wrong`` counts since the last right one, ``tried`` is when that was.

    ``roles`` are what bundles call the offices that they hold; ``devices`` hold the passkeys that sign for them.
    """

    name: str
    salt: str
    digest: str
    cost: int
    since: str
    wrong: int = 0
    tried: Instant | None = None
    roles: tuple[str, ...] = ()
    devices: tuple[Device, ...] = ()

    def wait(self, now: Instant) -> float:
        """Seconds until the next passphrase is looked at; a clock that was set back shortens nothing."""
        if self.tried is None or not self.wrong:
            return 0.0
        due = min(2.0 ** min(self.wrong - 1, 32), LONGEST_WAIT)
        return max(0.0, due - max(0.0, now.since(self.tried)))


class Trial(Noun):
    """What came of a passphrase: ``proven``; or wrong, for the ``wrong``-th time in a row; or, with no ``wrong``,
    not looked at, since it came too early. ``wait`` is how many seconds the next one has to.
    """

    approver: str
    proven: bool
    wrong: int = 0
    wait: float = 0.0


class Approvers:
    """The file of approvers in one folder; who writes holds it, so that tries at the same time wait in a row.

    ``notices`` say what was fixed on the way. Raises :class:`CredentialsError` where the file cannot be relied on,
    :class:`UsageError` for a name or a passphrase that cannot be one.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.file = folder / FILE
        self.notices: tuple[str, ...] = ()
        self._clock = clock

    def known(self) -> tuple[Approver, ...]:
        """All of them, by name."""
        return tuple(self._read().values())

    def people(self) -> dict[str, tuple[str, ...]]:
        """Role, or confirmed passkey as :func:`holding` calls it → the names of the approvers who hold it."""
        known = self.known()
        held = sorted({role for each in known for role in each.roles})
        roles = {role: tuple(each.name for each in known if role in each.roles) for role in held}
        keys = [
            (holding(device.fingerprint), each.name) for each in known for device in each.devices if device.confirmed
        ]
        return roles | {key: tuple(name for other, name in keys if other == key) for key, _ in keys}

    def wait(self, approver: Approver) -> float:
        """Seconds until the approver's next passphrase is looked at."""
        return approver.wait(self._clock.now())

    def add(self, name: str, passphrase: str, since: str, roles: Sequence[str] = ()) -> None:
        """A new approver; one of that name must not be there yet."""
        self.check_free(name)
        made = replace(_made(name, passphrase, since), roles=tuple(sorted({check_role(each) for each in roles})))
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._held():
            self.check_free(name)
            self._write({**self._read(), name: made})

    def check_free(self, name: str) -> None:
        """Raises :class:`UsageError` if this cannot be the name of a new approver."""
        if not _NAME.fullmatch(name):
            hint = "A name has up to 32 small letters, digits, dots and dashes, and begins with a letter."
            raise UsageError(f"{name[:40]!r} cannot be the name of an approver", hint)
        if name in self._read():
            hint = f"`workflow-admin approver passphrase {name}` changes it, after the one that there is."
            raise UsageError(f"'{name}' is an approver already", hint)

    def find(self, name: str) -> Approver:
        """The approver of that name."""
        found = self._read()
        if name not in found:
            known = f"Known: {', '.join(found)}." if found else "`workflow-admin approver add` makes the first."
            raise UsageError(f"there is no approver {name[:40]!r}", known)
        return found[name]

    def prove(self, name: str, passphrase: str) -> Trial:
        """Whether this is the passphrase. It counts as wrong before it is looked at: a try that is cut short did."""
        self.find(name)
        with self._held():
            approver, now = self.find(name), self._clock.now()
            early = approver.wait(now)
            if early:
                return Trial(name, False, 0, early)
            counted = replace(approver, wrong=approver.wrong + 1, tried=now)
            self._write({**self._read(), name: counted})
            if not hmac.compare_digest(_digest(passphrase, approver.salt, approver.cost), approver.digest):
                return Trial(name, False, counted.wrong, counted.wait(now))
            self._write({**self._read(), name: replace(approver, wrong=0, tried=None)})
            return Trial(name, True)

    def change(self, name: str, passphrase: str, new: str, since: str) -> Trial:
        """Another passphrase for an approver who proves the one they have."""
        made = _made(name, new, since)
        trial = self.prove(name, passphrase)
        if trial.proven:
            with self._held():
                found = self.find(name)
                self._write({**self._read(), name: replace(made, roles=found.roles, devices=found.devices)})
        return trial

    def give(self, name: str, passphrase: str, role: str) -> Trial:
        """A role more for an approver who proves that it is them: from then on their answers count for it."""
        check_role(role)
        trial = self.prove(name, passphrase)
        if trial.proven:
            self._set_roles(name, lambda held: held | {role})
        return trial

    def take(self, name: str, role: str) -> None:
        """A role less, whoever asks for it; raises :class:`UsageError` where they do not hold it."""
        held = self.find(name).roles
        if role not in held:
            hint = f"They hold: {', '.join(held)}." if held else "They hold none."
            raise UsageError(f"'{name}' does not hold the role {role[:64]!r}", hint)
        self._set_roles(name, lambda held: held - {role})

    def _set_roles(self, name: str, change: Callable[[set[str]], set[str]]) -> None:
        with self._held():
            approver = self.find(name)
            roles = tuple(sorted(change(set(approver.roles))))
            self._write({**self._read(), name: replace(approver, roles=roles)})

    def pair(self, name: str, device: Device) -> None:
        """A device more, unconfirmed: it signs nothing yet. Raises :class:`UsageError` for one that cannot be added."""
        with self._held():
            approver = self.find(name)
            known = {each.credential for other in self._read().values() for each in other.devices}
            if device.credential in known:
                raise UsageError("this passkey is paired already", "`workflow-admin device list` shows it.")
            if len(approver.devices) >= MOST_DEVICES:
                hint = "Revoke one first: `workflow-admin device list` shows them."
                raise UsageError(f"'{name}' has {MOST_DEVICES} devices, and no room for another", hint)
            _checked_device(as_dict(device))
            self._set_devices(approver, (*approver.devices, device))

    def confirm(self, name: str, passphrase: str, fingerprint: str, at: str) -> Trial:
        """An approver who proves that it is them says that this is the passkey of their device: it may sign."""
        trial = self.prove(name, passphrase)
        if trial.proven:
            with self._held():
                approver = self.find(name)
                if all(each.fingerprint != fingerprint for each in approver.devices):
                    raise UsageError(f"'{name}' has no device {fingerprint[:40]!r} any more", _DEVICES)
                self._set_devices(
                    approver,
                    [
                        replace(each, confirmed=at) if each.fingerprint == fingerprint else each
                        for each in approver.devices
                    ],
                )
        return trial

    def revoke(self, name: str, fingerprint: str) -> None:
        """A device less, whoever asks for it: what it signed lets nothing leave any more."""
        with self._held():
            approver = self.find(name)
            left = [each for each in approver.devices if each.fingerprint != fingerprint]
            if len(left) == len(approver.devices):
                raise UsageError(f"'{name}' has no device {fingerprint[:40]!r}", _DEVICES)
            self._set_devices(approver, left)

    def count(self, name: str, device: Device, counter: int) -> bool:
        """Keep the counter that a device sent with a signature; whether it went on, as that of a copy would not."""
        with self._held():
            approver = self.find(name)
            known = next((each for each in approver.devices if each.credential == device.credential), None)
            if known is None or (counter <= known.counter and (counter or known.counter)):
                return False
            if counter:
                rest = [replace(each, counter=counter) if each == known else each for each in approver.devices]
                self._set_devices(approver, rest)
            return True

    def _set_devices(self, approver: Approver, devices: Sequence[Device]) -> None:
        self._write({**self._read(), approver.name: replace(approver, devices=tuple(devices))})

    def remove(self, name: str, passphrase: str) -> Trial:
        """An approver less, who proves that it is them."""
        trial = self.prove(name, passphrase)
        if trial.proven:
            with self._held():
                self._write({other: each for other, each in self._read().items() if other != name})
        return trial

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Nobody else reads or writes it meanwhile; the kernel frees what a process held when it dies."""
        try:
            folder = os.open(self.file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise self._unusable(error) from None
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def _read(self) -> dict[str, Approver]:
        source = str(self.file)
        content, notices = read_private(
            self.file, source, "passphrase", "Remove the file, and add all approvers again."
        )
        self.notices += notices
        if content is None:
            return {}
        try:
            found = read_json(content, what=source)
            if not isinstance(found, dict) or found["v"] != _VERSION:
                raise ValueError
            return {name: _approver(name, each) for name, each in sorted(found["approvers"].items())}
        except (JsonError, KeyError, TypeError, ValueError, AttributeError):
            hint = "Restore it, or remove it and add the approvers again."
            raise CredentialsError(f"{source} is not as it was written.", "credentials", hint=hint) from None

    def _write(self, approvers: Mapping[str, Approver]) -> None:
        """Whole or not at all, and on the disk before it counts."""
        content = write_json({"v": _VERSION, "approvers": {name: _written(each) for name, each in approvers.items()}})
        if len(content.encode()) > MAX_FILE_BYTES:  # it could not be read any more
            raise UsageError(
                f"{self.file} has no room for more",
                "Remove what nobody uses: `workflow-admin device list` shows the devices.",
            )
        beside = self.file.with_name(f".{FILE}.new")
        try:
            beside.unlink(missing_ok=True)
            made = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(made, "wb") as opened:
                os.fchmod(made, 0o600)
                opened.write(content.encode())
                opened.flush()
                os.fsync(made)
            beside.replace(self.file)
        except OSError as error:
            raise self._unusable(error) from None

    def _unusable(self, error: OSError) -> CredentialsError:
        told = f"{self.file} cannot be written: {error.strerror or error}."
        hint = "Tries are counted in it; check that its folder is yours and has space."
        return CredentialsError(told, "credentials", hint=hint)


def check_passphrase(passphrase: str) -> None:
    """Raises :class:`UsageError` if this cannot be a new passphrase; its text never repeats it."""
    if len(passphrase.strip()) < SHORTEST:
        raise UsageError(f"a passphrase has at least {SHORTEST} characters", "Several words are easy to keep.")
    if len(passphrase) > LONGEST:
        raise UsageError(f"a passphrase has at most {LONGEST} characters", "Choose a shorter one.")


def check_role(role: str) -> str:
    """The name of a role; raises :class:`UsageError` for what no bundle could call one."""
    if not _ROLE.fullmatch(role):
        hint = "Write it as the bundle does: small letters, digits and _, beginning with a letter."
        raise UsageError(f"{role[:64]!r} cannot be the name of a role", hint)
    return role


def _made(name: str, passphrase: str, since: str) -> Approver:
    check_passphrase(passphrase)
    salt = os.urandom(16).hex()
    return Approver(name, salt, _digest(passphrase, salt, COST), COST, since)


def _digest(passphrase: str, salt: str, cost: int) -> str:
    """Of what was typed, however the keyboard composes its letters."""
    typed = unicodedata.normalize("NFKC", passphrase[:LONGEST]).encode("utf-8", "surrogatepass")
    room = 128 * 8 * cost * 2
    return hashlib.scrypt(typed, salt=bytes.fromhex(salt), n=cost, r=8, p=1, maxmem=room, dklen=32).hex()


def _written(approver: Approver) -> dict[str, Any]:
    written = as_dict(approver) | {"tried": approver.tried.as_json() if approver.tried else None}
    del written["name"]
    return written


def _checked_device(written: Mapping[str, Any]) -> Device:
    """As it stands in the file; raises ``ValueError``, ``TypeError`` or ``KeyError`` for anything else."""
    device = Device(**written)
    texts = (device.name, device.origin, device.credential, device.key, device.since, device.confirmed or "")
    if not all(isinstance(each, str) for each in texts) or not plain(device.credential) or not plain(device.key):
        raise ValueError(device.name)
    if type(device.counter) is not int or device.counter < 0 or len(device.name) > LONGEST_NAME:
        raise ValueError(device.name)
    return device


def _approver(name: str, written: Mapping[str, Any]) -> Approver:
    """As it stands in the file; raises ``ValueError``, ``TypeError`` or ``KeyError`` for anything else."""
    tried = Instant(*written["tried"]) if written["tried"] else None
    roles, devices = written.get("roles", []), tuple(map(_checked_device, written.get("devices", [])))
    if not isinstance(roles, list) or not all(isinstance(each, str) and _ROLE.fullmatch(each) for each in roles):
        raise ValueError(name)
    known = {**written, "wrong": written["wrong"], "tried": tried, "roles": tuple(roles), "devices": devices}
    approver = Approver(name, **known)
    lengths = (len(bytes.fromhex(approver.salt)), len(bytes.fromhex(approver.digest)))
    cost, wrong = approver.cost, approver.wrong
    if not _NAME.fullmatch(name) or lengths != (16, 32) or type(cost) is not int or type(wrong) is not int:
        raise ValueError(name)
    if not 2 <= cost <= 2**20 or cost & (cost - 1) or wrong < 0:
        raise ValueError(name)
    if tried is not None and not all(isinstance(each, (int, float)) for each in (tried.wall, tried.boot)):
        raise ValueError(name)
    return approver
