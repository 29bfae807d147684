"""Starts: a changed case that begins at another's optimum ends at its own."""

from dataclasses import replace
from pathlib import Path

import pytest

from planner.readers import load
from planner.schema.case import Case
from planner.solver import starts as starts_module
from planner.solver.find import Options, find_if_any
from planner.solver.starts import Starts
from tests.oracle.generate import generate


def variants(case: Case) -> dict[str, Case]:
    """The case with one rule changed: the network of stress cases stays, loses a case, or gets other loads."""
    policy = case.settings.policy
    failover = policy.failover
    return {
        "trusted": case.with_policy(failover=failover.model_copy(update={"on_demand_trust": 1.0})),
        "calm": case.with_policy(failover=failover.model_copy(update={"enabled": False})),
        "doubled": replace(
            case, on_demand=tuple(
                q.model_copy(update={"tokens_per_minute_quota": 2 * q.tokens_per_minute_quota})
                if q.tokens_per_minute_quota else q for q in case.on_demand
            ),
        ),
        "longer": replace(
            case, workloads=tuple(w.model_copy(update={"output_tokens": w.output_tokens * 1.3}) for w in case.workloads)
        ),
        "roomier": case.with_policy(headroom=0.1),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("seed", "features"), [(30, "quota,mix,terms,unreserved"), (32, "pools,quota,mix"), (34, "pools,quota,mix")]
)
def test_a_changed_case_ends_at_its_own_optimum(tmp_path: Path, seed: int, features: str) -> None:
    generate(tmp_path, seed, 3, 3, 2, 1, features)
    case = load(tmp_path)
    known = Starts()
    assert find_if_any(case, Options(starts=known)) is not None
    assert any(start.cuts for start in known.known.values())
    for name, changed in variants(case).items():
        fresh = find_if_any(changed, Options())
        started = find_if_any(changed, Options(starts=known.fixed()))
        assert (fresh is None) == (started is None), name
        if fresh is not None and started is not None:
            assert started.totals.total_usd == pytest.approx(fresh.totals.total_usd, rel=1e-9), name
            assert started.purchases["units"].sum() == pytest.approx(fresh.purchases["units"].sum(), rel=1e-6), name


def test_a_row_of_another_network_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Units for a request that is 1.3 times as long: the old ray is none of the new network."""
    generate(tmp_path, 34, 3, 3, 2, 1, "pools,quota,mix")
    case = load(tmp_path)
    known = Starts()
    find_if_any(case, Options(starts=known))
    same: list[bool] = []
    compared = starts_module.same_network

    def watched(*networks: object) -> bool:
        same.append(compared(*networks))  # type: ignore[arg-type]
        return same[-1]

    monkeypatch.setattr(starts_module, "same_network", watched)
    find_if_any(variants(case)["longer"], Options(starts=known.fixed()))
    assert same
    assert not any(same)
    same.clear()
    find_if_any(variants(case)["doubled"], Options(starts=known.fixed()))
    assert same
    assert all(same)


def test_solves_side_by_side_start_from_the_same_optima() -> None:
    known = Starts()
    assert not known.frozen
    assert known.fixed().frozen
