"""Joins on named columns, against pandas' own merge and by hand."""

import numpy as np
import pandas as pd
import pytest

from planner.errors import PlannerError
from planner.plan.frames import categories, encode, matched, pairs, positions

OFFERS = pd.DataFrame({"pool": ["a", "a", "b"], "meter": ["in", "out", "in"]})


def test_a_row_is_found_by_its_names() -> None:
    rows = pd.DataFrame({"pool": ["b", "a", "b", "c"], "meter": ["in", "out", "out", "in"]})
    assert positions(rows, OFFERS, ["pool", "meter"]).tolist() == [2, 1, -1, -1]
    as_categories = rows.assign(pool=categories(np.array([1, 0, 1, -1]), ["a", "b"]))
    assert positions(as_categories, OFFERS, ["pool", "meter"]).tolist() == [2, 1, -1, -1]
    assert positions(rows, OFFERS.iloc[:0], ["pool", "meter"]).tolist() == [-1] * 4


def test_a_row_without_a_match_raises_with_its_names() -> None:
    rows = pd.DataFrame({"pool": ["a", "b"], "meter": ["in", "out"]})
    with pytest.raises(PlannerError, match="the offers has no row for pool 'b', meter 'out'"):
        matched(rows, OFFERS, ["pool", "meter"], "the offers")


def test_names_that_are_no_key_are_refused() -> None:
    with pytest.raises(ValueError, match="pool name several rows"):
        positions(OFFERS, OFFERS, ["pool"])


def test_pairs_are_those_of_a_merge() -> None:
    rng = np.random.default_rng(1)
    rows, table = (pd.DataFrame({"x": rng.choice(list("abcd"), n), "y": rng.choice(list("pqr"), n)}) for n in (40, 30))
    row, at, nth = pairs(rows, table, ["x", "y"])
    merged = rows.assign(row=range(40)).merge(table.assign(at=range(30)), on=["x", "y"])
    assert sorted(zip(row, at)) == sorted(zip(merged["row"], merged["at"]))
    assert nth.tolist() == pd.Series(row).groupby(row).cumcount().tolist()


def test_unknown_names_have_the_number_minus_one() -> None:
    assert encode(pd.Series(["b", "z", "a", None]), ["a", "b"]).tolist() == [1, -1, 0, -1]
