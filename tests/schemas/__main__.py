"""``make schemas``: how many schemas there are, what every command prints, and what two validators say of both."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.schemas import reach
from tests.schemas.scenes import play
from tests.schemas.verdicts import of_ajv, of_jsonschema, unreached
from workflow.author.published import names


def main() -> int:
    """Print the figures; exit code 1 where a validator, or what is not reached, says otherwise than it should."""
    with tempfile.TemporaryDirectory() as folder:
        outputs = play(Path(folder) / "scenes")
    places = sum(len(reach.places(name)) for name in names() if name not in reach.OF_BUNDLES)
    left = unreached(outputs)
    commands = len({each.command for each in outputs})
    reached = f"reach {places - len(left)} of {places} places"
    print(f"{len(names())} schemas; {len(outputs)} outputs of {commands} commands and files {reached}")
    verdicts = of_jsonschema(outputs), of_ajv(outputs)
    for verdict in verdicts:
        said = "takes every schema and output, and none with a key too many"
        print(f"{verdict.validator}: {said if not verdict.faults else f'{len(verdict.faults)} faults'}")
        for fault in verdict.faults:
            print(f"  {fault}")
    for name, at in sorted(left):
        print(f"not reached: {name} {at}")
    return 1 if left or any(verdict.faults for verdict in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
