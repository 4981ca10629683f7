"""Placing boxes and lines: nothing overlaps, lines begin and end at their boxes, few of them cross."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.show.layout import GAP, Box, Layout, Link, place


def boxes(*names: str) -> list[Box]:
    """Boxes named `group.name`, each as wide as its name is long."""
    return [Box(name, name.partition(".")[0], 20.0 + 10 * len(name), 30.0) for name in names]


def check(given: list[Box], links: list[Link], layout: Layout) -> None:
    """What holds for every drawing."""
    sizes = {box.name: box for box in given}
    frames = [layout.groups[group] for group in dict.fromkeys(box.group for box in given)]
    assert all(one[1] < other[0] for one, other in pairwise(frames))
    for box in given:
        x, y = layout.boxes[box.name]
        top, bottom = layout.groups[box.group]
        assert top < y - box.height / 2 and y + box.height / 2 < bottom
        assert box.width / 2 < x < layout.width - box.width / 2
    areas = [(*layout.boxes[box.name], box.width, box.height) for box in given]
    areas += [(*way.label, link.width, link.height) for link, way in zip(links, layout.ways, strict=True) if link.width]
    for (x, y, wide, high), (other_x, other_y, other_wide, other_high) in combinations(areas, 2):
        beside = abs(x - other_x) >= (wide + other_wide) / 2 - 0.01
        assert beside or abs(y - other_y) >= (high + other_high) / 2 - 0.01
    for link, way in zip(links, layout.ways, strict=True):
        for name, (x, y) in ((link.source, way.points[0]), (link.target, way.points[-1])):
            middle_x, middle_y = layout.boxes[name]
            assert abs(x - middle_x) <= sizes[name].width / 2
            assert abs(y - middle_y) == pytest.approx(sizes[name].height / 2)
        heights = [y for _, y in way.points]
        assert heights == sorted(heights, reverse=heights[0] > heights[-1])


NAMES = ["a.one", "a.two", "a.three", "b.four", "b.five", "c.six"]
LINKS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from([0.0, 80.0])).filter(
        lambda link: link[0] != link[1]
    ),
    max_size=15,
)


@given(LINKS)
def test_nothing_overlaps_whatever_leads_where(found: list[tuple[str, str, float]]) -> None:
    """Boxes, labels and frames keep apart, and no line turns back, for any graph with loops and double lines."""
    links = [Link(source, target, wide, 17.0 if wide else 0.0) for source, target, wide in found]
    layout = place(boxes(*NAMES), links)
    check(boxes(*NAMES), links, layout)
    assert layout == place(boxes(*NAMES), links)


def test_rows_follow_the_lines() -> None:
    """What leads on stands above what it leads to; a line back turns nothing around."""
    links = [Link("a.x", "a.z"), Link("a.x", "a.y"), Link("a.y", "a.z"), Link("a.z", "a.x")]
    layout = place(boxes("a.z", "a.y", "a.x"), links)
    assert layout.boxes["a.z"][1] < layout.boxes["a.x"][1] < layout.boxes["a.y"][1]
    layout = place(boxes("a.x", "a.z", "a.y"), links)
    assert layout.boxes["a.x"][1] < layout.boxes["a.y"][1] < layout.boxes["a.z"][1]


def test_lines_are_untangled() -> None:
    """Two pairs that are listed crosswise are drawn side by side."""
    links = [Link("a.one", "b.right"), Link("a.two", "b.left")]
    layout = place(boxes("a.one", "a.two", "b.left", "b.right"), links)
    (one, *_), (two, *_) = (way.points for way in layout.ways)
    ends = [way.points[-1][0] for way in layout.ways]
    assert (one[0] < two[0]) == (ends[0] < ends[1])


def test_a_lone_line_is_straight() -> None:
    """Where nothing is in the way, a line over many rows has one column."""
    links = [Link("a.top", "a.mid", 60.0, 17.0), Link("a.mid", "a.end"), Link("a.end", "b.far")]
    layout = place(boxes("a.top", "a.mid", "a.end", "b.far"), links)
    for way in layout.ways:
        assert max(x for x, _ in way.points) - min(x for x, _ in way.points) < 1


def test_an_empty_drawing_is_empty() -> None:
    """Nothing to place takes no room but the margin."""
    assert place([], []) == Layout({}, (), {}, GAP, 0.0)
