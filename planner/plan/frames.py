"""The plan's tables, each declared once: columns, type, unit, meaning; docs/plan-files.md is made from it. And joins.

DISPATCH.columns            names, in order
DISPATCH.empty()            a table without rows
DISPATCH.check(frame)       raises where a column is missing or holds no numbers
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from planner.errors import PlannerError

TEXT: Final = "text"  # object in memory, dictionary-encoded in a file
WHOLE: Final = "int64"
NUMBER: Final = "double"
FLAG: Final = "bool"
MOMENT: Final = "time"  # UTC
_DTYPES: Final = {TEXT: "object", WHOLE: "int64", NUMBER: "float64", FLAG: "bool", MOMENT: "datetime64[us, UTC]"}

ARRIVED: Final = "arrived_hour_of_week"  # a column of the dispatch


@dataclass(frozen=True)
class Field:
    """One column of a table: type (TEXT, WHOLE, NUMBER, FLAG or MOMENT), unit ("" where it has none) and meaning."""

    name: str
    kind: str
    meaning: str
    unit: str = ""


@dataclass(frozen=True)
class Frame:
    """One table: what makes a row, and its columns, of which ``optional`` ones are there where they say something."""

    name: str
    row: str
    declared: tuple[Field, ...]
    optional: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that are always there, in order."""
        return tuple(column.name for column in self.declared if column.name not in self.optional)

    @property
    def texts(self) -> tuple[str, ...]:
        """Names of the columns that hold text."""
        return tuple(column.name for column in self.declared if column.kind == TEXT)

    @property
    def dtypes(self) -> dict[str, str]:
        """Type of each column in memory."""
        return {column.name: _DTYPES[column.kind] for column in self.declared}

    def only(self, name: str, row: str, columns: Iterable[str]) -> "Frame":
        """Declare a table of some of these columns."""
        by_name = {column.name: column for column in self.declared}
        return Frame(name, row, tuple(by_name[column] for column in columns))

    def of(self, rows: Sequence[Sequence[object]]) -> pd.DataFrame:
        """Make the table of rows that are in the order of the columns."""
        if not rows:
            return self.empty()
        numbers = {
            name: dtype
            for name, dtype in self.dtypes.items()
            if name in self.columns and name not in self.texts and not dtype.startswith("datetime")
        }
        return pd.DataFrame(rows, columns=list(self.columns)).astype(numbers)

    def empty(self) -> pd.DataFrame:
        """Return the table without rows."""
        return pd.DataFrame({name: pd.Series(dtype=self.dtypes[name]) for name in self.columns})

    def check(self, frame: pd.DataFrame) -> None:
        """Accept a table that has these columns, numbers where they belong; others may stand beside them.

        Raises
        ------
        ValueError
            with the table's name and every column that is missing or holds no numbers.
        """
        missing = [name for name in self.columns if name not in frame]
        wrong = [
            column.name
            for column in self.declared
            if len(frame) and column.name in frame and column.kind not in (TEXT, MOMENT)
            and not pd.api.types.is_numeric_dtype(frame[column.name])
        ]  # fmt: skip
        said = [f"lacks {', '.join(missing)}"] if missing else []
        said += [f"holds no numbers in {', '.join(wrong)}"] if wrong else []
        if said:
            raise ValueError(f"the table {self.name} {' and '.join(said)}")


_PERIOD = Field("period", TEXT, "month")
_SCENARIO = Field("scenario", TEXT, "scenario")
_POOL = Field("pool", TEXT, "pool")
_METER = Field("meter", TEXT, "what its units count")
_WAY = (
    Field("origin", TEXT, "region where the demand arises"),
    Field("workload", TEXT, "workload"),
    Field("model", TEXT, "model that serves it"),
    Field("region", TEXT, "region where it is served"),
    Field("supply", TEXT, "the pool, or the on-demand option"),
)

PURCHASES = Frame("purchases", "one row for each offer bought at the start of a month", (
    Field("offer", TEXT, "what is bought"),
    Field("period", TEXT, "month at whose start it is bought"),
    Field("units", NUMBER, "units", "units"),
    Field("usd", NUMBER, "what they cost inside the horizon", "USD"),
))  # fmt: skip

DEPLOYMENTS = Frame("deployments", "one row for each pool, meter and model in a month", (
    _POOL,
    _METER,
    Field("model", TEXT, "the model they are set aside for; `*`: all models of a pool whose units move by the hour"),
    _PERIOD,
    Field("units", NUMBER, "units deployed, committed or not", "units"),
))  # fmt: skip

DISPATCH = Frame("dispatch", "one row for each flow that is not 0", (
    *_WAY,
    _SCENARIO,
    _PERIOD,
    Field("hour_of_week", WHOLE, "0 = Monday 00:00 UTC, to 167", "hour"),
    Field("requests_per_hour", NUMBER, "what is served", "requests/hour"),
    Field(ARRIVED, WHOLE, "hour of the week in which it arose: `hour_of_week` where nothing waited. Only where "
          "some workload has `deadline_hours`", "hour"),
), optional=(ARRIVED,))  # fmt: skip

SCALED_UNITS = Frame("scaled_units", "one row for each deployment and hour in which units run by the hour", (
    _POOL,
    _METER,
    Field("model", TEXT, "the model that they serve; `*`: all models of a pool whose units move by the hour"),
    _SCENARIO,
    _PERIOD,
    Field("hour_of_week", WHOLE, "0 = Monday 00:00 UTC, to 167", "hour"),
    Field("units", NUMBER, "units that run in the hour beside the deployed ones", "units"),
))  # fmt: skip

STRESS = Frame("stress", "one row for each hour of a group, and for each flow of its routing", (
    Field("case", TEXT, "`headroom`, or `failover` and the region that is lost"),
    Field("group", WHOLE, "number of the group within the case"),
    Field("scenario", TEXT, "rows of hours: scenario"),
    _PERIOD,
    Field("hour_of_week", WHOLE, "rows of hours: hour of the week", "hour"),
    *(Field(c.name, c.kind, f"rows of routings: {c.meaning}", c.unit) for c in _WAY),
    Field("requests_per_hour", NUMBER, "rows of routings: what is served", "requests/hour"),
))  # fmt: skip
STRESS_SLOTS = STRESS.only("stress_slots", "one row for each hour that a group covers",
                           ("case", "group", "scenario", "period", "hour_of_week"))  # fmt: skip
STRESS_DISPATCH = STRESS.only(
    "stress_dispatch", "one row for each flow of a group's routing",
    ("case", "group", "period", "origin", "workload", "model", "region", "supply", "requests_per_hour"),
)  # fmt: skip

STRESS_RENTS = Frame("stress_rents", "one row for each hour in which one more unit has a worth", (
    Field("case", TEXT, "blank: worth to ordinary use (rule 4); else worth to this stress case (rule 8)"),
    _POOL,
    _METER,
    Field("model", TEXT, "model of the deployment, or `*`"),
    _SCENARIO,
    _PERIOD,
    Field("hour_of_week", WHOLE, "hour of the week; of a stress case, the hour that sets its need", "hour"),
    Field("usd_per_unit", NUMBER, "worth of one more unit, all such hours of the month together", "USD/unit"),
))  # fmt: skip
RENTS = STRESS_RENTS.only("rents", STRESS_RENTS.row, STRESS_RENTS.columns[1:])

CERTIFICATE = Frame("certificate", "one row for each price", (
    Field("kind", TEXT, "the rule that it prices"),
    Field("ray", WHOLE, "number of the ray of rule 8"),
    Field("case", TEXT, "stress case"),
    Field("origin", TEXT, "origin"),
    Field("workload", TEXT, "workload"),
    Field("model", TEXT, "model, or `*`"),
    Field("region", TEXT, "region (of `egress`: the destination)"),
    Field("supply", TEXT, "the pool, or the on-demand option"),
    Field("meter", TEXT, "what the pool's units count"),
    _SCENARIO,
    _PERIOD,
    Field("hour_of_week", WHOLE, "hour of the week", "hour"),
    Field("price", NUMBER, "of the rule's unit: thousand requests per hour, unit, token per minute, GB, thousand "
                            "requests, USD", "USD"),
))  # fmt: skip


Ints = npt.NDArray[np.int64]
_FEW = 1000  # values that are looked up one by one


def encode(values: pd.Series, names: Sequence[str]) -> Ints:
    """Find each value's number in ``names``; -1 where it is not one of them.

    Raises
    ------
    ValueError
        if a name is there twice.
    """
    number = {name: k for k, name in enumerate(names)}
    if len(number) < len(names):
        raise ValueError("a name is listed twice")
    if isinstance(values.dtype, pd.CategoricalDtype):
        codes, distinct = values.cat.codes.to_numpy(), values.cat.categories
    elif len(values) <= _FEW:
        return np.array([number.get(value, -1) for value in values.tolist()], np.int64)
    else:
        codes, distinct = pd.factorize(values)
    return np.array([*(number.get(value, -1) for value in distinct.tolist()), -1], np.int64)[codes]


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
        own, names = pd.factorize(table[column])
        code = encode(rows[column], names.tolist())
        wanted = np.where((code < 0) | (wanted < 0), -1, wanted * len(names) + code)
        known = known * len(names) + own
    return wanted, known
