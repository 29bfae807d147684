"""Shortfall: one thing that no plan can meet, and its words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planner.model.sets import Sets
from planner.units import REQUESTS_PER_THOUSAND, hour_label

TOGETHER = (
    "each rule can be met alone, but not all together with the sizes and limits of the offers: "
    "look at max_units, min_units, unit_step and the budget"
)


@dataclass(frozen=True)
class Shortfall:
    """A rule or stress case (``kind``), how much of its limit is missing (``share``), and where.

    ``amount`` and ``limit``: krph unserved and asked (unserved, guaranteed, stress cases), else in the limit's unit.
    ``units``, ``pool`` and ``tokens_per_minute``, ``option``: the amount as reserved units or as on-demand quota.
    """

    kind: str
    share: float
    amount: float
    limit: float
    origin: str = ""
    workload: str = ""
    models: str = ""
    region: str = ""
    scenario: str = ""
    period: str = ""
    hour_of_week: int = -1
    pool: str = ""
    units: float = 0.0
    option: str = ""
    tokens_per_minute: float = 0.0
    hours: int = 1

    @classmethod
    def of_need(
        cls,
        sets: Sets,
        kind: str,
        need: int,
        slot: int,
        amount: float,
        asked: float,
        origins: Sequence[str] = (),
        usable: np.ndarray | None = None,
        hours: int = 1,
    ) -> "Shortfall":
        """Name the need and slot, and say the amount in units of a pool or tokens per minute of an on-demand option."""
        when = sets.slots.iloc[slot]
        arcs = np.flatnonzero((sets.arcs["need"] == need).to_numpy()) if usable is None else usable
        chosen = sets.arcs.iloc[arcs]
        loads = sets.loads[sets.loads["arc"].isin(arcs)]
        pool, units, option, tokens = "", 0.0, "", 0.0
        if len(loads):
            load = loads.sort_values("units").iloc[0]
            pool, units = str(sets.arcs["supply"][load["arc"]]), amount * float(load["units"])
        paid = chosen[~chosen["reserved"].to_numpy(bool)]
        if len(paid):
            k = paid.index[0]
            option = f"{paid['model'][k]} ({paid['supply'][k]}) in {paid['region'][k]}"
            tokens = amount * float(sets.quota_load[k])
        needs = sets.needs.iloc[need]
        return cls(
            kind=kind,
            share=amount / max(asked, 1e-12),
            amount=amount,
            limit=asked,
            origin=", ".join(origins) or str(needs["origin"]),
            workload=str(needs["workload"]),
            models=", ".join(sorted(set(sets.shares.loc[sets.shares["workload"] == needs["workload"], "model"]))),
            scenario=str(when["scenario"]),
            period=sets.periods[int(when["period"])],
            hour_of_week=int(when["hour_of_week"]),
            pool=pool,
            units=units,
            option=option,
            tokens_per_minute=tokens,
            hours=hours,
        )


def describe(s: Shortfall) -> str:
    """Put a shortfall into one sentence that a planner can act on."""
    if s.kind == "budget":
        return (
            f"budget (rule 9): max_commitment_usd {s.limit:,.0f} is too small by {s.amount:,.0f} USD; "
            "raise it, raise quotas, or lower headroom or failover"
        )
    if s.kind == "egress":
        return (
            f"egress cap (rule 7): {s.origin} to {s.region} in {s.period} needs {s.amount:,.1f} GB more than "
            f"max_gb_per_month {s.limit:,.1f}"
        )
    if s.kind == "cross_region_share":
        return (
            f"cross-region share (rule 7): {s.amount * REQUESTS_PER_THOUSAND:,.0f} requests more than "
            "max_cross_region_share allows must be served away from their origin"
        )
    if s.kind == "together":
        return TOGETHER
    return _of_need(s)


def _of_need(s: Shortfall) -> str:
    rule = {
        "unserved": "capacity and quotas (rules 1, 4, 6)",
        "guaranteed": "guaranteed share (rule 3)",
    }.get(s.kind, f"{s.kind} (rule 8)")
    what = "served by pools or guaranteed options" if s.kind == "guaranteed" else "served"
    remedy = []
    if s.pool:
        remedy.append(f"{s.units:,.2f} more units of {s.pool}")
    if s.option and s.kind != "guaranteed":
        remedy.append(f"{s.tokens_per_minute:,.0f} more tokens/minute of on-demand {s.option}")
    missing = (
        " or ".join(remedy) if remedy else "no pool and no on-demand option that may serve it is left: add a route"
    )
    hours = f" (the worst of {s.hours} such hours)" if s.hours > 1 else ""
    scenario = "" if s.scenario == "base" else f", scenario {s.scenario}"
    return (
        f"{rule}: {s.workload} from {s.origin} on {s.models}, {hour_label(s.hour_of_week)} UTC in {s.period}{scenario}"
        f"{hours}: {s.amount * REQUESTS_PER_THOUSAND:,.1f} of {s.limit * REQUESTS_PER_THOUSAND:,.1f} requests/hour "
        f"cannot be {what}; missing: {missing}"
    )
