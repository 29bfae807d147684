"""Units that run by the hour, beside the deployed units of rule 4: what starts, and how many a pool may run.

What starts is max(0, a[t] − a[t−1]). It costs something, so the programme need only bound it from below; but where a
dollar spent counts for several contracts, it would start more than that. There it is bounded from above too, by the
least concave function above it where no more than max_scaled_units run: min(a[t], max_scaled_units − a[t−1]).
"""

import numpy as np

from planner.model.columns import Columns, counted_twice
from planner.model.family import EVERY_REDUCTION, Asked, Cell, Family, Reduction, Relaxed, Spans
from planner.model.objective import scaled_unit_usd
from planner.model.rows import Rows, Term, joined, no_rows
from planner.model.sets import Bools, Floats, Ints, Sets
from planner.model.waiting import Weeks


def start(sets: Sets, at: Columns) -> Rows:
    r"""Start what runs beyond the hour before, the week being a circle.

    a[d,t] − a[d,t−1] − g[d,t]  ≤  0            for each deployment d whose starts cost something, slot t       [units]
    """
    deployment, slot = np.nonzero(at.started >= 0)
    if not len(deployment):
        return no_rows("start", "deployment", "slot")
    where = {"deployment": deployment, "slot": slot}
    before = Weeks.of(sets).later(-1)[slot]
    terms = [
        Term(where, at.scaled[deployment, slot], 1.0),
        Term(where, at.scaled[deployment, before], -1.0),
        Term(where, at.started[deployment, slot], -1.0),
    ]
    return joined("start", where, (-np.inf, 0.0), terms)


START = Family(
    name="start",
    rule="4",
    rows=start,
    spans=Spans.WEEK,
    dual="what it is worth that a unit is warm already, USD",
    relaxed_by=Relaxed.NEVER,
    allows=EVERY_REDUCTION - {Reduction.SLOTS},  # two hours of equal demand are not equal: what ran before differs
    kinds=("", "start"),
)


def start_runs(sets: Sets, at: Columns) -> Rows:
    r"""Start no more than runs, where what it costs counts for several contracts.

    g[d,t] − a[d,t]  ≤  0            for each deployment d whose starts count for several contracts, slot t      [units]
    """
    deployment, slot = np.nonzero(_starts_counted_twice(sets, at))
    where = {"deployment": deployment, "slot": slot}
    terms = [
        Term(where, at.started[deployment, slot], 1.0),
        Term(where, at.scaled[deployment, slot], -1.0),
    ]
    return joined("start_runs", where, (-np.inf, 0.0), terms) if len(slot) else no_rows("start_runs", *where)


RUNS = Family(
    name="start_runs",
    rule="4",
    rows=start_runs,
    spans=Spans.SLOT,
    dual="what one more unit that runs would save, could it start again, USD",
    relaxed_by=Relaxed.NEVER,
    allows=EVERY_REDUCTION,
    kinds=("", "start_runs"),
)


def start_limit(sets: Sets, at: Columns) -> Rows:
    r"""Start no more than the pool's limit leaves beside what ran in the hour before.

    g[d,t] + a[d,t−1]  ≤  max_scaled_units        for each deployment d whose starts count for several contracts and
                                                  whose pool has a limit, slot t, the week being a circle       [units]
    """
    limit = sets.meters["max_scaled_units"].to_numpy(float)[sets.deployments["meter_row"].to_numpy(int)]
    deployment, slot = np.nonzero(_starts_counted_twice(sets, at) & np.isfinite(limit)[:, None])
    where = {"deployment": deployment, "slot": slot}
    if not len(slot):
        return no_rows("start_limit", *where)
    terms = [
        Term(where, at.started[deployment, slot], 1.0),
        Term(where, at.scaled[deployment, Weeks.of(sets).later(-1)[slot]], 1.0),
    ]
    return joined("start_limit", where, (-np.inf, limit[deployment]), terms)


START_LIMIT = Family(
    name="start_limit",
    rule="4",
    rows=start_limit,
    spans=Spans.WEEK,
    dual="what it would save to stop one more unit in the hour before, so that it may start again, USD",
    relaxed_by=Relaxed.NEVER,
    allows=EVERY_REDUCTION - {Reduction.SLOTS},  # as `start`
    kinds=("", "start_limit"),
)


def _starts_counted_twice(sets: Sets, at: Columns) -> Bools:
    """Whether what starts costs something that counts for several contracts: array deployments x slots."""
    meter = sets.deployments["meter_row"].to_numpy(int)
    found: Bools = (at.started >= 0) & counted_twice(sets)[meter][:, sets.slot_period]
    return found


def scaled_limit(sets: Sets, at: Columns) -> Rows:
    r"""Run no more units of a pool by the hour than it allows.

    Σ_{deployments d of the pool} a[d,τ]  ≤  max_scaled_units        for each pool with a limit, slot τ       [units]
    """
    meter = sets.deployments["meter_row"].to_numpy(int)
    first = _first_meter(sets)
    limit = sets.meters["max_scaled_units"].to_numpy(float)
    deployment, slot = np.nonzero((at.scaled >= 0) & np.isfinite(limit[meter])[:, None])
    if not len(deployment):
        return no_rows("scaled_limit", "meter", "slot")
    where = {"meter": first[meter[deployment]], "slot": slot}
    pairs = np.unique(np.column_stack([where["meter"], slot]), axis=0)
    index = {"meter": pairs[:, 0], "slot": pairs[:, 1]}
    terms = [Term(where, at.scaled[deployment, slot], 1.0)]
    return joined("scaled_limit", index, (-np.inf, limit[index["meter"]]), terms)


LIMIT = Family(
    name="scaled_limit",
    rule="4",
    rows=scaled_limit,
    spans=Spans.SLOT,
    dual="what one more unit that may run by the hour would save, USD",
    relaxed_by=Cell("pools", "max_scaled_units", "units", (("pool", "supply"),), Asked.SELLER),
    allows=EVERY_REDUCTION,
    kinds=("", "scaled_limit"),
)


def _first_meter(sets: Sets) -> Ints:
    """Row of the first meter of each meter's pool."""
    pools = sets.meters["pool"].to_numpy(object)
    first = {pool: k for k, pool in reversed(list(enumerate(pools)))}
    return np.array([first[pool] for pool in pools], dtype=np.int64)


def started_units(sets: Sets, scaled: Floats) -> Floats:
    """Units that start in each slot where so many run by the hour: arrays deployments x slots."""
    if not scaled.size:
        return scaled
    found: Floats = np.maximum(scaled - scaled[:, Weeks.of(sets).later(-1)], 0.0)
    return found


def scaled_units_usd(sets: Sets, scaled: Floats) -> float:
    """Price units that run by the hour, starts included, USD; array deployments x slots."""
    run_usd, start_usd = scaled_unit_usd(sets)
    return float((run_usd * scaled + start_usd * started_units(sets, scaled)).sum())
