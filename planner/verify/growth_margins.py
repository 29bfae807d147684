"""The margin of a stress case: the largest uniform growth of demand that the plan's own units still serve.

In one slot τ, with stressed demand d[c] of each class of origins, the least share s of everything that stands (units
and the quotas that count) that serves it is a linear programme:

    s(d) = min s     Σ_way y = d[c]     y[model] within its shares     load of each unit and quota ≤ s · what stands

Every row is homogeneous, so demand may grow to 1/s(d) times itself, and the margin of the case is the least of
1/s − 1 over all slots. No bisection, and few programmes, for s is convex, monotone and homogeneous:

- prices μ of one slot bound every other from below, s(d') ≥ μ·d': they lead to the slot that binds;
- s(d') ≤ s(d) · max d'/d: slots of like shape are settled by one;
- the envelope of a group (the largest demand of each class) needs at least what each of its slots needs: a group whose
  envelope needs no more than the binding slot is settled whole, any other is cut in two.

Growth of one workload alone, the others as they are, is the programme max t with t · d[c] for the classes of that
workload and s = 1. It is bounded from above by prices, t ≤ (1 − μ·d[others]) / μ·d[own], and settled by envelopes.

Below 0 a margin says by how much all demand would have to be cut alike. Fewer requests go unserved where those that
could be served are not cut: the fewest of the binding slot are max Σ y with Σ_way y ≤ d[c] and s = 1.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from planner.plan.audit.findings import BROKEN, TOLERANCE
from planner.plan.flows import Names, deployed_units
from planner.plan.reading import Reading
from planner.plan.stress_cases import LOAD_COLUMNS, Margin, StressCase, WorkloadMargin
from planner.units import HOURS_PER_WEEK
from planner.verify.linear import Floats, Ints
from planner.verify.margin_programme import EQUAL, Layout, MarginServer, Worst, no_load
from planner.verify.stress_proof import Reach, parts_of, reach_of

_ALMOST = 0.98  # growth that may be 1 but for rounding
MOST_WORKLOAD_MARGINS = 500  # workloads x cases x kinds of months: beyond it single workloads are not looked at


def margins_of(
    reading: Reading, units: Floats | None = None, *, workloads: bool = True, asked: "Sequence[Asked] | None" = None,
    deadline: float = np.inf,
) -> tuple[Margin, ...]:  # fmt: skip
    """Find the margin of every stress case of a plan.

    Parameters
    ----------
    reading : the case and the plan; of the plan only the deployments are looked at.
    units : deployments x periods; None: the plan's. workloads : also of each workload alone.
    asked : `asked_of` the reading, if the caller has it.
    deadline : in seconds of time.monotonic.

    Returns
    -------
    One margin a stress case, in the order of `reading.stress_cases`; the first of them that could be found until the
    deadline.
    """
    names = reading.names
    asked = asked_of(reading) if asked is None else asked
    units = deployed_units(names, reading.plan.deployments) if units is None else units
    kinds = len(np.unique(units, axis=1).T) if units.size else 1
    each = workloads and len(names.workloads) * len(reading.stress_cases) * kinds <= MOST_WORKLOAD_MARGINS
    found: list[Margin] = []
    for of_case in asked:
        if time.monotonic() >= deadline:
            break
        found += _margin(reading, of_case, units, each=each, deadline=deadline)
    return tuple(found)


def broken_cases(
    reading: Reading, asked: "Sequence[Asked]", units: Floats, deadline: float = np.inf
) -> list[str] | None:
    """Name the stress cases that some units (deployments x periods) do not serve, as `margins_of` would find.

    Only slots that need more than what stands are looked for, so that mostly a programme or two a part are solved.
    None where the deadline (or that of `asked_of`) comes before the last case.
    """
    found: list[str] = []
    for of_case in asked:
        if time.monotonic() >= deadline:
            return None
        if _is_broken(reading, of_case, units):
            found.append(of_case.stressed.name)
    return found if len(asked) == len(reading.stress_cases) else None


@dataclass(frozen=True)
class Asked:
    """What a stress case asks for, whatever units stand: demand by class and slot, and the ways of each part."""

    stressed: StressCase
    reach: Reach
    wanted: Floats
    layouts: "tuple[tuple[Ints, Layout], ...]"


def asked_of(reading: Reading, deadline: float = np.inf) -> tuple[Asked, ...]:
    """Work out what every stress case asks for, in the order of `reading.stress_cases`; the first until a deadline."""
    found: list[Asked] = []
    for stressed in reading.stress_cases:
        if time.monotonic() >= deadline:
            break
        reach = reach_of(reading.case, reading.derived, reading.names, stressed)
        wanted = reach.class_demand(reading.demand * stressed.need_factor[:, None])
        found.append(Asked(stressed, reach, wanted, _layouts(reading, stressed, reach, wanted)))
    return tuple(found)


def _layouts(reading: Reading, stressed: StressCase, reach: Reach, wanted: Floats) -> "tuple[tuple[Ints, Layout], ...]":
    case, names = reading.case, reading.names
    return tuple(
        (part, Layout.of(case, names, stressed, reach, part)) for part in parts_of(reach) if wanted[part].any()
    )


def _is_broken(reading: Reading, asked: Asked, units: Floats) -> bool:
    best = Worst(-1, 1.0)
    for server in _servers(reading.names, asked, units):
        server.worst(best)
        if best.share * _ALMOST >= 1:
            return True
    return best.slot >= 0 and 1 / best.share < 1 - BROKEN and not _within_tolerance(reading, asked, units)


def _margin(reading: Reading, of_case: Asked, units: Floats, *, each: bool, deadline: float) -> list[Margin]:
    """Find the margin of a stress case; none where the deadline comes first."""
    names, stressed, reach, wanted = reading.names, of_case.stressed, of_case.reach, of_case.wanted
    asked = wanted.sum(axis=0)
    if not asked.any():
        return [Margin(stressed, -1, 0.0, float("nan"), pd.DataFrame(columns=list(LOAD_COLUMNS)))]
    servers = list(_servers(names, of_case, units))
    best = Worst(int(np.argmax(asked)), 0.0)
    for server in servers:
        if time.monotonic() >= deadline:
            return []
        server.worst(best)
    growth = np.inf if best.share <= 0 else 0.0 if np.isinf(best.share) else 1 / best.share
    if _ALMOST < growth < 1 and _within_tolerance(reading, of_case, units):
        growth = 1.0
    workloads = tuple(_workloads(names, reach, servers, growth)) if each else ()
    load = pd.concat([s.load(best.slot) for s in servers if best.slot in s.slots] or [no_load()], ignore_index=True)
    keys = [name for name in LOAD_COLUMNS if name != "requests_per_hour"]
    summed = load.groupby(keys, as_index=False)[["requests_per_hour"]].sum()
    unserved = sum(s.fewest_unserved(best.slot) for s in servers if best.slot in s.slots) if growth < 1 else 0.0
    return [
        Margin(stressed, best.slot, float(asked[best.slot]), growth, summed[list(LOAD_COLUMNS)], workloads, unserved)
    ]


def _servers(names: Names, asked: Asked, units: Floats) -> "Iterator[MarginServer]":
    """One programme a part and kind of month (months in which the same units stand)."""
    period, wanted = np.arange(names.slot_count) // HOURS_PER_WEEK % len(names.periods), asked.wanted
    for part, layout in asked.layouts:
        standing = units[layout.deployments]
        kinds, of_period = np.unique(standing, axis=1, return_inverse=True)
        for kind in range(kinds.shape[1]):
            slots = np.flatnonzero((of_period.reshape(-1) == kind)[period])
            slots = slots[wanted[np.ix_(part, slots)].sum(axis=0) > 0]
            if len(slots):
                yield MarginServer(layout, kinds[:, kind], wanted[np.ix_(part, slots)], slots)


def _within_tolerance(reading: Reading, asked: Asked, units: Floats) -> bool:
    """Whether the case holds by the audit's tolerance: units are rounded when they are written."""
    quota_tpm = asked.stressed.quota_tpm
    wider = replace(asked.stressed, quota_tpm=quota_tpm * (1 + TOLERANCE) + TOLERANCE * (quota_tpm > 0))
    wide = replace(asked, stressed=wider, layouts=_layouts(reading, wider, asked.reach, asked.wanted))
    best = Worst(-1, 0.0)
    for server in _servers(reading.names, wide, units * (1 + TOLERANCE) + TOLERANCE):
        server.worst(best)
    return best.share <= 1 + TOLERANCE


def _workloads(names: Names, reach: Reach, servers: list[MarginServer], growth: float) -> Iterator[WorkloadMargin]:
    """Growth of each workload that asks for something, alone; where the case is broken there is none to give."""
    if growth < 1 - EQUAL:
        return
    for number, name in enumerate(names.workloads):
        best, asks = (np.inf, -1), False
        for server in servers:
            own = np.flatnonzero(server.layout.workload == number)
            if len(own) and server.wanted[own].any():
                best, asks = server.least_growth(own, best), True
        if asks:
            yield WorkloadMargin(name, max(1.0, best[0]), best[1])
