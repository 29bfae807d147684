"""The same plan whatever the order of rows or the number of threads; other solvers agree; limits stop in words."""

import random
from pathlib import Path

import pytest

from planner.errors import PlannerError, StoppedError
from planner.plan.files import write_plan
from planner.readers import load
from planner.schema.case import Case
from planner.solver.other_solvers import SOLVERS, is_there, other_solver, write_lp
from planner.solver.solve import solve
from tests import builders
from tests.builders.one_hour import on_demand, one, sets, workload
from tests.builders.solved import solved
from tests.oracle.generate import generate

HOURS = 744
FAILOVER = {"failover": {"enabled": True, "share": 1.0, "on_demand_trust": 0.5}, "headroom": 0.2}


def ties(whole: bool = False) -> builders.Tables:
    """Two workloads that share nothing and two equal regions: parts for two threads, and plans of equal cost."""
    both, size = ("east", "west"), {"unit_step": 1} if whole else {}
    return builders.two_regions(
        models=[{"model": "m"}, {"model": "n"}],
        workloads=[workload(), workload(workload="x", input_tokens=90)],
        mix=[{"workload": "w", "model": "m"}, {"workload": "x", "model": "n"}],
        demand=[
            row
            for k, r in enumerate(both)
            for n, w in enumerate(("w", "x"))
            for row in builders.profile(r, w, [5.0 + ((h + 7 * k) % 24) * (1 + n) for h in range(24)])
        ],
        pools=[{"pool": f"{r}-{m}", "region": r} for r in both for m in ("m", "n")],
        throughput=[
            {"pool": f"{r}-{m}", "model": m, "tokens_per_minute_per_unit": 1.5} for r in both for m in ("m", "n")
        ],
        offers=[
            {"offer": f"{r}-{m}-{k}", "pool": f"{r}-{m}", "usd_per_unit_hour": 1.0, **size}
            for r in both
            for m in ("m", "n")
            for k in range(2)
        ],
        on_demand=[on_demand(r, m, tokens_per_minute_quota=50) for r in both for m in ("m", "n")],
    )


def files_of(case: Case, folder: Path, workers: int) -> dict[str, bytes]:
    write_plan(solve(case, workers=workers), case, folder)
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("whole", [False, True])
def test_same_bytes_for_any_order_of_rows_and_any_number_of_threads(whole: bool, tmp_path: Path) -> None:
    tables, options = ties(whole), {**FAILOVER, "whole_units": whole}
    first = files_of(load(builders.write_folder(tables, tmp_path / "in", **options)), tmp_path / "one", 1)
    shuffled = {name: random.Random(7).sample(rows, len(rows)) for name, rows in tables.items()}
    again = load(builders.write_folder(shuffled, tmp_path / "again", **options))
    assert files_of(again, tmp_path / "two", 2) == first
    assert "plan.json" in first


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("name", sorted(SOLVERS))
def test_every_solver_agrees_and_claims_no_bound_that_it_has_not_proved(name: str, whole: bool) -> None:
    if not any(map(is_there, SOLVERS[name])):
        pytest.skip(f"{name} is not installed here")
    case = builders.case(ties(whole), **FAILOVER, whole_units=whole)
    highs = solve(case, gap=1e-6)
    try:
        other = solve(case, gap=1e-6, solver=name)
    except PlannerError as error:
        if "its licence does not allow this plan" not in str(error):
            raise
        pytest.skip(f"the licence of {name} does not allow this case")
    assert other.totals.total_usd == pytest.approx(highs.totals.total_usd, rel=3e-6)
    assert other.proof.bound_usd == pytest.approx(highs.proof.bound_usd, rel=1e-6)
    claimed = other.proof.tree_bound_usd
    assert claimed is None or claimed <= highs.totals.total_usd * (1 + 1e-6)
    assert (claimed is None) == (not whole or name in ("cbc", "glpk"))  # called through files: no bound comes back


def test_an_unknown_solver_is_told_with_those_that_are_there() -> None:
    with pytest.raises(PlannerError, match=r"--solver nonsense: is not a solver that PuLP knows; available: highs, "):
        solve(builders.case(), solver="nonsense")


def test_a_solver_that_is_not_installed_is_told_with_how_to_install_it() -> None:
    missing = [name for name, listed in SOLVERS.items() if not any(map(is_there, listed))]
    if not missing:
        pytest.skip("every solver is installed")
    with pytest.raises(PlannerError, match=r"is not installed here; to install it: .*Available: highs"):
        other_solver(missing[0])


def test_a_licence_that_is_too_small_is_told_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    import pulp

    def refuse(*_: object, **__: object) -> int:
        raise RuntimeError("Model too large for size-limited license; visit https://example.com")

    monkeypatch.setattr(pulp.LpProblem, "solve", refuse)
    with pytest.raises(PlannerError, match=r"its licence does not allow this plan \(\d+ variables"):
        solve(builders.case(), solver="pulp-highs")


@pytest.mark.parametrize("solver", ["highs", "cbc"])
def test_no_time_is_an_error_in_words(solver: str) -> None:
    with pytest.raises(StoppedError, match="time limit"):
        solve(builders.case(ties(True), whole_units=True), time_limit_seconds=1e-9, solver=solver)


def test_an_lp_file_has_every_row_and_column(tmp_path: Path) -> None:
    from planner.model.program import literal_program

    program = literal_program(sets(one(10), headroom=0.2), sized=True)
    write_lp(program, tmp_path / "plan.lp")
    text = (tmp_path / "plan.lp").read_text()
    assert text.count("balance_0") == 2  # the priced one and the stressed one
    for name in ("x0", "v0_0", "y0_0", "z1_0", "s0y0_0", "s0z1_0", "stress_capacity_0", "reserved_0", "deployment_0"):
        assert name in text


def test_prices_of_a_ten_millionth_and_of_a_hundred_thousand_dollars() -> None:
    # m: 1e-7 USD a request on demand against units at 1 USD an hour: on demand. n: 1e5 against 1: units
    cheap, dear = 1e-7 / 60e-6, 1e5 / 60e-6
    tables = builders.tables(
        models=[{"model": "m"}, {"model": "n"}],
        workloads=[workload(), workload(workload="x")],
        mix=[{"workload": "w", "model": "m"}, {"workload": "x", "model": "n"}],
        demand=[*builders.profile("west", "w", 10.0), *builders.profile("west", "x", [10.0, 20.0])],
        throughput=[{"pool": "west-m", "model": m, "tokens_per_minute_per_unit": 1} for m in ("m", "n")],
        on_demand=[on_demand(usd_per_mtok_input=cheap), on_demand(model="n", usd_per_mtok_input=dear)],
    )
    plan = solve(builders.case(tables))
    assert plan.totals.on_demand_usd == pytest.approx(10 * HOURS * 1e-7, rel=1e-6)
    assert plan.totals.reserved_usd == pytest.approx(20 * HOURS)
    assert plan.proof.status == "optimal"


@pytest.mark.parametrize("name", ["cbc", "glpk"])
def test_contracts_waiting_risk_and_units_by_the_hour(name: str) -> None:
    """The cases that their builders solve by hand, by solvers that answer through files."""
    if not any(map(is_there, SOLVERS[name])):
        pytest.skip(f"{name} is not installed")
    for each in solved():
        found = solve(each.case, solver=name, workers=1)
        assert found.totals.total_usd == pytest.approx(each.usd, rel=1e-6), each.family


@pytest.mark.parametrize("name", ["highs", "cbc", "glpk"])
def test_work_that_waits_for_units_by_the_hour(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """6 requests of hour 0 may wait an hour, 2 units may run at 1 USD: 4 go there and 2 on demand at 3 USD.

    Columns of both have names of their own. No solver leaves a file behind.
    """
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    if name in SOLVERS and not any(map(is_there, SOLVERS[name])):
        pytest.skip(f"{name} is not installed")
    pools = [{"pool": "west-m", "region": "west", "usd_per_scaled_unit_hour": 1.0, "max_scaled_units": 2,
              "start_hours": 0.25}]  # fmt: skip
    tables = one(6.0, workloads=[workload(deadline_hours=1)], pools=pools, offers=[])
    found = solve(builders.case(tables), solver=name, workers=1)
    assert found.totals.total_usd == pytest.approx((4 + 2 * 0.25 + 2 * 3) * 31 / 7)
    assert list(tmp_path.iterdir()) == []


def test_digits_that_a_file_cuts(tmp_path: Path) -> None:
    """CBC's file has eight digits, which add up in a backlog: for its units, HiGHS finds the flows."""
    if not any(map(is_there, SOLVERS["cbc"])):
        pytest.skip("cbc is not installed")
    folder = tmp_path / "in"
    generate(str(folder), 5, regions=1, workloads=1, models=1, features=("batch", "scenarios"))
    case = load(folder)
    found = solve(case, solver="cbc", workers=1)
    assert found.totals.total_usd == pytest.approx(solve(case, workers=1).totals.total_usd, rel=1e-7)
