"""Columns of numbers under keys, so that tables of two plans are laid side by side without a join for each column."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from planner.plan.flows import Bools, Floats, Ints

Key = tuple[str, ...]


@dataclass(frozen=True)
class Keyed:
    """A table: `keys` name its rows, each of `columns` has a value (or a row of values) for each key."""

    keys: tuple[Key, ...]
    columns: Mapping[str, Floats]

    @cached_property
    def place(self) -> dict[Key, int]:
        """Row of each key."""
        return {key: k for k, key in enumerate(self.keys)}

    def rows_of(self, keys: Iterable[Key]) -> Ints:
        """Row of each of the keys; -1: none."""
        place = self.place
        return np.array([place.get(key, -1) for key in keys], dtype=np.int64)

    def take(self, name: str, rows: Ints, missing: float = np.nan) -> Floats:
        """Values of a column at rows of `rows_of`; `missing` where there is no row."""
        column = self.columns[name]
        filler = np.full((1, *column.shape[1:]), missing)
        found: Floats = np.concatenate([column, filler])[rows]
        return found

    def where(self, kept: Bools) -> "Keyed":
        """Rows for which `kept` is true."""
        keys = tuple(key for key, keep in zip(self.keys, kept.tolist(), strict=True) if keep)
        return Keyed(keys, {name: column[kept] for name, column in self.columns.items()})


def codes(keys: Sequence[Key]) -> tuple[Ints, int]:
    """Give distinct keys numbers; returns the number of each key, and how many there are."""
    seen: dict[Key, int] = {}
    found = np.array([seen.setdefault(key, len(seen)) for key in keys], dtype=np.int64)
    return found, len(seen)
