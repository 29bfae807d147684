"""What other units of a commitment would have cost: the planes of known answers spare solves and change no verdict."""

import math
from dataclasses import replace

import pytest

from planner.features.review import review
from planner.features.review.held_costs import HeldCosts
from planner.features.review.review_tables import Review
from planner.schema.contracts import SpendCommitment
from planner.solver.solve import solve
from tests import builders
from tests.builders.histories import history_of

LEAST = HeldCosts._least


def reviewed(level: float, usd: float) -> Review:
    case = builders.case(builders.two_regions())
    plan = solve(case)
    contract = (SpendCommitment(contract="macc", usd=usd),)
    case = replace(case, spend_commitments=contract if usd else ())
    return review(case, plan, history_of(case, level))


@pytest.mark.parametrize(("level", "usd"), [(0.6, 0.0), (1.7, 0.0), (0.6, 9_000.0), (1.7, 16_000.0), (1.0, 1e6)])
def test_planes_lie_below_the_cost_and_change_no_verdict(
    level: float, usd: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    below, solves = [], []

    def least(self: HeldCosts, number: int, units: float) -> float:
        plane = LEAST(self, number, units)
        cost = self.cost(number, units)
        below.append(plane <= cost + 1e-7 * abs(cost))
        return -math.inf

    solved = HeldCosts._solved
    monkeypatch.setattr(HeldCosts, "_solved", lambda self, units: solves.append(units) or solved(self, units))
    sparing = reviewed(level, usd)
    spared = len(solves)
    monkeypatch.setattr(HeldCosts, "_least", least)
    literal = reviewed(level, usd)
    assert all(below)
    assert spared <= len(solves) - spared
    assert [(v.verdict, v.best_units) for v in sparing.verdicts] == [
        (v.verdict, v.best_units) for v in literal.verdicts
    ]
    assert [v.saving_usd for v in sparing.verdicts] == pytest.approx([v.saving_usd for v in literal.verdicts], abs=1e-4)
