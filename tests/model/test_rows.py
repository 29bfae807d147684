"""Rows by joins on named columns: an entry belongs to the row of its names, whatever the order, or is a fault."""

import numpy as np
import pandas as pd
import pytest

from planner.model.rows import Term, distinct, joined, kept, number_in


def test_entries_go_to_the_row_of_their_names() -> None:
    index = {"need": np.array([1, 0]), "slot": np.array([0, 7])}
    where = {"slot": np.array([7, 0, 7]), "need": np.array([0, 1, 0])}
    rows = joined("f", index, (-np.inf, np.array([5.0, 6.0])), [Term(where, np.array([10, 11, 12]), 2.0)])
    assert rows.row.tolist() == [1, 0, 1]
    assert rows.column.tolist() == [10, 11, 12]
    assert rows.value.tolist() == [2.0, 2.0, 2.0]
    assert (rows.lower.tolist(), rows.upper.tolist()) == ([-np.inf, -np.inf], [5.0, 6.0])


def test_without_names_there_is_one_row() -> None:
    rows = joined("f", {}, (1.0, np.inf), [Term({}, np.array([3, 4]), np.array([0.5, 1.5]))])
    assert (rows.count, rows.row.tolist(), rows.value.tolist()) == (1, [0, 0], [0.5, 1.5])


def test_entries_of_one_column_in_one_row_add_up() -> None:
    """No solver takes the same cell twice; a purchase that is in force in two months may count for and against."""
    index = {"period": np.array([1, 2])}
    now = Term({"period": np.array([1, 2, 2])}, np.array([7, 7, 8]), 1.0)
    before = Term({"period": np.array([2, 1])}, np.array([7, 9]), np.array([-1.0, -0.5]))
    rows = joined("f", index, (-np.inf, 4.0), [now, before, Term({"period": np.array([1])}, np.array([7]), 2.0)])
    assert rows.row.tolist() == [0, 1, 0]
    assert rows.column.tolist() == [7, 8, 9]
    assert rows.value.tolist() == [3.0, 1.0, -0.5]


def test_what_matches_no_row_is_a_fault() -> None:
    index = {"need": np.array([0, 1])}
    with pytest.raises(KeyError, match="f: 1 entries belong to no row"):
        joined("f", index, (0.0, 1.0), [Term({"need": np.array([1, 2])}, np.array([0, 1]), 1.0)])
    with pytest.raises(KeyError, match="rows are named by"):
        joined("f", index, (0.0, 1.0), [Term({"slot": np.array([1])}, np.array([0]), 1.0)])
    with pytest.raises(ValueError, match="two rows have one name"):
        joined("f", {"need": np.array([1, 1])}, (0.0, 1.0), [])


def test_combinations_once_each_in_order() -> None:
    found = distinct(quota=np.array([1, 0, 1, 0]), slot=np.array([2, 3, 2, 1]))
    assert {name: numbers.tolist() for name, numbers in found.items()} == {"quota": [0, 0, 1], "slot": [1, 3, 2]}
    assert kept(found, np.array([True, False, True]))["slot"].tolist() == [1, 2]


def test_rows_of_a_table_by_name() -> None:
    caps = pd.DataFrame({"origin": ["e", "w"], "destination": ["w", "e"]})
    arcs = pd.DataFrame({"origin": ["w", "e", "w"], "region": ["e", "e", "e"]})
    assert number_in(caps, ("origin", "destination"), arcs, ("origin", "region")).tolist() == [1, -1, 1]
