"""Names of sessions that a person can say: ``amber-fox``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_QUALITIES = """
amber azure bold brave bright brisk calm clear clever cobalt copper coral crisp daring deft eager early fair fleet
fond fresh gentle glad golden grand green happy hazel honest humble indigo ivory jade jolly keen kind lively loyal
lucky lunar mellow merry mild misty neat nimble noble olive patient pearl plain polar prime proud quick quiet rapid
ready royal ruby rustic sage scarlet serene sharp silent silver sleek solar steady still sunny swift tall teal
tender tidy true velvet violet vivid warm wise witty young
"""
_THINGS = """
acorn badger bear beaver birch bison brook cedar cliff cloud comet crane creek crow deer delta dove dune eagle elk
ember falcon fern finch fjord fox gecko glade goose grove gull hare harbor hawk heron hill horse ibis island jay
kestrel kite koala lagoon lake lark leaf lemur lily lion lynx maple marsh meadow mole moon moose newt oak ocean orca
otter owl panda peak pine plover pond puffin quail rabbit raven reef ridge river robin seal shore sparrow spruce
star stone stork swan tiger trout tulip turtle valley walrus willow wolf wren yak zebra
"""
FIRST: Sequence[str] = _QUALITIES.split()
SECOND: Sequence[str] = _THINGS.split()

NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+){0,5}")
"""What a session may be called."""


def is_name(text: str) -> bool:
    """Whether ``text`` can be a session's name at all; nothing else gets near a path."""
    return len(text) <= 64 and NAME.fullmatch(text) is not None


def new_name(choose: Callable[[Sequence[str]], str], words: int = 2) -> str:
    """A fresh name; ask for three words when two were taken."""
    return "-".join([choose(FIRST) for _ in range(words - 1)] + [choose(SECOND)])
