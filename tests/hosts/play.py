"""An entry as it is printed, carried out by its host, and what the server that it starts was given."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.hosts.programs import Home, HostFault, Program
from workflow.cli.agent.host_config import ALL, HOSTS, LITTLE, NO_KEYS, TOKEN

KEY = "ag_key_of_the_user_0123456789"
MARK = "PHASEGATE_PROFILE"
"""Exported where the host runs and in no entry: it shows what a host hands on by itself."""
SANDBOX = "http://127.0.0.1:9"
"""Nothing listens there, and nothing has to: a host that connects calls no service."""
HANDED_ON = {(True, True): ALL, (True, False): NO_KEYS, (False, False): LITTLE}
"""What it is called by whether a variable, and the key, reach a server without its entry."""
_SHIM = """#!{python}
import json, os
with open({notes!r}, "a") as notes:
    notes.write(json.dumps(dict(os.environ)) + "\\n")
from workflow.cli{module} import main
main()
"""


@dataclass(frozen=True)
class Outcome:
    """What came of one entry; ``wrong`` is empty where it does what it is for."""

    host: str
    transport: str
    told: str = ""
    wrong: str = ""


@dataclass
class Installation:
    """The two commands as a folder of scripts; each start of one notes its environment."""

    folder: Path

    def __post_init__(self) -> None:
        self._notes = self.folder / "environments"
        (self.folder / "bin").mkdir(parents=True)
        for name, module in (("workflow", ""), ("workflow-admin", ".people.admin")):
            script = self.folder / "bin" / name
            script.write_text(_SHIM.format(python=sys.executable, notes=str(self._notes), module=module))
            script.chmod(0o755)

    def run(self, name: str, *arguments: str, environ: Mapping[str, str]) -> str:
        """What one of the commands prints on stdout, for the user of this environment."""
        command = [str(self.folder / "bin" / name), *arguments]
        ended = subprocess.run(command, env=dict(environ), capture_output=True, text=True, timeout=60.0)
        if ended.returncode != 0:
            raise HostFault(f"{' '.join(command)} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
        return ended.stdout

    def forget(self) -> None:
        """Begin with no notes."""
        self._notes.unlink(missing_ok=True)

    def environments(self) -> list[dict[str, str]]:
        """Those of the commands that were started since."""
        return [json.loads(line) for line in self._notes.read_text().splitlines()] if self._notes.exists() else []

    @contextmanager
    def broker(self, home: Path) -> Iterator[str]:
        """A broker of another account on a free port; its port."""
        environ = {"HOME": str(home), "PATH": os.environ["PATH"]}
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = str(probe.getsockname()[1])
        command = [str(self.folder / "bin/workflow"), "serve", "--port", port]
        with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as served:
            assert served.stdout
            try:
                if not served.stdout.readline().startswith("serving "):
                    raise HostFault("the broker does not start")
                yield port
            finally:
                served.terminate()


def play_start(program: Program, folder: Path) -> Outcome:
    """The host starts the server by its entry; what was set when it was printed reaches the server."""
    done = Outcome(program.host, "stdio")
    try:
        install, state = Installation(folder / "installed"), folder / "moved"
        user = {"HOME": str(folder), "PATH": os.environ["PATH"], "PHASEGATE_STATE": str(state)}
        home = Home(folder / "account", {"ANYGEN_API_KEY": KEY, MARK: "exported"})
        entry = install.run("workflow", "mcp", "--print-config", program.host, "--sandbox", SANDBOX, environ=user)
        install.forget()
        home.enter(program.host, entry)
        told, given = program.reaches(home), install.environments()[-1]
        carried = (given.get("PHASEGATE_STATE"), given.get("PHASEGATE_SANDBOX"))
        if carried != (str(state), SANDBOX) or (program.calls and f"{SANDBOX}: nothing" not in told):
            raise HostFault(f"the server was given {carried}; {told}")
        found = HANDED_ON[MARK in given, "ANYGEN_API_KEY" in given]
        if found != HOSTS[program.host].hands_on:
            raise HostFault(f"it hands on {found}, and the table says {HOSTS[program.host].hands_on}")
        return Outcome(done.host, done.transport, told)
    except HostFault as fault:
        return Outcome(done.host, done.transport, wrong=str(fault))


def play_key(program: Program, folder: Path) -> Outcome:
    """The key is exported where the host runs: it reaches the server just where the table says so."""
    known = HOSTS[program.host]
    try:
        install = Installation(folder / "installed")
        home = Home(folder / "account", {"ANYGEN_API_KEY": KEY})
        user = {"HOME": str(folder), "PATH": os.environ["PATH"], "ANYGEN_API_KEY": KEY}
        entry = install.run("workflow", "mcp", "--print-config", program.host, environ=user)
        install.forget()
        home.enter(program.host, entry)
        told, given = program.reaches(home), install.environments()[-1].get("ANYGEN_API_KEY")
        expected = KEY if known.hands_on == ALL or known.refers else None
        if KEY in entry or given != expected or (program.calls and "is real" not in told):
            raise HostFault(f"the key is {'' if given else 'not '}handed on; {told}")
        return Outcome(program.host, "key", told)
    except HostFault as fault:
        return Outcome(program.host, "key", wrong=str(fault))


def play_call(program: Program, folder: Path) -> Outcome:
    """The host calls a broker by its entry, with a token that it finds by the variable's name."""
    try:
        install, owner = Installation(folder / "installed"), folder / "broker"
        owner.mkdir()
        user = {"HOME": str(owner), "PATH": os.environ["PATH"]}
        made = json.loads(install.run("workflow-admin", "token", "new", "host", "--json", environ=user))
        with install.broker(owner) as port:
            entry = install.run("workflow", "serve", "--port", port, "--print-config", program.host, environ=user)
            home = Home(folder / "account", {TOKEN: made["token"]})
            home.enter(program.host, entry)
            return Outcome(program.host, "http", program.reaches(home))
    except HostFault as fault:
        return Outcome(program.host, "http", wrong=str(fault))


PLAYS = (play_start, play_key, play_call)
