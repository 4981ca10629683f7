"""Values that nobody would think of."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["", "create.creating", "over.finished", "approve", "…\u202e\x1b[31m", "x" * 3_000]),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
"""Any value that JSON can express."""


@st.composite
def mutated(draw: st.DrawFn, value: Any) -> Any:
    """The value with one place in it replaced, left out or added to; never equal to what it was."""
    path = draw(st.sampled_from(list(_places(value))))
    other, new = deepcopy(value), draw(JSON)
    if not path:
        return new if new != value else [value]
    place = other
    for key in path[:-1]:
        place = place[key]
    how = draw(st.sampled_from(["replace", "replace", "remove", "add"]))
    if how == "remove":
        del place[path[-1]]
    elif how == "add" and isinstance(place, dict):
        place["another"] = new
    else:
        place[path[-1]] = new if new != place[path[-1]] or type(new) is not type(place[path[-1]]) else [new]
    return other if other != value else [value]


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value within, and to the whole."""
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from _places(child, (*path, key))
