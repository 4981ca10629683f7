"""Take one thing after the other out of the reference bundle: something must notice, or it is explained why not.

``python -m tests.mutants [BEGINS …]`` tries all mutants, or those whose names begin so; ``source …`` tries those of
the source (see ``source_trial.py``), ``expense`` those of the example (see ``expense.py``). Exit code 1 if one survives
that is not in ``explained.csv``, or if a line there explains what is caught or is no mutant.
"""

from __future__ import annotations

import csv
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.mutants.mutants import Mutant, mutants
from tests.mutants.trial import STAGES, bench, caught

EXPLAINED = Path(__file__).with_name("explained.csv")


class Outcome(NamedTuple):
    """What became of a mutant: the stage that caught it, or none, and what was found or why it may live."""

    name: str
    stage: str
    found: str


def explained() -> Mapping[str, str]:
    """Mutant → why nothing can notice it."""
    with EXPLAINED.open(encoding="utf-8", newline="") as file:
        return {row["mutant"]: row["why"] for row in csv.DictReader(file)}


def judge(outcomes: Iterable[Outcome], known: Mapping[str, str]) -> Iterator[str]:
    """What is wrong: survivors without a reason, and reasons without a survivor."""
    told = {each.name: each for each in outcomes}
    for name, outcome in told.items():
        if not outcome.stage and name not in known:
            yield f"{name} survives: write a test that notices, or explain it in {EXPLAINED.name}"
        if outcome.stage and name in known:
            yield f"{name} is explained, and caught by {outcome.stage}: take it out of {EXPLAINED.name}"


def unknown(names: Iterable[str], known: Mapping[str, str]) -> Iterator[str]:
    """Reasons for what is no mutant."""
    names = set(names)
    yield from (f"{name} is explained, and is no mutant" for name in known if name not in names)


def main(begins: list[str]) -> int:
    """Try the mutants on all processors, print each, and sum up; `source` tries those of the source."""
    if begins[:1] == ["source"]:
        from tests.mutants.source_trial import main as try_source

        return try_source(begins[1:])
    if begins[:1] == ["expense"]:
        from tests.mutants.expense import main as try_expense

        return try_expense()
    if not begins:
        return max(_bundle(begins), main(["expense"]), main(["source"]))
    return _bundle(begins)


def _bundle(begins: list[str]) -> int:
    """Those of the bundle whose names begin so, or all."""
    known, told = explained(), list[Outcome]()
    with bench() as here:
        every = list(mutants(here.document))
        basis = [f"{name}: {found}" for name, stage in STAGES.items() if (found := stage(here))]
    if basis:
        print("\n".join(["the bundle as it stands does not pass:", *basis]))
        return 1
    chosen = [each for each in every if each.name.startswith(tuple(begins))] if begins else every
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for outcome in pool.map(_try, chosen):
            told.append(outcome)
            state = "caught" if outcome.stage else "explained" if outcome.name in known else "SURVIVED"
            reason = outcome.found if outcome.stage else known.get(outcome.name, "")
            print(f"{state:<9} {outcome.stage:<9} {outcome.name}  {reason[:120]}", flush=True)
    faults = [*judge(told, known), *unknown((each.name for each in every), known)]
    print("\n".join(["", *_summary(told, known), *faults]))
    return 1 if faults else 0


def _summary(told: list[Outcome], known: Mapping[str, str]) -> Iterator[str]:
    stages = Counter(each.stage for each in told if each.stage)
    alive = [each.name for each in told if not each.stage]
    by = ", ".join(f"{count} by {stage}" for stage, count in stages.items()) or "none"
    yield f"{len(told)} mutants: {stages.total()} caught ({by}), {sum(name in known for name in alive)} explained, " + (
        f"{sum(name not in known for name in alive)} survived"
    )


def _try(mutant: Mutant) -> Outcome:
    """In a process of its own, on a bench of its own."""
    with bench() as here:
        return Outcome(mutant.name, *caught(here, mutant, STAGES))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
