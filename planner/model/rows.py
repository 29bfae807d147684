"""Rows: what a family of constraints returns."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from planner.model.sets import Floats, Ints


@dataclass(frozen=True)
class Rows:
    """The rows of one family: bounds, sparse entries, and what each row is about.

    ``index`` names each row by numbers into Sets (need, slot, deployment, ...). ``row`` counts from 0 in the family.
    """

    family: str
    index: Mapping[str, Ints]
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
    """Entries that belong to rows named by a key: ``key`` (any numbers), ``column``, ``value``."""

    key: Ints
    column: Ints
    value: Floats


def rows_by_key(
    family: str, index: Mapping[str, Ints], key: Ints, lower: Floats, upper: Floats, terms: list[Term]
) -> Rows:
    """Make one row for each key; an entry goes to the row with its key, entries of unknown keys are dropped.

    ``key`` must be sorted and unique; ``index``, ``lower`` and ``upper`` follow its order.
    """
    row, column, value = [], [], []
    for term in terms:
        at = np.searchsorted(key, term.key)
        at_or_last = np.minimum(at, max(len(key) - 1, 0))
        known = (at < len(key)) & (key[at_or_last] == term.key) if len(key) else np.zeros(len(term.key), bool)
        row.append(at[known])
        column.append(term.column[known])
        value.append(term.value[known])
    return Rows(
        family,
        index,
        lower,
        upper,
        np.concatenate(row) if row else np.empty(0, np.int64),
        np.concatenate(column) if column else np.empty(0, np.int64),
        np.concatenate(value) if value else np.empty(0),
    )


def constant(length: int, value: float) -> Floats:
    """Return an array of one number."""
    return np.full(length, value)
