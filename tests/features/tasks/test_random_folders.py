"""Solved plans of random folders: cost per task adds up to the total, and movements to the change of it."""

from pathlib import Path

import pytest

import planner
from planner.errors import InfeasibleError
from planner.features.tasks import month_by_month, task_costs, why_moved
from tests.oracle.generate import ALL, generate


@pytest.mark.parametrize("seed", range(8))
def test_adds_up(seed: int, tmp_path: Path) -> None:
    features = [name for k, name in enumerate(ALL) if (seed >> (k % 4)) & 1 and name != "whole"]
    costs = []
    for k in (0, 1):  # of other demand and prices, with the same names
        folder = tmp_path / str(k)
        generate(folder, 100 * seed + k, regions=2, workloads=2, models=2, months=2, features=features)
        case = planner.load(folder)
        try:
            plan = planner.solve(case, workers=1)
        except InfeasibleError:
            pytest.skip("the folder has no plan")
        costs.append(task_costs(case, plan))
        for keys in (["workload"], ["origin"], ["region"], ["model"], ["period"]):
            assert costs[-1].by(*keys)["total_usd"].sum() == pytest.approx(plan.totals.total_usd, abs=0.005)
    for movement in (*month_by_month(costs[0]), why_moved(*costs), why_moved(*costs, "2027-01", "2027-02")):
        change = float(movement.workloads["usd_after"].sum() - movement.workloads["usd_before"].sum())
        assert movement.effects["usd"].sum() == pytest.approx(change, abs=0.005)
