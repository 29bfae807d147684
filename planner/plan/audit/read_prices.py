"""Prices of the rules as arrays, read from certificate.parquet."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from planner.plan.flows import Floats, Names
from planner.plan.frames import encode


@dataclass(frozen=True)
class ReadPrices:
    """The table of prices as arrays; slots and needs are numbered as in Names."""

    rent: Floats  # deployments x slots
    quota: Floats  # quotas x slots
    bonus: Floats  # (need, model) x slots: mix_low - mix_high
    sure: Floats  # needs x slots
    unit: Floats  # (pool, meter) x periods
    egress: Floats  # origins x regions x periods
    away: float
    budget: float


def read_prices(names: Names, meters: tuple[tuple[str, str], ...], table: pd.DataFrame) -> ReadPrices:
    """Read the prices of certificate.parquet into arrays; one of no rule of the case proves nothing."""
    slots, models = names.slot_count, len(names.models)

    def rows(kind: str) -> pd.DataFrame:
        return table[table["kind"] == kind]

    def spread(kind: str, key: Mapping[Any, int], columns: list[str], count: int) -> Floats:
        part = rows(kind)
        array = np.zeros((count, slots))
        at = [key.get(name, -1) for name in part[columns].astype(object).itertuples(index=False, name=None)]
        row, slot = np.array(at, dtype=np.int64), names.slots(part)
        known = (row >= 0) & (slot >= 0)
        np.add.at(array, (row[known], slot[known]), part["price"].to_numpy(float)[known])
        return array

    def mixes(kind: str) -> Floats:
        part = rows(kind)
        need = names.needs(part["origin"], part["workload"])
        model, slot = encode(part["model"], names.models), names.slots(part)
        array = np.zeros((names.need_count * models, slots))
        known = (need >= 0) & (model >= 0) & (slot >= 0)
        np.add.at(array, ((need * models + model)[known], slot[known]), part["price"].to_numpy(float)[known])
        return array

    needs = {
        (o, w): k * len(names.workloads) + j for k, o in enumerate(names.regions) for j, w in enumerate(names.workloads)
    }
    unit = np.zeros((len(meters), len(names.periods)))
    part = rows("deployment")
    for pool, meter, period, price in part[["supply", "meter", "period", "price"]].itertuples(index=False, name=None):
        if (pool, meter) in meters and period in names.periods:  # else of no rule of the case: it proves nothing
            unit[meters.index((pool, meter)), names.periods.index(period)] += price
    egress = np.zeros((len(names.regions), len(names.regions), len(names.periods)))
    part = rows("egress")
    for o, s, period, price in part[["origin", "region", "period", "price"]].itertuples(index=False, name=None):
        if {o, s} <= set(names.regions) and period in names.periods:
            egress[names.regions.index(o), names.regions.index(s), names.periods.index(period)] += price
    return ReadPrices(
        rent=spread("rent", {key: k for k, key in enumerate(names.deployments)}, ["supply", "meter", "model"],
                    len(names.deployments)),
        quota=spread("quota", {key: k for k, key in enumerate(names.quotas)}, ["region", "model", "supply"],
                     len(names.quotas)),
        bonus=mixes("mix_low") - mixes("mix_high"),
        sure=spread("guaranteed", needs, ["origin", "workload"], names.need_count),
        unit=unit,
        egress=egress,
        away=float(rows("cross_region_share")["price"].sum()),
        budget=float(rows("budget")["price"].sum()),
    )  # fmt: skip
