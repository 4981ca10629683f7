"""``workflow skill coverage``: what a prose skill demands, and what of a bundle and its tests keeps it."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from workflow.author.rule_coverage import Demand, covers, demands, sentences
from workflow.author.rule_marks import Marked, read_marks
from workflow.bundle import open_bundle
from workflow.cli import console
from workflow.cli.answer import json_option, print_json
from workflow.cli.chosen import bundle_option, chosen_bundle
from workflow.cli.paths import TypedPath
from workflow.local.files import read_regular
from workflow.local.settings import read_settings
from workflow.model.errors import UsageError
from workflow.model.frozen import as_dict
from workflow.model.plain_text import NotPlain, plain
from workflow.model.reply import EXIT_CODES, VERSION

LARGEST = 4 * 1024**2
"""Bytes of a file that is read."""
MOST = 3
"""Names that a line of the table shows; JSON has all."""
STANDINGS = ("covered", "superseded", "uncovered", "untied")
KEPT = ("covered", "superseded")


@click.command(short_help="What a prose skill demands, and what keeps it.")
@click.argument("file", type=TypedPath())
@bundle_option
@click.option(
    "--rules", type=TypedPath(), help="A CSV with number, quote (words of the rule's sentence), and maybe instead."
)
@click.option("--tests", type=TypedPath(), help="A folder of tests whose marks, rule('NUMBER'), count too.")
@click.option("--strict", is_flag=True, help="Exit code 3 if anything is uncovered or untied.")
@json_option
def coverage(file: str, bundle: str | None, rules: str | None, tests: str | None, strict: bool, as_json: bool) -> int:
    """List what FILE says must be or must never be, and what keeps it: `covers` in the bundle, and tests.

    A sentence has its rule's number from its row in a table, from a comment after it (<!-- NUMBER -->), or from
    --rules. One that has none is untied; one that nothing keeps is uncovered; one whose rule gave way to another, which
    is kept, is superseded.

    \b
    Examples:
      workflow skill coverage SKILL.md
      workflow skill coverage SKILL.md --rules rules.csv --tests tests --strict
    """
    folder = chosen_bundle(bundle, read_settings(os.environ), silent=as_json)
    definition = open_bundle(folder).definition
    quotes, instead = _quotes(rules) if rules else ([], {})
    kept = covers(definition, _marks(tests) if tests else [])
    found = list(demands(sentences(_text(file), quotes), kept, instead))
    sums = dict.fromkeys(STANDINGS, 0) | Counter(each.standing for each in found)
    numbers = {rule for each in found for rule in each.sentence.rules}
    elsewhere = sorted(set(kept) - numbers, key=lambda rule: (len(rule), rule))
    whole = sum(sums[each] for each in KEPT) == len(found) or not strict
    if as_json:
        told = {"file": file, "demands": [_as_json(each) for each in found], "sums": sums, "elsewhere": elsewhere}
        print_json({"v": VERSION, "ok": whole, **told})
    else:
        _show(found, sums, elsewhere)
    return 0 if whole else EXIT_CODES["refused"]


def _text(file: str) -> str:
    """What a file says; raises :class:`UsageError`."""
    try:
        held = read_regular(Path(file), LARGEST)
        if len(held) > LARGEST:
            raise UsageError(f"{file} is larger than {LARGEST // 1024**2} MiB", "Name the skill's own text.")
        return plain(held)
    except NotPlain as error:
        raise UsageError(f"{file} is {error}", "Save it as UTF-8.") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{file[:200]!r} cannot be read: {error}", "Name a file of text.") from error


def _quotes(file: str) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """(rule, words of its sentence), row by row, and the rules that others gave way to.

    A rule may have several rows, and a row no words.
    """
    try:
        rows = csv.DictReader(io.StringIO(_text(file), newline=""), strict=True)
        if not {"number", "quote"} <= set(rows.fieldnames or ()):
            raise UsageError(f"{file} needs the columns number and quote", "Write them into its first line.")
        known = [row for row in rows if row["number"] and row["quote"]]
        instead = {row["number"].strip(): row["instead"].strip() for row in known if row.get("instead")}
        return [(row["number"].strip(), row["quote"]) for row in known], instead
    except csv.Error as error:
        raise UsageError(f"{file} is not CSV: {error}", "Fix it; the first line names the columns.") from error


def _marks(folder: str) -> Iterator[Marked]:
    """The marks of all tests below the folder, which is only read; an empty module of a package has none."""
    top = Path(folder)
    if "\0" in folder or not top.is_dir():
        raise UsageError(f"{folder[:200]!r} is not a folder", "Name the folder that holds the tests.")
    for path in sorted(top.rglob("*.py")):
        if path.is_file() and not path.stat().st_size:
            continue
        try:
            yield from read_marks(_text(str(path)), path.relative_to(top).as_posix())
        except (SyntaxError, RecursionError) as error:
            raise UsageError(f"{path} is not Python: {error}", "Fix it, or name another folder.") from error


def _as_json(demand: Demand) -> dict[str, object]:
    return {**as_dict(demand.sentence), "standing": demand.standing, "by": [as_dict(each) for each in demand.by]}


def _show(found: Sequence[Demand], sums: Mapping[str, int], elsewhere: Sequence[str]) -> None:
    rows = []
    for each in found:
        names = [f"{cover.kind} {cover.name}" for cover in each.by[:MOST]]
        more = f"and {len(each.by) - MOST} more" if len(each.by) > MOST else ""
        kept = ", ".join(filter(None, (*names, more))) or each.standing
        rows.append((str(each.sentence.line), " ".join(each.sentence.rules), each.sentence.text, kept))
    if rows:
        console.show_table(("line", "rules", "sentence", "kept by"), rows)
    console.say("; ".join(f"{number} {standing}" for standing, number in sums.items()))
    if elsewhere:
        console.remark(f"Not in this text: {', '.join(elsewhere)}")
