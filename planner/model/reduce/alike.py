"""Cases that differ in numbers alone fall into the same parts, in which the same slots are equal.

What ties needs, months and slots together are names, zeros and blanks: which way serves which need, which quota is
limited, which hours have demand. Where a case has the same of all of these as another one, each of its parts is that
one's part with the case's own demand, prices, quotas, stress cases and units for sale. Equal slots are compared again,
and which ways no optimum needs is worked out again where a price or a quota differs. Anything else that differs, also
an input that only a rule of one's own reads, makes the case another one: `like` returns None, and it is split afresh.
So it is wherever a rule claims nothing of its rows: it may read any of these numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from planner.model.family import Cell
from planner.model.program import families_of
from planner.model.reduce.components import parts_to_solve
from planner.model.reduce.slots import merge_slots, prune
from planner.model.rows import number_in
from planner.model.sets import Bools, Ints, Sets, StressScale
from planner.model.waiting import waits
from planner.schema.base import Row
from planner.schema.case import Case
from planner.schema.settings import PlanSettings

WAY = ["origin", "workload", "model", "region", "supply", "reserved"]
NUMBERS: Mapping[str, tuple[str, ...]] = {
    "slots": (),
    "needs": ("usable",),
    "shares": (),
    "arcs": ("usd", "egress_usd"),
    "loads": (),
    "deployments": (),
    "meters": (),
    "quotas": ("tokens_per_minute",),
    "purchases": ("usd_per_unit", "committed_usd_per_unit", "min_units", "max_units"),
    "caps": (),
}  # columns of each table in which like cases may differ
INPUTS: Mapping[str, frozenset[str]] = {
    "offers": frozenset(("usd_per_unit_hour", "upfront_usd_per_unit", "list_usd_per_unit_hour", "min_units",
                         "max_units")),
    "on_demand": frozenset(("usd_per_mtok_input", "usd_per_mtok_cached_input", "usd_per_mtok_cache_write",
                            "usd_per_mtok_output", "tokens_per_minute_quota")),
}  # fmt: skip  # columns of a case's tables in which they may differ: what the tables of Sets have of them
OWN = ("settings", "demand", *INPUTS)  # compared apart; in anything else of a case they may not differ
POLICY = ("headroom", "reserved_headroom", "failover", "egress", "tail_value", "max_commitment_usd",
          "max_commitment_whole_term_usd")  # fmt: skip


@dataclass(frozen=True)
class Part:
    """A part as it is split off, and reduced (equal slots merged, ways that no optimum needs left out)."""

    sets: Sets
    reduced: Sets


@dataclass(frozen=True)
class _Place:
    """Rows of the whole that a part holds; its periods; the merged slot of each of its slots that is used."""

    needs: Ints
    arcs: Ints
    meters: Ints
    quotas: Ints
    purchases: Ints
    periods: Ints
    slots: Ints
    used: Ints
    merged: Ints


@dataclass(frozen=True)
class Split:
    """The parts of a whole, and where each stands in it."""

    whole: Sets
    parts: tuple[Part, ...]
    _places: tuple[_Place, ...]

    @classmethod
    def of(cls, sets: Sets) -> "Split":
        """Split and reduce a whole."""
        parts = tuple(Part(part, prune(merge_slots(part))) for part in parts_to_solve(sets))
        return cls(sets, parts, tuple(_place(sets, part) for part in parts))

    def like(self, sets: Sets) -> "Split | None":
        """Return the parts of a case that differs in numbers alone; None where it may fall into others."""
        if _reads_anything(sets) or not _same_names(self.whole, sets):
            return None
        parts = []
        for old, place in zip(self.parts, self._places, strict=True):
            part = _renewed(old.sets, sets, place)
            demand = part.demand[:, place.used]
            first = np.array([members[0] for members in old.reduced.members], dtype=np.int64)
            if not np.array_equal(demand, part.demand[:, first][:, place.merged]):
                return None
            parts.append(Part(part, _reduced(old, part, first)))
        return Split(sets, tuple(parts), self._places)


def _place(whole: Sets, part: Part) -> _Place:
    sets = part.sets
    period = np.array([whole.periods.index(name) for name in sets.periods], dtype=np.int64)
    bought = sets.purchases.assign(period=period[sets.purchases["period"].to_numpy(int)])
    members = part.reduced.members
    return _Place(
        needs=number_in(whole.needs, ["origin", "workload"], sets.needs),
        arcs=number_in(whole.arcs, WAY, sets.arcs),
        meters=number_in(whole.meters, ["pool", "meter"], sets.meters),
        quotas=number_in(whole.quotas, ["region", "model", "option"], sets.quotas),
        purchases=number_in(whole.purchases, ["offer", "period"], bought),
        periods=period,
        slots=sets.in_whole(np.arange(len(sets.slots))),
        used=np.concatenate([np.empty(0, np.int64), *members]),
        merged=np.repeat(np.arange(len(members)), [len(m) for m in members]),
    )


def _renewed(old: Sets, whole: Sets, at: _Place) -> Sets:
    """Put the numbers of a whole into one of its parts."""
    return replace(
        old,
        needs=_with(old.needs, whole.needs, at.needs, "needs"),
        demand=whole.demand[np.ix_(at.needs, at.slots)],
        arcs=_with(old.arcs, whole.arcs, at.arcs, "arcs"),
        quotas=_with(old.quotas, whole.quotas, at.quotas, "quotas"),
        purchases=_with(old.purchases, whole.purchases, at.purchases, "purchases"),
        paid_usd=whole.paid_usd[np.ix_(at.purchases, at.periods)],
        cases=tuple(case.of_needs(at.needs).of_periods(at.periods) for case in whole.cases),
        max_away_share=whole.max_away_share,
        budget_usd=whole.budget_usd,
        left_out=whole.left_out,
        case=whole.case,
    )


def _with(old: pd.DataFrame, whole: pd.DataFrame, rows: Ints, table: str) -> pd.DataFrame:
    """Return a part's table with the whole's numbers, the same object where they are the same."""
    new = {name: whole[name].to_numpy()[rows] for name in NUMBERS[table]}
    new = {name: values for name, values in new.items() if not np.array_equal(values, old[name].to_numpy())}
    return old.assign(**new) if new else old


def _reduced(old: Part, part: Sets, first: Ints) -> Sets:
    """Reduce a part as the like one was; which ways no optimum needs only where what decides it differs."""
    was, now = old.sets, part
    merged = replace(
        old.reduced, needs=part.needs, demand=part.demand[:, first], quotas=part.quotas, purchases=part.purchases,
        paid_usd=part.paid_usd, cases=part.cases, max_away_share=part.max_away_share, budget_usd=part.budget_usd,
        left_out=part.left_out, case=part.case,
    )  # fmt: skip
    same = now.arcs is was.arcs and now.quotas is was.quotas and now.left_out == was.left_out
    if same and _closed(now) == _closed(was) and not waits(now):
        return merged
    return prune(replace(merged, arcs=part.arcs))


def _closed(sets: Sets) -> bool:
    return sets.max_away_share is not None and sets.max_away_share <= 0


def same_part(old: Sets, new: Sets) -> bool:
    """Whether two reduced parts have the same programme, told from their tables: quicker than to state it.

    Their cases may differ in bounds of rows that are left out of both.
    """
    if old is new:
        return True
    if old.case is None or new.case is None or _reads_anything(new):
        return False
    bounds = {family.relaxed_by.column for family in families_of(new) if isinstance(family.relaxed_by, Cell)}
    apart = tuple(name for name in _BOUNDS if f"policy.{name}" not in bounds)
    tables = (f.name for f in fields(Sets) if f.name not in ("case", "budget_usd", "max_away_share"))
    if not all(_same_value(getattr(old, name), getattr(new, name)) for name in tables):
        return False
    inputs = (f.name for f in fields(Case) if f.name != "settings")
    return all(_same_value(getattr(old.case, name), getattr(new.case, name)) for name in inputs) and (
        old.case.settings is new.case.settings
        or _but_for(old.case.settings, apart) == _but_for(new.case.settings, apart)
    )


def _reads_anything(sets: Sets) -> bool:
    """Whether a family is stated that claims nothing: what it reads is not known, nor where it will have rows."""
    return any(not family.allows for family in families_of(sets))


_BOUNDS = ("max_commitment_usd", "max_commitment_whole_term_usd", "egress.max_cross_region_share")  # of one row each


def _but_for(settings: PlanSettings, names: Sequence[str]) -> dict[str, Any]:
    """Return the settings without some of the policy."""
    told: dict[str, Any] = settings.model_dump()
    for name in names:
        inner, _, last = f"policy.{name}".rpartition(".")
        place = told
        for step in inner.split("."):
            place = place[step]
        del place[last]
    return told


def _same_value(old: object, new: object) -> bool:
    """Whether two values are equal; of tables only whether they are the same one."""
    if old is new:
        return True
    if isinstance(old, np.ndarray) and isinstance(new, np.ndarray):
        return old.shape == new.shape and _equal(old, new)
    if isinstance(old, pd.DataFrame | pd.Series | np.ndarray):
        return False
    if isinstance(old, tuple) and isinstance(new, tuple):
        return len(old) == len(new) and all(map(_same_value, old, new))
    if isinstance(old, StressScale) and isinstance(new, StressScale):
        return all(_same_value(getattr(old, f.name), getattr(new, f.name)) for f in fields(StressScale))
    return not (is_dataclass(old) or is_dataclass(new)) and bool(old == new)


# -- whether two cases are alike -------------------------------------------------------------------------------------
def _same_names(old: Sets, new: Sets) -> bool:
    """Whether all that tells parts and equal slots apart is the same."""
    if old.case is None or new.case is None or new.has_size_rules or old.whole_units != new.whole_units:
        return False
    if not _same_inputs(old.case, new.case):
        return False
    others = (getattr(sets, name) for sets in (old, new) for name in ("keep", "tolls", "risk", "spend"))
    if any(one is not None for one in others):
        return False
    return (
        all(same_table(getattr(old, name), getattr(new, name), numbers) for name, numbers in NUMBERS.items())
        and np.array_equal(old.demand > 0, new.demand > 0)
        and all(np.array_equal(a, b) for a, b in zip(_patterns(old), _patterns(new), strict=True))
        and np.array_equal(old.earlier, new.earlier)
        and np.array_equal(old.quota_load, new.quota_load)
        and np.array_equal(old.price_times, new.price_times)
        and (old.max_away_share is None) == (new.max_away_share is None)
    )


def _patterns(sets: Sets) -> list[Bools]:
    """Tell where numbers are blank or zero."""
    quota = sets.quotas["tokens_per_minute"].to_numpy(float)
    return [np.isfinite(quota), quota > 0]


def _same_inputs(old: Case, new: Case) -> bool:
    """Whether cases differ in nothing but what `_renewed` puts in again."""
    if any(getattr(old, f.name) != getattr(new, f.name) for f in fields(Case) if f.name not in OWN):
        return False
    for table, numbers in INPUTS.items():
        rows = (old.rows(table), new.rows(table))
        one, other = ([_without(row, numbers) for row in of_case] for of_case in rows)
        if one != other:
            return False
    return old.settings is new.settings or _fixed(old.settings) == _fixed(new.settings)


def _without(row: Row, columns: frozenset[str]) -> dict[str, Any]:
    """Return the cells of a row but for some columns."""
    return {name: value for name, value in row if name not in columns}


def _fixed(settings: PlanSettings) -> dict[str, Any]:
    told: dict[str, Any] = settings.model_dump()
    told["policy"] = {name: value for name, value in told["policy"].items() if name not in POLICY}
    return told


def same_table(old: pd.DataFrame, new: pd.DataFrame, numbers: Sequence[str]) -> bool:
    """Whether two tables are the same but for some columns."""
    if old is new:
        return True
    names = [name for name in old if name not in numbers]
    if len(old) != len(new) or list(old) != list(new):
        return False
    return all(_equal(old[name].to_numpy(), new[name].to_numpy()) for name in names)


def _equal(old: np.ndarray, new: np.ndarray) -> bool:
    return np.array_equal(old, new, equal_nan=old.dtype.kind == "f" and new.dtype.kind == "f")
