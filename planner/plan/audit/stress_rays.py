"""Rays of stress cases in certificate.parquet: the row that each states, worked out from the case alone."""

import math
from typing import Any

import numpy as np
import pandas as pd

from planner.plan.audit.linear_rule import Way
from planner.plan.flows import Floats, Names
from planner.plan.stress_cases import stress_cases
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK, REQUESTS_PER_THOUSAND

PricedRay = tuple[int, float, float, dict[int, float]]  # period, price, need of the row, units by deployment


def rays_of(
    case: Case, names: Names, table: pd.DataFrame, ways: dict[int, list[Way]], demand: Floats
) -> list[PricedRay]:
    """Work out each ray's row: what it needs of the units, with μ set here to the most that the ways allow."""
    found: list[PricedRay] = []
    cases = {c.name: c for c in stress_cases(case, names)}
    of_mix = {(m.workload, m.model): (m.min_share, m.max_share) for m in case.mix}
    deployments = {key: k for k, key in enumerate(names.deployments)}
    quotas = {key: k for k, key in enumerate(names.quotas)}
    of_rays = table[table["ray"] >= 0]
    for rows in _by_ray(of_rays.assign(slot=names.slots(of_rays))):
        head = rows.get("stress", [])
        stressed = cases.get(str(head[0].case)) if len(head) == 1 else None
        slot = int(head[0].slot) if len(head) == 1 else -1
        if stressed is None or slot < 0:
            continue  # no price without a row to belong to: it proves nothing and takes nothing
        unit = {deployments[s, m, i]: p for s, m, i, p in _listed(rows, "stress_unit", ["supply", "meter", "model"])}
        quota = {quotas[r, i, s]: p for r, i, s, p in _listed(rows, "stress_quota", ["region", "model", "supply"])}
        low = {(o, w, i): p for o, w, i, p in _listed(rows, "stress_mix_low", ["origin", "workload", "model"])}
        high = {(o, w, i): p for o, w, i, p in _listed(rows, "stress_mix_high", ["origin", "workload", "model"])}
        failed = -1 if stressed.failed is None else names.regions.index(stressed.failed)
        usable_quota = stressed.quota_tpm
        need_of_row = 0.0
        for need in np.flatnonzero(demand[:, slot]):
            o, w = names.regions[need // len(names.workloads)], names.workloads[need % len(names.workloads)]
            base = sum(
                of_mix[w, i][1] * p for (a, b, i), p in high.items() if (a, b) == (o, w)
            ) - sum(of_mix[w, i][0] * p for (a, b, i), p in low.items() if (a, b) == (o, w))  # fmt: skip
            least = math.inf
            for way in ways.get(int(need), ()):
                if way.region == failed or (way.quota >= 0 and usable_quota[way.quota] <= 0):
                    continue
                pay = sum(units * unit.get(d, 0.0) for d, units, _ in way.loads)
                if way.quota >= 0:
                    pay += way.tokens_per_minute * quota.get(way.quota, 0.0)
                model = names.models[way.model]
                bonus = base + low.get((o, w, model), 0.0) - high.get((o, w, model), 0.0)
                least = min(least, REQUESTS_PER_THOUSAND * pay - bonus)
            if math.isfinite(least):
                need_of_row += least * float(demand[need, slot]) * float(stressed.need_factor[need])
        for k, price in quota.items():
            need_of_row -= price * float(usable_quota[k])
        found.append((slot // HOURS_PER_WEEK % len(names.periods), float(head[0].price), need_of_row, unit))
    return found


def _by_ray(table: pd.DataFrame) -> list[dict[str, list[Any]]]:
    """Return the rows of each ray, by kind."""
    plain = table.astype({name: object for name in table if isinstance(table[name].dtype, pd.CategoricalDtype)})
    found: dict[int, dict[str, list[Any]]] = {}
    row: Any
    for row in plain.sort_values("ray", kind="stable").itertuples(index=False):
        found.setdefault(int(row.ray), {}).setdefault(str(row.kind), []).append(row)
    return list(found.values())


def _listed(rows: dict[str, list[Any]], kind: str, columns: list[str]) -> list[tuple[Any, ...]]:
    return [tuple(getattr(row, name) for name in (*columns, "price")) for row in rows.get(kind, ())]
