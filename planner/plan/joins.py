"""Joins on named columns, fast for millions of rows: every row finds its row, or rows, of another table by name."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from planner.errors import PlannerError

Ints = npt.NDArray[np.int64]


def encode(values: pd.Series, names: Sequence[str]) -> Ints:
    """Find each value's number in ``names``; -1 where it is not one of them."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        codes, distinct = values.cat.codes.to_numpy(), values.cat.categories
    else:
        codes, distinct = pd.factorize(values)
    number = pd.Index(list(names), dtype=object).get_indexer(pd.Index(distinct, dtype=object))
    found: Ints = np.append(number, -1).astype(np.int64)[codes]
    return found


def categories(codes: Ints, names: Sequence[str]) -> pd.Categorical:
    """Name the numbers of ``names`` again, as a column to join on; -1 becomes a blank."""
    return pd.Categorical.from_codes(codes, categories=pd.Index(list(names), dtype=object))


def positions(rows: pd.DataFrame, table: pd.DataFrame, on: Sequence[str]) -> Ints:
    """Find the row of ``table`` with the same names in the columns ``on``; -1 where there is none.

    Raises
    ------
    ValueError
        if two rows of ``table`` have the same names: then they are no key.
    """
    wanted, known = _keys(rows, table, on)
    if not len(known):
        return np.full(len(wanted), -1, np.int64)
    order = np.argsort(known, kind="stable")
    ordered = known[order]
    if (ordered[1:] == ordered[:-1]).any():
        raise ValueError(f"{', '.join(on)} name several rows of one table")
    at = np.minimum(np.searchsorted(ordered, wanted), len(known) - 1)
    found: Ints = np.where(ordered[at] == wanted, order[at], -1)
    return found


def matched(rows: pd.DataFrame, table: pd.DataFrame, on: Sequence[str], what: str) -> Ints:
    """Find the row of ``table`` for every row, as `positions` does; ``what`` names the table in a message.

    Raises
    ------
    PlannerError
        if a row has none, with its names.
    """
    at = positions(rows, table, on)
    if (at < 0).any():
        first = rows.iloc[int(np.argmax(at < 0))]
        named = ", ".join(f"{column} {first[column]!r}" for column in on)
        raise PlannerError(f"{what} has no row for {named}")
    return at


def pairs(rows: pd.DataFrame, table: pd.DataFrame, on: Sequence[str]) -> tuple[Ints, Ints, Ints]:
    """Pair each row with every row of ``table`` that has the same names: row, row of the table, nth of the row.

    A row whose names are blank or unknown has no pair. Pairs come in the order of the rows, then of the table.
    """
    wanted, known = _keys(rows, table, on)
    order = np.argsort(known, kind="stable")
    first, last = (np.searchsorted(known[order], wanted, side) for side in ("left", "right"))
    count = np.where(wanted < 0, 0, last - first)
    row = np.repeat(np.arange(len(wanted)), count)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    return row, order[first[row] + nth], nth


def _keys(rows: pd.DataFrame, table: pd.DataFrame, on: Sequence[str]) -> tuple[Ints, Ints]:
    """Give each combination of names a number; -1 for rows with a name that ``table`` does not hold."""
    wanted, known = np.zeros(len(rows), np.int64), np.zeros(len(table), np.int64)
    for column in on:
        names = pd.unique(table[column].dropna()).tolist()
        code = encode(rows[column], names)
        wanted = np.where((code < 0) | (wanted < 0), -1, wanted * len(names) + code)
        known = known * len(names) + encode(table[column], names)
    return wanted, known
