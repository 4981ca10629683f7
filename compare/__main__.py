"""``python -m compare``: every failure on every system, one after the other; prints the table and keeps it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

from compare import changed_plan, crash, race, renamed_state, resumable
from compare.cell import Cell
from compare.shop import Shop
from compare.system import OURS, SYSTEMS, Run, System
from compare.table import Row, as_markdown, as_text

COLUMNS: Mapping[str, Callable[[Run], Cell]] = {
    each.TITLE: each.measure for each in (crash, race, changed_plan, renamed_state, resumable)
}
RESULTS = Path(__file__).parent / "results.md"


def main() -> int:
    """0 if everything was measured and Phasegate kept each promise."""
    rows = list(_rows())
    print(as_text(rows, list(COLUMNS)))
    RESULTS.write_text(as_markdown(rows, list(COLUMNS)), encoding="utf-8")
    broken = [title for row in rows if row.system is OURS for title, cell in row.cells.items() if not cell.kept]
    for title in broken:
        print(f"Phasegate does not keep its promise: {title}", file=sys.stderr)
    missing = [row for row in rows if any(not cell.measured for cell in row.cells.values())]
    for row in missing:
        print(f"not all was measured: {row.system.title}; see {RESULTS.name}", file=sys.stderr)
    return 1 if broken or missing else 0


def measure(system: System, failure: Callable[[Run], Cell]) -> Cell:
    """One cell, in a folder of its own that is gone afterwards; what cannot be measured says why."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, Shop() as shop:
        run = Run(system, Path(folder), shop)
        try:
            return failure(run)
        except (RuntimeError, OSError) as error:
            return Cell.unmeasured(str(error))
        finally:
            shop.release()
            run.kill()


def _rows() -> Iterator[Row]:
    for system in SYSTEMS:
        try:
            version = system.version
        except metadata.PackageNotFoundError:
            missing = Cell.unmeasured(f"{system.distribution} is not installed")
            yield Row(system, "", dict.fromkeys(COLUMNS, missing))
            continue
        print(f"{system.title} {version} ...", file=sys.stderr)
        yield Row(system, version, {title: measure(system, failure) for title, failure in COLUMNS.items()})


if __name__ == "__main__":
    sys.exit(main())
