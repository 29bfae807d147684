"""What a shift of the model mix is worth: solved by hand; the nearest permitted shares against every share there is."""

import datetime as dt
import io
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

from planner.errors import InfeasibleError, InputError, StoppedError
from planner.features.mix.mix_report import print_mix, write_mix
from planner.features.mix.mix_study import DEFAULT_TARGETS, mix_study, model_shares, nearest
from planner.features.mix.mix_tables import ALL, MIX_FIGURES, MixStudy, MixTarget, MixVariant
from planner.schema.case import Case
from planner.schema.workloads import Mix
from planner.solver.solve import solve
from tests import builders
from tests.builders.declared import undeclared
from tests.builders.solved import scaled_limit

TIERS = ("small", "mid", "frontier")
USD = {"small": 1.0, "mid": 2.0, "frontier": 5.0}  # of a request on demand: 60 tokens


def given(limits: dict[str, tuple[float, float]], quota: float | None = None, **more: Any) -> Case:
    """Workload w, 10 requests an hour for 744 hours, all on demand: models s, m and f of the three tiers."""
    names = {"small": "s", "mid": "m", "frontier": "f"}
    return builders.case(
        builders.tables(
            models=[{"model": names[tier], "tier": tier} for tier in TIERS],
            mix=[{"workload": "w", "model": names[tier], "min_share": low, "max_share": high}
                 for tier, (low, high) in limits.items()],
            on_demand=[
                {"region": "west", "model": names[tier], "usd_per_mtok_input": usd / 60 * 1e6, "usd_per_mtok_output": 0,
                 **({"tokens_per_minute_quota": quota} if tier == "frontier" else {})}
                for tier, usd in USD.items()
            ],
            pools=[], throughput=[], offers=[], **more,
        )
    )  # fmt: skip


ANY = (0.0, 1.0)


def by_name(study: MixStudy) -> dict[str, MixVariant]:
    return {v.target.name: v for v in study.variants}


def reached(variant: MixVariant, workload: str = ALL) -> list[float]:
    return variant.tiers[variant.tiers["workload"] == workload]["share"].tolist()


def test_the_default_mixes() -> None:
    """As is all is small: 7,440 USD. 70/25/5: 0.7 + 0.5 + 0.25 = 1.45 USD a request; all frontier 5."""
    whole = mix_study(given({"small": ANY, "mid": ANY, "frontier": ANY}))
    study = by_name(whole)
    assert list(study) == ["as is", "70/25/5", "all frontier"]
    assert [(m.name, m.reason) for m in whole.left_out] == [
        ("all small", "within the allowed shares it is the same as 'as is'")
    ]
    assert [v.total_usd for v in study.values()] == pytest.approx([7_440, 10_788, 37_200])
    assert reached(study["70/25/5"]) == pytest.approx([0.7, 0.25, 0.05])
    assert study["70/25/5"].difference_usd == pytest.approx(3_348)
    assert study["70/25/5"].difference_share == pytest.approx(0.45)
    one = study["all frontier"].workloads.iloc[0]
    assert (one["workload"], one["usd_per_task"], one["difference_share"]) == ("w", pytest.approx(5), pytest.approx(4))
    assert all(v.held.empty for v in study.values())
    tables = [(frame, getattr(v, frame.name)) for v in study.values() for frame in MIX_FIGURES]
    assert [line for frame, table in tables for line in undeclared(frame, table)] == []


def test_a_mix_that_no_workload_allows_is_left_out() -> None:
    """At most 0.2 frontier: of all frontier, four fifths would be another mix."""
    whole = mix_study(given({"small": ANY, "mid": ANY, "frontier": (0.0, 0.2)}))
    assert "all frontier" not in by_name(whole)
    told = {m.name: m.reason for m in whole.left_out}
    assert told["all frontier"] == "no workload allows it (max_share of f)"


def test_a_workload_is_held_back_by_its_limits() -> None:
    """At least 0.2 mid, at most 0.5 frontier: all frontier is 0.5 frontier, 0.5 mid: 3.50 USD a request."""
    case = given({"small": ANY, "mid": (0.2, 1.0), "frontier": (0.0, 0.5)})
    study = by_name(mix_study(case))
    top = study["all frontier"]
    assert top.total_usd == pytest.approx(3.5 * 7_440)
    assert reached(top, "w") == pytest.approx([0.0, 0.5, 0.5])
    told = {row.tier: (row.share, row.limit) for row in top.held.itertuples()}
    assert told == {"mid": (0.5, "min_share of m"), "frontier": (0.5, "max_share of f")}
    assert reached(study["all small"], "w") == pytest.approx([0.8, 0.2, 0.0])


def test_a_missing_tier_goes_to_its_neighbour_and_in_doubt_to_the_better() -> None:
    case = given({"small": ANY, "frontier": ANY})
    study = by_name(mix_study(case, [DEFAULT_TARGETS[0]]))
    assert reached(study["70/25/5"]) == pytest.approx([0.7, 0.0, 0.3])
    limits = dict(zip(study["70/25/5"].held["tier"], study["70/25/5"].held["limit"], strict=True))
    assert limits == {"mid": "its mix has no mid model", "frontier": ""}


def test_a_mix_without_a_plan_is_told_in_words() -> None:
    """A quota of 2 frontier requests an hour: 0.05 of 10 fit, all do not."""
    study = by_name(mix_study(given({"small": ANY, "mid": ANY, "frontier": ANY}, quota=2.0)))
    assert study["70/25/5"].possible
    top = study["all frontier"]
    assert not top.possible
    assert "quota" in top.problem
    assert np.isnan(top.total_usd)
    assert mix_study(given({"small": ANY, "frontier": ANY}, quota=2.0), []).all_frontier is None


def test_better_models_may_serve_where_they_are_cheaper() -> None:
    """A target is met from above: here mid costs less than small, and serves all though 0.7 small is asked."""
    cheap = {"region": "west", "model": "m", "usd_per_mtok_input": 0.5 / 60 * 1e6, "usd_per_mtok_output": 0}
    case = given({"small": ANY, "mid": ANY, "frontier": ANY})
    rows = tuple(q.model_copy(update=cheap) if q.model == "m" else q for q in case.on_demand)
    object.__setattr__(case, "on_demand", rows)
    study = by_name(mix_study(case, [DEFAULT_TARGETS[0]]))
    assert reached(study["70/25/5"]) == pytest.approx([0.0, 0.95, 0.05])


def test_models_without_a_tier_are_named() -> None:
    rows = builders.tables(models=[{"model": "m"}, {"model": "other"}])
    with pytest.raises(InputError, match="column tier: has no tier") as error:
        mix_study(builders.case(rows))
    assert [fault.value for fault in error.value.faults] == ["m"]  # no mix lists the other


def test_no_plan_as_it_is() -> None:
    with pytest.raises(InfeasibleError):
        mix_study(given({"frontier": ANY}, quota=2.0))


@pytest.mark.parametrize("seed", range(60))
def test_nearest_against_every_permitted_share(seed: int) -> None:
    rng = np.random.default_rng(seed)
    while True:
        low = dict(zip(TIERS, rng.choice([0.0, 0.0, 0.1, 0.2, 0.4], 3).tolist()))
        high = {tier: min(1.0, low[tier] + float(rng.choice([0.0, 0.1, 0.3, 1.0]))) for tier in TIERS}
        if sum(low.values()) <= 1 <= sum(high.values()):
            break
    parts = np.sort(rng.integers(0, 11, 2)) / 10
    target = dict(zip(TIERS, [float(parts[0]), float(parts[1] - parts[0]), float(1 - parts[1])]))
    found = nearest(target, low, high)
    assert sum(found.values()) == pytest.approx(1)
    assert all(low[tier] - 1e-12 <= found[tier] <= high[tier] + 1e-12 for tier in TIERS)
    every = [
        dict(zip(TIERS, (a / 10, b / 10, (10 - a - b) / 10)))
        for a, b in itertools.product(range(11), repeat=2) if a + b <= 10
    ]  # fmt: skip
    every = [y for y in every if all(low[t] - 1e-9 <= y[t] <= high[t] + 1e-9 for t in TIERS)]
    assert every
    assert score(found, target) <= min(score(y, target) for y in every)


def score(y: dict[str, float], target: dict[str, float]) -> tuple[float, float]:
    deviation = sum(abs(y[t] - target[t]) for t in TIERS)
    first = y["small"] - target["small"]
    return round(deviation, 9), round(abs(first) + abs(first + y["mid"] - target["mid"]), 9)


def test_models_of_one_tier() -> None:
    """0.8 for two models: 0.1 each at least; of the other 0.6 the plan as is gives 2 to 1, but b may have 0.25 only."""
    rows = [Mix(workload="w", model="a", min_share=0.1), Mix(workload="w", model="b", min_share=0.1, max_share=0.25)]
    assert model_shares(rows, 0.8, {"a": 0.5, "b": 0.3}) == pytest.approx({"a": 0.55, "b": 0.25})
    assert model_shares(rows, 0.3, {"a": 0.5, "b": 0.3}) == pytest.approx({"a": 0.1 + 0.1 * 2 / 3, "b": 0.1 + 0.1 / 3})
    assert model_shares(rows, 0.4, {}) == pytest.approx({"a": 0.2, "b": 0.2})
    assert model_shares([], 0.0, {}) == {}


def test_the_order_of_rows_does_not_matter() -> None:
    case = given({"frontier": ANY, "small": (0.0, 0.5), "mid": ANY})
    target = MixTarget("half", {"small": 0.6, "mid": 0.2, "frontier": 0.2})
    first, second = (mix_study(c, [target]).variants[1] for c in (case, given({"mid": ANY, "small": (0.0, 0.5),
                                                                               "frontier": ANY})))  # fmt: skip
    assert first.total_usd == second.total_usd == pytest.approx((0.5 + 0.3 * 2 + 0.2 * 5) * 7_440)
    assert first.held.equals(second.held)


def test_a_mix_without_time_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    case = given(dict.fromkeys(("small", "mid", "frontier"), ANY))
    plan = solve(case)

    def stopped(*_: object, **__: object) -> None:
        raise StoppedError("the time limit ran out")

    monkeypatch.setattr("planner.features.mix.mix_study.audited", stopped)
    study = mix_study(case, as_is=plan)
    assert [v.target.name for v in study.variants] == ["as is"]
    assert "the time limit ran out before there was a plan" in {m.reason for m in study.left_out}


def test_units_by_the_hour_are_a_part_of_the_cost(tmp_path: Path) -> None:
    """6 of 10 requests by the hour for 1 USD, 4 on demand for 3 USD (`scaled_limit`); the sheet adds up all parts."""
    study = mix_study(scaled_limit.CASE, [])
    (found,) = study.variants
    assert (found.scaled_usd, found.on_demand_usd) == pytest.approx((6 * 31 / 7, 12 * 31 / 7))
    assert (found.reserved_usd, found.shortfall_usd, found.egress_usd) == (0.0, 0.0, 0.0)
    text = io.StringIO()
    print_mix(study, text)
    assert "by the hour" in text.getvalue()
    assert "shortfall" not in text.getvalue()
    write_mix(study, tmp_path / "mix", dt.date(2027, 1, 1))
    header, row = openpyxl.load_workbook(tmp_path / "mix" / "mix.xlsx")["Mix"].iter_rows(min_row=21, max_row=22)
    cell = {str(c.value).split("\n")[0]: c for c in header}
    parts = ["Reserved", "By the hour", "On demand", "Egress"]
    assert row[cell["Total"].column - 1].value == "=" + "+".join(f"{cell[part].column_letter}22" for part in parts)
    assert row[cell["By the hour"].column - 1].value == pytest.approx(6 * 31 / 7)
