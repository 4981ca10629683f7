"""The tables of the reference pages, made from the code that they describe: ``python -m tests.docs.tables``.

A page says where one belongs, ``<!-- made: exit codes -->``, and where it ends, ``<!-- end -->``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import click

from tests.agmi.doors import DOORS, EDITS
from tests.docs import certainty, refusals
from tests.docs.pages import PAGES, ROOT, table
from tests.hosts.reading import READS
from tests.source_texts import differences
from workflow.author.published import URN, names, published
from workflow.author.scenario_grammar import ScenarioDocument
from workflow.bundle import Bundle, loader, open_bundle
from workflow.bundle.editor_schema import bundle_schema
from workflow.cli.agent.host_config import ALL, GENERIC, HOSTS, SHELL, HostConfig, Launch
from workflow.cli.agent.serve import PORT
from workflow.cli.app import workflow
from workflow.cli.group import LazyGroup
from workflow.cli.people.admin import admin, raw_client
from workflow.machine.definition import Definition, State
from workflow.mcp_server.broker import PATH
from workflow.model.reply import EXIT_CODES
from workflow.model.strict_json import printed_json

WRITTEN = ("bundle", "scenario")
"""Schemas of what people write."""
INSTALLED = "/home/you/.venvs/phasegate/bin/workflow"
"""What the pages call the command of an installation."""
MADE = re.compile(r"(<!-- made: ([^\n]*) -->\n).*?(<!-- end -->)", re.DOTALL)
"""A part of a page that is made: its first line, what it is, and its last."""


def main() -> None:
    """Write every part that is made anew."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        page.write_text(remade(text), encoding="utf-8")
    for file, text in schemas().items():
        file.write_text(text, encoding="utf-8")


def schemas() -> dict[Path, str]:
    """The published schemas that are made of a grammar, by their files."""
    scenario = loader.schema(ScenarioDocument)
    named = {"$schema": scenario["$schema"], "$id": f"{URN}scenario:1", "title": "A file in `scenarios/`"}
    made = {"bundle": bundle_schema(loader.schema()), "scenario": {**named, **scenario, **named}}
    folder = ROOT / "workflow/schemas"
    return {folder / f"{name}.json": f"{printed_json(schema, indent=2)}\n" for name, schema in made.items()}


def published_schemas() -> str:
    """A row for each published schema: what people write first, then what commands print."""
    rows = [[f"`{name}`", published(name)["title"]] for name in sorted(names(), key=lambda name: name not in WRITTEN)]
    return table("schema | of", rows)


def remade(text: str) -> str:
    """The text of a page with every part that is made as it should be."""
    return MADE.sub(lambda part: f"{part[1]}{make(part[2])}\n{part[3]}", text)


def make(what: str) -> str:
    """What stands in the part of this name."""
    kind, _, name = what.partition(" ")
    if kind == "keys":
        return keys_of(name)
    if kind == "command":
        return command_of(name)
    return {
        "exit codes": exit_codes,
        "outputs": outputs,
        "schemas": published_schemas,
        "states": states,
        "layers": layers,
        "decisions": decisions,
        "refusals": refusals.page,
        "answers": certainty.page,
        "edits": edits,
        "doors": doors,
        "source texts": source_texts,
        "hosts": hosts,
        "entries that start": entries_that_start,
        "entries that call": entries_that_call,
    }[what]()


def keys_of(kind: str) -> str:
    """The table of the keys that one table of ``workflow.yaml`` may have; ``kind`` is its class in the grammar."""
    schema = next(each for each in (grammar(), scenarios()) if kind in (each["title"], *each["$defs"]))
    found: Any = schema if kind == schema["title"] else schema["$defs"][kind]
    rows = []
    for key, about in found["properties"].items():
        inner = schema["$defs"].get(about.get("$ref", "").rpartition("/")[2], {})  # what says as much itself
        meaning = " ".join(str(about.get("description") or inner["description"]).split())
        rows.append([f"`{key}`", meaning, _default(about, key in found.get("required", []))])
    return table("key | meaning | default", rows)


def kinds() -> list[str]:
    """The classes of the grammar."""
    return ["Document", *grammar()["$defs"]]


def scenario_kinds() -> list[str]:
    """The classes of the grammar of scenarios."""
    return ["ScenarioDocument", *scenarios()["$defs"]]


@cache
def commands() -> Mapping[str, click.Command]:
    """Every command that does something, by its whole name."""
    roots = (("workflow", workflow), ("workflow-admin", admin), ("workflow-admin api", client()))
    return {path: command for root, group in roots for path, command in _commands(root, group)}


@cache
def client() -> click.Group:
    """The raw client of the reference bundle."""
    return raw_client(str(ROOT))


@cache
def reference() -> Bundle:
    """The reference bundle."""
    return open_bundle(ROOT)


@cache
def grammar() -> Mapping[str, Any]:
    """The schema of the grammar."""
    return loader.schema()


@cache
def scenarios() -> Mapping[str, Any]:
    """The schema of the grammar of scenarios."""
    return loader.schema(ScenarioDocument)


def command_of(path: str) -> str:
    """How a command is written, as ``--help`` says it, and the table of its options."""
    command = commands()[path]
    context = click.Context(command, help_option_names=["-h", "--help"])
    usage = f"`{' '.join([path, *filter(None, map(str.strip, command.collect_usage_pieces(context)))])}`"
    records = [each.get_help_record(context) for each in command.params if isinstance(each, click.Option)]
    rows = [[f"`{_cell(record[0])}`", _cell(record[1])] for record in records if record]
    return f"{usage}\n\n{table('option | meaning', rows)}" if rows else usage


def exit_codes() -> str:
    """Code → the types of errors that end with it."""
    codes = sorted({0, *EXIT_CODES.values()})
    types = {code: [f"`{kind}`" for kind, ends in EXIT_CODES.items() if ends == code] for code in codes}
    return table("code | `error.type`", [[str(code), ", ".join(types[code]) or "none"] for code in codes])


def outputs() -> str:
    """Which commands answer with text and which with JSON, on a terminal, in a pipe and where JSON is asked for."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for path, command in commands().items():
        if not path.startswith("workflow-admin api "):
            rows.setdefault((path.split()[0], *answers(path, command)), []).append(f"`{path}`")
    told = [[", ".join(names), *how] for (_, *how), names in rows.items()]
    return table("commands | terminal | pipe, CI | `--json`", told)


def answers(path: str, command: click.Command) -> tuple[str, str, str]:
    """How a command answers: on a terminal, in a pipe, and with ``--json``."""
    assert isinstance(workflow, LazyGroup)
    program, *words = path.split()
    piped = program == "workflow" and workflow.answers_json(words)
    has_option = any("--json" in each.opts for each in command.params)
    return "text", "JSON" if piped else "text", "JSON" if has_option else "no such option"


def states() -> str:
    """The states of the reference bundle: what each does or asks, and what is said there."""
    definition = reference().definition
    rows = [
        [f"`{state.name}`", _manner(definition, state), _codes(dict.fromkeys(state.say.targets if state.say else ()))]
        for state in definition.states.values()
    ]
    return table("state | what happens there | messages", rows)


def layers() -> str:
    """The rooms from top to bottom, as the contract has them, each with the first line of its docstring."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    floors = re.findall(r'^    "(\(.*\))",$', text, re.MULTILINE)
    return table("floor | room | what lives there", [_room(n, each) for n, each in _rooms(floors)])


def _rooms(floors: Sequence[str]) -> Iterator[tuple[int, str]]:
    for number, floor in enumerate(reversed(floors)):
        yield from ((number, room) for room in re.findall(r"\((\w+)\)", floor))


def _room(number: int, name: str) -> list[str]:
    folder = ROOT / "workflow" / name
    file = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    said = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return [str(number), f"`{name}{'/' if folder.is_dir() else '.py'}`", said.partition("\n")[0]]


def source_texts() -> str:
    """The messages that are not the text of the sources byte for byte, and why."""
    rows = [
        [f"`{each.message}`", each.language, _cell(_shown(each.source)), each.kept, each.reason]
        for each in differences()
    ]
    return table("message | in | the sources say | it is there | why", rows)


def _shown(text: str) -> str:
    return text.replace("\n", " / ").replace("${", "{")


def edits() -> str:
    """AgMI's edits, as the tests try them."""
    return table("edit | what somebody with write access to the store does", [[*each] for each in EDITS.items()])


def doors() -> str:
    """Which door refuses which edit, as the tests expect it."""
    rows = [[name, " ".join(refused), f"{len(refused)} of {len(EDITS)}"] for name, refused in DOORS.values()]
    return table("door | refuses | of the nine", rows)


def hosts() -> str:
    """What each host does with variables, and with a tool's result."""
    rows = [[known.title, known.hands_on, _reference(known), READS[host]] for host, known in HOSTS.items()]
    return table("host | hands on by itself | a variable by name | of a result its model reads", rows)


def _reference(known: HostConfig) -> str:
    if known.by_hand:
        return f"`{known.by_hand.format('NAME').partition(' below')[0]}` in its file"
    return f"`{known.refers.format('NAME')}`" if known.refers else "needless" if known.hands_on == ALL else "not at all"


def entries_that_start() -> str:
    """As `workflow mcp --print-config` prints them with the address of a sandbox."""
    return _entries(
        lambda host: HOSTS[host].launch(
            Launch(
                (INSTALLED, "mcp", *(() if host == GENERIC else ("--host", host))),
                {"PHASEGATE_SANDBOX": "http://127.0.0.1:8765"},
            )
        )
    )


def entries_that_call() -> str:
    """As `workflow serve --print-config` prints them."""
    return _entries(lambda host: HOSTS[host].call(f"http://127.0.0.1:{PORT}{PATH}"))


def _entries(written: Callable[[str], str]) -> str:
    """Each host, where its entry goes, and the entry."""
    told = []
    for host, known in HOSTS.items():
        line = known.place == SHELL
        place = "in a shell" if line else f"in {known.place}"
        told.append(f"{known.title}, {place}:\n\n```{'text' if line else 'json'}\n{written(host)}\n```")
    return "\n\n".join(told)


def decisions() -> str:
    """A link to every decision."""
    pages = [page for page in PAGES if page.parent.name == "decisions"]
    titles = {page: page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ") for page in pages}
    return "\n".join(f"- [{title}](decisions/{page.name})" for page, title in titles.items())


def _commands(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command, help_option_names=["-h", "--help"])
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        if inner is not None:
            yield from _commands(f"{path} {name}", inner)


def _manner(definition: Definition, state: State) -> str:
    """What a state is for, in a few words."""
    offered = dict.fromkeys(event.name for event in definition.offers(state) if not event.say)
    everywhere = () if state.end else definition.on
    taken = [name for name in offered if name == "check" or (name in state.on and name not in everywhere)]
    if state.end:
        return f"ends: {state.end}" + (f"; takes {_codes(taken)}" if taken else "")
    if state.watch:
        told = f"watches with `{state.watch.do}`, each {state.watch.every:g} s, at most {state.watch.within / 60:g} min"
    elif state.works:
        told = f"works: `{state.do}`" if state.do else "works: a choice"
    else:
        told = f"waits for {_codes(taken)}"
    gates = definition.asks(state)
    return f"{told}; asks {_codes(gates)}" if gates else told


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _default(about: dict[str, Any], required: bool) -> str:
    if required:
        return "required"
    value = about.get("default")
    return f"`{value}`" if value else "none"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    main()
