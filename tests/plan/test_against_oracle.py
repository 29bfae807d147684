"""Prices and rules against the literal statement of the model."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from planner.plan.audit import audit
from planner.plan.derived import Derived
from planner.plan.files import write_plan
from planner.plan.plan import DEPLOYMENT_COLUMNS, NO_COST, Plan, Proof
from planner.plan.pricing import price
from planner.readers import load
from planner.schema.case import Case
from tests import builders
from tests.builders.hand_plans import POLICY, hand_plan, on, on_demand_rows
from tests.oracle.check import check
from tests.oracle.generate import generate


def any_plan(case: Case, seed: int) -> Plan:
    """A plan of random numbers: it keeps no rule, but has a price."""
    rng = np.random.default_rng(seed)
    derived = Derived.of(case)
    held = derived.loads.rename(columns={"pool": "supply"})[["workload", "model", "region", "supply"]].drop_duplicates()
    bought = derived.options.rename(columns={"option": "supply"})[["workload", "model", "region", "supply"]]
    ways = pd.concat([held, bought]).merge(derived.travel[["workload", "origin", "region"]], on=["workload", "region"])
    slots = derived.slots[["scenario", "period"]].merge(pd.DataFrame({"hour_of_week": range(168)}), how="cross")
    flows = ways.iloc[rng.integers(len(ways), size=3_000)].reset_index(drop=True)
    flows = pd.concat([flows, slots.iloc[rng.integers(len(slots), size=3_000)].reset_index(drop=True)], axis=1)
    flows["requests_per_hour"] = rng.uniform(0.1, 1e3, len(flows))
    starts = [(o.offer, p.name) for o in case.offers for p in case.periods]
    purchases = pd.DataFrame(starts, columns=["offer", "period"]).assign(units=rng.uniform(0, 99, len(starts)), usd=0.0)
    keys = derived.loads[["pool", "meter", "deployment"]].drop_duplicates().to_numpy().tolist()
    placed = [(*key, p.name, float(n)) for key in keys for p, n in zip(case.periods, rng.uniform(0, 99, 12))]
    deployments = pd.DataFrame(placed, columns=list(DEPLOYMENT_COLUMNS))
    zero = NO_COST
    return Plan("any", case.digest, zero, Proof("gap", 0.0, 1.0), purchases, deployments, flows)


@pytest.mark.parametrize("seed", range(6))
def test_any_plan_has_the_literal_models_price(tmp_path: Path, seed: int) -> None:
    months = 1 + seed % 3
    generate(tmp_path / "in", seed, regions=3, months=months, features="all")
    case = load(tmp_path / "in")
    plan = any_plan(case, seed)
    write_plan(plan, case, tmp_path / "out", {})
    faults, total, _ = check(tmp_path / "in", tmp_path / "out", stress=False)
    ours = price(case, plan.purchases, plan.deployments, plan.dispatch)
    assert ours.total_usd == pytest.approx(total, rel=1e-9)
    told = {text.split(":")[0]: float(text.rsplit(" ", 1)[1]) for text in faults if "_usd: says" in text}
    for part in ("reserved_usd", "tail_usd", "unreserved_usd", "on_demand_usd", "egress_usd", "sunk_usd"):
        if part in told:
            assert getattr(ours, part) == pytest.approx(told[part], rel=1e-9)
    families = {"balance": "balance", "reserved": "reserved", "quota": "quota", "mix": "mix",
                "guaranteed share": "guaranteed", "deployed": "deployment", "egress ": "egress",
                "cross-region share": "egress",
                "commitments": "budget"}  # fmt: skip
    theirs = {ours for text in faults for start, ours in families.items() if text.startswith(start)}
    broken = {f.rule for f in audit(case, plan, witness=False)}
    assert broken & set(families.values()) == theirs


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("nothing", {}),
    ("one flow more", {"dispatch": 8.5}),
    ("units too few", {"units": 9.0}),
    ("units too many", {"units": 11.0}),
    ("a total", {"totals": 14_000.0}),
]


@pytest.mark.parametrize("change", [c[1] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_both_find_a_fault_or_neither_does(tmp_path: Path, change: dict[str, Any]) -> None:
    rows = builders.two_regions(on_demand=on_demand_rows())
    folder = builders.write_folder(rows, tmp_path / "in", **POLICY)
    case = load(folder)
    plan = on(case, hand_plan(builders.case(rows, **POLICY)))
    if "dispatch" in change:
        plan.dispatch.loc[0, "requests_per_hour"] = change["dispatch"]
    if "units" in change:
        plan = replace(plan, deployments=plan.deployments.assign(units=change["units"]))
    if "totals" in change:
        plan = replace(plan, totals=replace(plan.totals, reserved_usd=change["totals"]))
    write_plan(plan, case, tmp_path / "out", {})
    faults, _, _ = check(folder, tmp_path / "out")
    assert bool(faults) == bool(audit(case, plan)) == bool(change)
