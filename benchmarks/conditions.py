"""What is measured on, with what: without these no ratio means anything."""

from __future__ import annotations

import os
import platform
import re
import statistics
import sysconfig
import tempfile
import time
from importlib import metadata

PACKAGES = ("phasegate", "apsw", "apache-burr", "dbos", "langgraph", "langgraph-checkpoint-sqlite", "transitions")
WRITES, BLOCK = 200, 4096
"""How often, and how many bytes at a time, the disk is asked to make something durable."""
_BUILT_WITH = re.compile(r"--enable-optimizations|--with-lto\S*|--enable-experimental-jit\S*")


def machine() -> str:
    """Processors, system, the build of Python, and the packages."""
    versions = ", ".join(filter(None, map(_version, PACKAGES)))
    built = " ".join(_BUILT_WITH.findall(sysconfig.get_config_var("CONFIG_ARGS") or "")) or "no optimizing options"
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}; {platform.python_implementation()} "
        f"{platform.python_version()}, {platform.python_compiler()}, {built}; {versions}."
    )


def moment() -> str:
    """The load per core, and how long the disk takes now."""
    return f"load {os.getloadavg()[0] / (os.cpu_count() or 1):.1f} per core, `fdatasync` {_synced():.2f} ms"


def _synced() -> float:
    """Median milliseconds of `fdatasync` after a block was appended, where the stores of the benchmarks lie."""
    took = []
    with tempfile.TemporaryFile(buffering=0) as file:
        for _ in range(WRITES):
            file.write(bytes(BLOCK))
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - begun) * 1000)
    return statistics.median(took)


def _version(package: str) -> str:
    try:
        return f"{package} {metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return ""
