"""The base of every noun: what its records keep to."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from workflow.model.frozen import Noun, as_dict, replace


class Point(Noun):
    """Two numbers, one of them with a default."""

    SHARED: ClassVar[int] = 1
    x: int
    y: int = 0


class Labelled(Point, hide=("secret",)):
    """A point with more fields, one of them hidden."""

    labels: Mapping[str, Any] = {}
    secret: str = ""


def test_fields_come_in_order_by_place_or_by_name() -> None:
    """Values by place fill the fields in the order of the class; names fill the rest."""
    assert (Point(1, 2).x, Point(1, 2).y) == (1, 2)
    assert Point(1, y=2) == Point(x=1, y=2) == Point(1, 2)
    assert Point(1).y == 0


@pytest.mark.parametrize(
    ("values", "named", "fault"),
    [
        ((), {}, "Point needs x"),
        ((1, 2, 3), {}, "Point takes 2 values, not 3"),
        ((1,), {"x": 1}, "Point got twice x"),
        ((1,), {"z": 1}, "Point has no field z"),
        ((), {"y": 1, "z": 1}, "Point has no field z"),
    ],
)
def test_what_does_not_fit_is_named(values: tuple[Any, ...], named: dict[str, Any], fault: str) -> None:
    """A record with a field too many, too few or unknown is not made, whatever cancels out in number."""
    with pytest.raises(TypeError, match=fault):
        Point(*values, **named)


def test_a_noun_cannot_be_changed() -> None:
    """Setting and deleting a field raise, and leave the noun as it was."""
    point: Any = Point(1)
    with pytest.raises(AttributeError, match="frozen"):
        point.x = 2
    with pytest.raises(AttributeError, match="frozen"):
        del point.x
    assert point == Point(1)


def test_replace_makes_another() -> None:
    """The first stays as it was, and a name that is no field is refused."""
    first = Point(1, 2)
    assert replace(first, y=3) == Point(1, 3)
    assert first == Point(1, 2)
    with pytest.raises(TypeError, match="no field z"):
        replace(first, z=3)


def test_equality_needs_the_same_class() -> None:
    """Equal fields of another class are another thing; equal nouns have one hash."""
    assert Point(1) != Labelled(1)
    assert hash(Point(1)) == hash(Point(1, 0))
    assert Point(1) != (1, 0)


def test_defaults_are_never_shared() -> None:
    """A table that is a default is made anew for each noun."""
    assert Labelled(1).labels == {}
    assert Labelled(1).labels is not Labelled(1).labels


def test_repr_shows_all_but_the_hidden() -> None:
    """A field that may hold a key is in no traceback."""
    assert repr(Labelled(1, secret="k")) == "Labelled(x=1, y=0, labels={})"


def test_as_dict_goes_all_the_way_down() -> None:
    """Nouns inside tuples and tables become dicts too."""
    nested = Labelled(1, labels={"at": (Point(2),)})
    assert as_dict(nested) == {"x": 1, "y": 0, "labels": {"at": [{"x": 2, "y": 0}]}, "secret": ""}


def test_a_copy_is_equal() -> None:
    """Copies, deep ones too, are equal nouns."""
    nested = Labelled(1, labels={"at": [1]})
    assert copy.copy(nested) is nested
    assert copy.deepcopy(nested) == nested
