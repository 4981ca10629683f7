"""The container recipe of the pages, executed in a read-only root, as PID 1 of a user id without an entry."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.docs.pages import DOCS, blocks
from tests.readable import found, missing
from tests.surroundings.test_signals import AS_FIRST, PATIENCE

UID = 54321
OWN = "/opt/phasegate"
SYSTEM = ("usr", "bin", "sbin", "lib", "lib64", "etc", "root")
SETTING_UP = """
set -eu
mount -t tmpfs none "$ROOT"
cd "$ROOT"
mkdir -p opt/phasegate/bin proc dev tmp library checkout
for each in $SYSTEM; do
    if [ -L "/$each" ]; then cp -P "/$each" "$each"; fi
    if [ -d "/$each" ] && [ ! -L "/$each" ]; then mkdir "$each"; mount --bind "/$each" "$each"; fi
done
for each in null zero urandom; do : > "dev/$each"; mount --bind "/dev/$each" "dev/$each"; done
mount --bind "$CHECKOUT" checkout
mount --bind "$LIBRARY" library
cp "$SCRIPTS"/* opt/phasegate/bin/
chroot . sh -c "$RUN"
test "$(stat -c %a data)" = 1777
mount --bind "$DATA" data
mount -t proc proc proc
mount -t tmpfs none tmp
for each in . $SYSTEM checkout library; do
    if [ -d "$each" ] && [ ! -L "$each" ]; then mount -o remount,bind,ro "$each" || mount -o remount,ro "$each"; fi
done
exec chroot --userspec=$USER_ID:$USER_ID --groups= . "$@"
"""
"""The root of a container, made of this machine's own system; what is left of the arguments is run in it."""


@dataclass(frozen=True)
class Recipe:
    """The last stage of the recipe: its own ``run``, ``env``, ``entry`` and ``command``."""

    run: str
    env: Sequence[str]
    entry: Sequence[str]
    command: Sequence[str]


def recipe() -> Recipe:
    """What the page says, read as an engine reads it."""
    (block,) = blocks(DOCS / "container.md", "dockerfile")
    lines = [line.partition(" ")[::2] for line in block.text.rpartition("\nFROM ")[2].splitlines()[1:] if line]
    known = {"COPY", "RUN", "ENV", "VOLUME", "USER", "ENTRYPOINT", "CMD"}
    assert {word for word, _ in lines} == known
    said = {word: [rest for each, rest in lines if each == word] for word in known}
    assert said["COPY"] == [f"--from=build {OWN} {OWN}"] and said["VOLUME"] == ["/data"]
    assert int(said["USER"][0]) > 0
    return Recipe(" && ".join(said["RUN"]), said["ENV"], json.loads(said["ENTRYPOINT"][0]), json.loads(said["CMD"][0]))


@dataclass(frozen=True)
class Container:
    """Runs commands as an engine would, in a new root each time; ``/data`` stays."""

    folder: Path
    python: str
    path: str

    def start(self, *command: str, **environ: str) -> subprocess.Popen[str]:
        """One container with this command."""
        said = recipe()
        checkout, library = self.path.split(os.pathsep)
        surroundings = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "ROOT": str(self.folder / "root"),
            "SYSTEM": " ".join(SYSTEM),
            "CHECKOUT": checkout,
            "LIBRARY": library,
            "SCRIPTS": str(self.folder / "scripts"),
            "DATA": str(self.folder / "data"),
            "RUN": said.run,
            "USER_ID": str(UID),
        }
        given = ["env", "-i", *said.env, *(f"{name}={value}" for name, value in environ.items()), *command]
        return subprocess.Popen(
            [*AS_FIRST, "--mount", "sh", "-c", SETTING_UP, "sh", *given],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=surroundings,
        )

    def run(self, *command: str, stdin: str = "", **environ: str) -> str:
        """What a command prints that ends well."""
        process = self.start(*command, **environ)
        out, err = process.communicate(stdin, timeout=PATIENCE)
        assert process.returncode == 0, out + err
        return out


@pytest.fixture
def container() -> Iterator[Container]:
    """A folder for roots, and the two commands where the recipe's environment has them."""
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("chroot"):
        missing("only root can make a root folder, with unshare and chroot")
    folder = Path(tempfile.mkdtemp(prefix="phasegate-"))
    folder.chmod(0o755)
    try:
        for name in ("root", "scripts", "data", "home"):
            (folder / name).mkdir()
        (folder / "data").chmod(0o1777)
        os.chown(folder / "home", UID, UID)
        python, path = found(UID, folder / "home", folder / "readable")
        for name, module in (("workflow", "workflow.cli.app"), ("workflow-admin", "workflow.cli.people.admin")):
            start = f"import sys; sys.path[:0] = ['/checkout', '/library']; from {module} import main; main()"
            script = folder / "scripts" / name
            script.write_text(f'#!/bin/sh\nexec {python} -P -c {shlex.quote(start)} "$@"\n', encoding="utf-8")
            script.chmod(0o755)
        yield Container(folder, python, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_the_recipe_runs_with_a_random_user_and_a_read_only_root(container: Container) -> None:
    """Sessions are taken up by the next container, a token is made, and the default command serves until SIGTERM."""
    said = recipe()
    with pytest.raises(AssertionError, match="Read-only file system"):
        container.run("sh", "-c", "echo x > /opt/phasegate/x")
    with Sandbox(rounds=1, looks=1) as sandbox:
        words = json.dumps({"input": {"words": "A poster for a jazz night"}})
        begun = json.loads(
            container.run(*said.entry, "start", "--input", "-", stdin=words, PHASEGATE_SANDBOX=sandbox.url)
        )
        assert begun["state"] == "confirm.presenting"
        again = json.loads(container.run(*said.entry, "status", begun["session"]))
        assert again["state"] == begun["state"]
    assert "no problems" in container.run(*said.entry, "lint")
    made = container.run("workflow-admin", "token", "new", "agent", "--json")
    assert json.loads(made)["token"]
    process = container.start(*said.entry, *said.command, "--port", "0")
    try:
        assert process.stdout and process.stderr
        line = process.stdout.readline()
        assert line.startswith("serving http://0.0.0.0:"), process.stderr.read()
        (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert os.stat(f"/proc/{child}").st_uid == UID
        os.kill(int(child), 15)
        assert process.wait(PATIENCE) == 0, process.stderr.read()
    finally:
        process.kill()
        process.communicate()
    assert {each.stat().st_uid for each in (container.folder / "data").rglob("*")} == {UID}
