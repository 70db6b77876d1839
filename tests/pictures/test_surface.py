"""The map of a function: colours where their values are, roads where their points are."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_rnn.pictures.surface import HIGH, WIDE, surface_chart

XS, YS = np.linspace(0, 3, 4), np.linspace(10, 12, 3)


def shapes(picture, prefix):
    figure = picture.figure
    return {x.key.removeprefix(prefix): x for x in (*figure.nodes, *figure.edges) if x.key.startswith(prefix)}


def test_a_cell_is_as_dark_as_its_value_is_large():
    values = np.arange(12.0).reshape(3, 4)
    values[1, 1:3] = 5.5
    cells = shapes(surface_chart(values, XS, YS, "map", "x", "y"), "map/map/")
    apart = {f"{i}-{j}" for i in range(3) for j in range(4)}
    assert set(cells) == apart - {"1-2"}  # equal ones are joined
    red = {key: int(cell.colour[3:5], 16) for key, cell in cells.items()}  # of green, which falls fastest
    assert red["0-0"] > red["0-3"] > red["1-1"] > red["2-3"]
    (a, b) = cells["1-1"].points
    assert (a[0], b[0] - 0.4, a[1]) == pytest.approx((WIDE / 4, 3 * WIDE / 4, HIGH / 2))


def test_roads_go_through_their_points_and_end_at_the_edge():
    paths = {"stays": [(0, 10), (3, 12)], "leaves": [(1.5, 11), (1.5, 20), (0, 10)]}
    picture = surface_chart(np.zeros((3, 4)), XS, YS, "map", "x", "y", "error", paths)
    marks = shapes(picture, "map/stays/")
    assert (marks["0"].x, marks["0"].y) == pytest.approx((WIDE / 8, HIGH / 6))
    assert (marks["1"].x, marks["1"].y) == pytest.approx((WIDE * 7 / 8, HIGH * 5 / 6))
    road = shapes(picture, "map/leaves/")
    assert np.allclose(road["line"].points, [(WIDE / 2, HIGH / 2), (WIDE / 2, HIGH)])
    assert set(road) == {"line", "halo", "0"}
    assert "leaves: leaves the map at step 1" in picture.figure.description


@pytest.mark.parametrize("place", [(np.inf, 11), (1.5, np.nan)])
def test_a_road_that_goes_to_infinity_ends_where_it_was_last(place):
    picture = surface_chart(np.zeros((3, 4)), XS, YS, "map", "x", "y", "error", {"bursts": [(0, 10), (3, 12), place]})
    assert len(shapes(picture, "map/bursts/")["line"].points) == 2
    assert "bursts: leaves the map at step 2" in picture.figure.description
    assert "nan" not in picture.svg.lower()


def test_a_road_that_begins_beyond_the_map_is_said_and_not_drawn():
    picture = surface_chart(np.zeros((3, 4)), XS, YS, "map", "x", "y", "error", {"far": [(99, 10), (0, 10)]})
    assert shapes(picture, "map/far/") == {}
    assert "far: is not on the map" in picture.figure.description


@pytest.mark.parametrize("shape", [(3, 3), (65, 4), (1, 4)])
def test_bad_input_is_answered_in_one_line(shape):
    ys = np.arange(3 if shape[0] == 3 else shape[0])
    with pytest.raises(ValueError, match=r"surface_chart: values .* for \d+ ys and 4 xs"):
        surface_chart(np.zeros(shape), XS, ys, "map", "x", "y")


def test_what_is_not_a_number_is_said():
    values = np.zeros((3, 4))
    values[0, 0] = np.nan
    assert "1 value is not a number" in surface_chart(values, XS, YS, "map", "x", "y").figure.note
