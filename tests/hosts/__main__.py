"""``make hosts``: the entries that `--print-config` prints, carried out by the hosts' own command lines from npm.

None of them needs an account. For VS Code and Cursor, npm has no command line: their entries are held against the
documented form alone, and counted apart.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.hosts.play import PLAYS, Outcome
from tests.hosts.programs import PINNED, PROGRAMS, installed
from tests.hosts.shapes import SHAPES, misshapen
from workflow.cli.agent.host_config import HOSTS


def main() -> int:
    """Play and print; 1 where an entry does not do what it is for."""
    parser = argparse.ArgumentParser(prog="make hosts", description=__doc__)
    parser.add_argument("hosts", nargs="*", help="Only these, such as claude-code.")
    wanted, wrong, done = parser.parse_args().hosts, 0, 0
    for program in PROGRAMS:
        if wanted and program.host not in wanted:
            continue
        version = f"{program.package} {PINNED[program.package]}"
        if not installed(program):
            print(f"{program.host:12} {version} is not installed", flush=True)
            wrong += len(PLAYS)
            continue
        for play in PLAYS:
            with TemporaryDirectory(prefix="hosts-") as folder:
                outcome = play(program, Path(folder))
            wrong, done = wrong + bool(outcome.wrong), done + (not outcome.wrong)
            print(f"{program.host:12} {outcome.transport:6} {told(outcome)} ({version})", flush=True)
    shapes = [host for host in SHAPES if not wanted or host in wanted]
    for host in shapes:
        fault = misshapen(host)
        wrong += bool(fault)
        print(f"{host:12} form   {fault or 'as documented; nothing was executed'}")
    print(
        f"{done} entries carried out and right, {len(shapes)} hosts by the form of their entries alone, {wrong} wrong"
    )
    return 1 if wrong else 0


def told(outcome: Outcome) -> str:
    """One line."""
    if outcome.wrong:
        return f"WRONG: {outcome.wrong}"
    given = f"; hands on by itself {HOSTS[outcome.host].hands_on}" if outcome.transport == "stdio" else ""
    return f"right{given.replace('`', '')}"


if __name__ == "__main__":
    sys.exit(main())
