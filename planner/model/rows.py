"""Rows: what a family of constraints returns, made by joins on named columns.

A row is named by numbers into Sets (need, slot, deployment, ...), and so is each entry. An entry belongs to the row of
the same names; one without such a row is a fault of the family, not a term that is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.model.sets import Bools, Floats, Ints

Named = Mapping[str, Ints]  # numbers into Sets by what they count, all of one length


@dataclass(frozen=True)
class Rows:
    """The rows of one family: bounds, sparse entries, and what each row is about.

    ``index`` names each row by numbers into Sets (need, slot, deployment, ...). ``row`` counts from 0 in the family.
    """

    family: str
    index: Named
    lower: Floats
    upper: Floats
    row: Ints
    column: Ints
    value: Floats

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.lower)


@dataclass(frozen=True)
class Term:
    """Entries of some columns: ``where`` names the row of each (by the names of the rows), ``value`` is one or many."""

    where: Named
    column: Ints
    value: Floats | float


def joined(family: str, index: Named, bounds: tuple[Floats | float, Floats | float], terms: Sequence[Term]) -> Rows:
    """Make one row for each of the names in ``index`` and put each entry into the row of its names.

    Entries of one column in one row are added up: a purchase in force this month and the last counts for both.

    Parameters
    ----------
    index : of the rows, in their order. Empty: one row, in which all entries stand. bounds : lower and upper.

    Raises
    ------
    KeyError : an entry names no row. ValueError : two rows have one name.
    """
    count = len(next(iter(index.values()))) if index else 1
    named = codes([index, *(term.where for term in terms)])
    order = np.argsort(named[0], kind="stable") if (np.diff(named[0]) < 0).any() else np.arange(count)
    known = named[0][order]
    if (known[1:] == known[:-1]).any():
        raise ValueError(f"{family}: two rows have one name")
    row, column, value = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0)]
    for term, code in zip(terms, named[1:]):
        code = np.broadcast_to(code, len(term.column)) if not index else code
        at = np.minimum(np.searchsorted(known, code), max(count - 1, 0))
        lost = known[at] != code if count else np.ones(len(code), bool)
        if lost.any():
            first = {name: int(numbers[np.argmax(lost)]) for name, numbers in term.where.items()}
            raise KeyError(f"{family}: {int(lost.sum())} entries belong to no row, the first to {first}")
        row.append(order[at])
        column.append(term.column)
        value.append(np.broadcast_to(term.value, len(term.column)))
    lower, upper = (np.array(np.broadcast_to(bound, count), float) for bound in bounds)
    return Rows(
        family, index, lower, upper, *_added_up(np.concatenate(row), np.concatenate(column), np.concatenate(value))
    )


def _added_up(row: Ints, column: Ints, value: Floats) -> tuple[Ints, Ints, Floats]:
    """Return entries of which no two stand in one row and column; no solver takes such. What adds up to 0 is none."""
    cell = row * (int(column.max(initial=0)) + 1) + column
    in_order = np.sort(cell)
    if not (in_order[1:] == in_order[:-1]).any():
        return row, column, value
    _, first, at = np.unique(cell, return_index=True, return_inverse=True)
    total = np.bincount(at, value, len(first))
    some = np.sort(first[total != 0])
    return row[some], column[some], total[at[some]]


def no_rows(family: str, *names: str) -> Rows:
    """Return a family without rows, for sets in which there is nothing to keep; ``names``: of its index."""
    none, nothing = np.empty(0, np.int64), np.empty(0)
    return Rows(family, dict.fromkeys(names, none), nothing, nothing, none, none, nothing)


def distinct(**columns: Ints) -> dict[str, Ints]:
    """Return the combinations that occur, each once, in order of the first column, then the second, ..."""
    (code,) = codes([columns])
    _, first = np.unique(code, return_index=True)
    return {name: numbers[first] for name, numbers in columns.items()}


def number_in(table: pd.DataFrame, names: Sequence[str], of: pd.DataFrame, as_: Sequence[str] | None = None) -> Ints:
    """Row of ``table`` whose ``names`` are those of each row of ``of`` (there called ``as_``); -1: there is none."""
    number = {key: k for k, key in enumerate(zip(*(table[name] for name in names)))}
    found = [number.get(key, -1) for key in zip(*(of[name] for name in as_ or names))]
    return np.array(found, dtype=np.int64)


def kept(where: Named, entries: Bools | Ints) -> dict[str, Ints]:
    """Return the names of some entries."""
    return {name: numbers[entries] for name, numbers in where.items()}


def codes(named: Sequence[Named]) -> list[Ints]:
    """One number for each combination of names, alike in all: their place in the order of the first column, ..."""
    names = list(named[0])
    if any(set(one) != set(names) for one in named):
        raise KeyError(f"rows are named by {names}, entries by {[list(one) for one in named[1:]]}")
    found = [np.zeros(len(next(iter(one.values()))) if names else 1, np.int64) for one in named]
    size = 1
    for name in names:
        many = 1 + max(int(one[name].max(initial=0)) for one in named)
        size *= many
        if size >= 2**62:
            raise OverflowError(f"more combinations of {names} than can be counted")
        for code, one in zip(found, named):
            code *= many
            code += one[name]
    return found


def constant(length: int, value: float) -> Floats:
    """Return an array of one number."""
    return np.full(length, value)
