"""planner verify: right plans pass, tampered files do not, and the stress cases are proved without the witness."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from planner.cli import main
from planner.errors import PlannerError
from planner.plan.files import write_plan
from planner.plan.metrics import summary_of
from planner.plan.plan import RENT_COLUMNS
from planner.plan.reading import Reading
from planner.schema.case import Case
from planner.verify.figures import figures_of
from planner.verify.verification import verify
from tests import builders
from tests.builders.hand_plans import POLICY, hand_case, hand_plan, on, on_demand_rows


def written(case: Case, folder: Path, **changes: Any) -> Path:
    plan = on(case, hand_plan(hand_case()))
    prices = plan.certificate[plan.certificate["kind"] == "rent"]
    rents = prices.rename(columns={"supply": "pool", "price": "usd_per_unit"})[list(RENT_COLUMNS)]
    plan = replace(plan, rents=rents, **changes)
    write_plan(plan, case, folder, summary_of(figures_of(Reading(case, plan), audited=True)))
    return folder


def messages(case: Case, folder: Path, deep: bool = False) -> list[str]:
    return [str(f) for f in verify(case, folder, deep=deep).findings]


def test_a_right_plan_is_right(tmp_path: Path) -> None:
    case = hand_case()
    verdict = verify(case, written(case, tmp_path))
    assert verdict.findings == []
    assert (verdict.stress_cases, verdict.stress_slots) == (3, 3 * 168)
    # each case is one envelope; headroom is proved region by region only where routes part them: here they do not
    assert verdict.programmes == 3


def edited(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    path = folder / "plan.json"
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found))


TAMPERED: list[tuple[str, Callable[[dict[str, Any]], Any], str]] = [
    ("units bought", lambda f: f["purchases"][0].update(units=12), "totals: reserved_usd"),
    ("units deployed", lambda f: f["deployments"][0].update(units=8), "reserved: pool east-m"),
    ("a price paid", lambda f: f["purchases"][0].update(usd=1), "totals: offer east-m-1m"),
    ("cost and its part", lambda f: f.update(reserved_usd=14_000, total_usd=22_928), "totals: reserved_usd says 14000"),
    ("bound above cost", lambda f: f.update(bound_usd=30_000), "bound: bound_usd 30000.000000 is above the cost"),
    ("bound above what is proved", lambda f: f.update(bound_usd=18_700, gap=1 - 18_700 / 23_808),
     "bound: bound_usd says 18,700.000000, but the prices in certificate.parquet prove"),
    ("input", lambda f: f.update(input_digest="x"), "input: the plan was made for another input"),
    ("a figure", lambda f: f["summary"].update(utilisation=0.95), "figures: summary, utilisation says 0.95"),
    ("a figure left out", lambda f: f["summary"].pop("stress"), "figures: summary, stress is missing"),
    ("a strategy", lambda f: f["summary"]["strategies"][0].update(total_usd=99_999),
     "figures: summary, strategies 1, total_usd says 99999"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), [t[1:] for t in TAMPERED], ids=[t[0] for t in TAMPERED])
def test_a_plan_edited_by_hand_is_exposed(tmp_path: Path, change: Callable[[dict[str, Any]], Any], words: str) -> None:
    case = hand_case()
    edited(written(case, tmp_path), change)
    found = messages(case, tmp_path)
    assert any(words in text for text in found), found


def test_too_few_units_fail_the_proof_even_if_the_witness_says_otherwise(tmp_path: Path) -> None:
    """With 9.5 units, a lost region leaves 20 - 9.5 - 10 requests unserved; everything else is left as it was."""
    case = hand_case()
    plan = hand_plan(case)
    folder = written(case, tmp_path, deployments=plan.deployments.assign(units=[9.5, 10.0]))
    found = messages(case, folder)
    assert any(
        "failover west" in text and "what stands leaves at least 0.5 of 20 requests/hour" in text for text in found
    )
    assert not any("headroom, scenario" in text for text in found)


def test_the_proof_needs_no_witness(tmp_path: Path) -> None:
    case = hand_case()
    plan = hand_plan(case)
    folder = written(
        case, tmp_path, stress_slots=plan.stress_slots.iloc[:0], stress_dispatch=plan.stress_dispatch.iloc[:0]
    )
    found = messages(case, folder)
    assert found
    assert all("the witness serves 0" in text or "more places" in text for text in found)


STRICTER: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("routes", {}, {"routes": [{"origin": "east", "destination": "west"}]},
     "failover west, scenario base, 2027-01, hour 0 (Mon 00:00 UTC): what stands leaves at least 10 of 20"),
    ("residency", {}, {"workloads": [{"workload": "w", "input_tokens": 60, "output_tokens": 0,
     "serving_regions": "west"}]}, "failover west"),
    ("trust", {"failover": {"enabled": True, "share": 1.0, "on_demand_trust": 0.4}}, {}, "leaves at least 2 of 20"),
    ("no trust", {"failover": {"enabled": True, "share": 1.0, "on_demand_trust": 0}},
     {"on_demand": on_demand_rows(tokens_per_minute_quota=None)}, "leaves at least 10 of 20"),
    ("share", {"failover": {"enabled": True, "share": 1.0, "on_demand_trust": 0.5}},
     {"demand": [r for o in ("east", "west") for r in builders.profile(o, "w", [10.0, 10.0, 11.0])]},
     "hour 2 (Mon 02:00 UTC): what stands leaves at least 2 of 22"),
    ("headroom", {"headroom": 0.7, "reserved_headroom": 0.2}, {}, "headroom, scenario base"),
    ("mix", {}, {"models": [{"model": "m"}, {"model": "n"}], "mix": [{"workload": "w", "model": "m"},
     {"workload": "w", "model": "n", "min_share": 0.1}]}, "failover east"),
    ("mix at most", {}, {"models": [{"model": "m"}, {"model": "n"}], "mix": [{"workload": "w", "model": "m",
     "max_share": 0.9}, {"workload": "w", "model": "n"}], "on_demand": [*on_demand_rows(), {"region": "east", "model":
     "n", "usd_per_mtok_input": 1, "usd_per_mtok_output": 1, "tokens_per_minute_quota": 1}]},
     "leaves at least 15 of 20"),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "tables", "words"), [t[1:] for t in STRICTER], ids=[t[0] for t in STRICTER])
def test_stress_that_cannot_be_served_is_told_with_its_hour(
    tmp_path: Path, policy: dict[str, Any], tables: dict[str, Any], words: str
) -> None:
    case = hand_case(policy, **tables)
    write_plan(on(case, hand_plan(hand_case())), case, tmp_path, {})
    found = [text for text in messages(case, tmp_path) if "what stands" in text]
    assert any(words in text for text in found), found


def test_one_busy_hour_among_quiet_ones_is_not_averaged_away(tmp_path: Path) -> None:
    quiet = [5.0] * 167
    case = hand_case(demand=[r for o in ("east", "west") for r in builders.profile(o, "w", [*quiet, 11.0])])
    write_plan(on(case, hand_plan(hand_case())), case, tmp_path, {})
    found = [text for text in messages(case, tmp_path) if "what stands" in text]
    assert len(found) == 2
    assert all("hour 167 (Sun 23:00 UTC): what stands leaves at least 2 of 22" in text for text in found)


def test_workloads_that_share_a_pool_are_proved_together(tmp_path: Path) -> None:
    """Each of two workloads could be served alone while a region is lost; 2 x 15 requests on 20 cannot."""
    both = [{"workload": w, "input_tokens": 60, "output_tokens": 0} for w in ("v", "w")]
    case = hand_case(
        workloads=both,
        mix=[{"workload": w, "model": "m"} for w in ("v", "w")],
        demand=[r for o in ("east", "west") for w in ("v", "w") for r in builders.profile(o, w, 7.5)],
    )
    write_plan(on(case, hand_plan(hand_case())), case, tmp_path, {})
    found = [text for text in messages(case, tmp_path) if "what stands" in text]
    assert any(text.startswith("stress: failover east") and "leaves at least 10 of 30" in text for text in found), found


def test_the_second_opinion_agrees_and_can_disagree(tmp_path: Path) -> None:
    case = hand_case()
    folder = written(case, tmp_path)
    # 12.5 units in each region hold all demand with headroom, at 744 USD each: cheaper than on demand, and they stand
    verdict = verify(case, folder, deep=True)
    assert verdict.searched is not None
    assert (verdict.searched.best_usd, verdict.searched.least_usd) == pytest.approx((18_600, 18_600))
    told = [str(f) for f in verdict.findings]
    assert told == ["optimum: the plan costs 5,208.00 USD more than it need: a plan of 18,600.00 USD exists"]
    edited(folder, lambda f: f.update(bound_usd=19_000, gap=1 - 19_000 / 23_808))
    found = messages(case, folder, deep=True)
    assert "bound: bound_usd 19000.000000 is no lower bound: a plan of 18600.000000 USD exists" in found
    assert any("certificate.parquet prove 18," in text for text in found)


def test_the_second_opinion_is_for_small_cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planner.verify.deep.MOST_FLOWS", 100)
    case = hand_case()
    with pytest.raises(PlannerError, match="at most 100"):
        verify(case, written(case, tmp_path), deep=True)


@pytest.fixture
def folder_of_input(tmp_path: Path) -> Path:
    return builders.write_folder(builders.two_regions(on_demand=on_demand_rows()), tmp_path / "in", **POLICY)


def test_the_command(tmp_path: Path, folder_of_input: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from planner.readers import load

    case = load(folder_of_input)
    plan = written(case, tmp_path / "out")
    assert main(["verify", str(folder_of_input), str(plan)]) == 0
    said = capsys.readouterr().out
    assert (
        "tiny: every rule is kept, every figure follows from its tables, every file is as listed"
        in said.splitlines()[0]
    )
    assert "more than the cheapest possible plan" in said.splitlines()[1]
    assert "23,808.00 USD" in said
    edited(plan, lambda f: f["deployments"][0].update(units=8))
    assert main(["verify", str(folder_of_input), str(plan)]) == 1
    assert "reserved: pool east-m, meter tokens, model m" in capsys.readouterr().out
    assert main(["verify", str(folder_of_input), str(plan), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["right"] is False
    assert any(f["rule"] == "reserved" for f in told["findings"])
    (plan / "dispatch.parquet").unlink()
    assert main(["verify", str(folder_of_input), str(plan)]) == 1
    assert "dispatch.parquet: is missing" in capsys.readouterr().err


def test_tampered_dispatch_is_exposed(tmp_path: Path) -> None:
    case = hand_case()
    folder = written(case, tmp_path)
    flows = pd.read_parquet(folder / "dispatch.parquet")
    flows.loc[0, "requests_per_hour"] += 0.1
    flows.to_parquet(folder / "dispatch.parquet")
    assert any("balance: origin east" in text for text in messages(case, folder))


def test_a_plan_of_other_prices_says_where_its_own_input_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # an order priced with its own prices kept every rule, was signed, and verify said five times that it is not right
    offers = [{"offer": "west-m-1m", "pool": "west-m", "usd_per_unit_hour": 0.9}]
    folder, agreed = tmp_path / "folder", tmp_path / "agreed"
    builders.write_folder(builders.tables(), folder)
    builders.write_folder(builders.tables(offers=offers), agreed)
    plan = tmp_path / "plan"
    assert main(["solve", str(agreed), "-o", str(plan), "--no-workbook", "--no-rules-cost"]) == 0
    capsys.readouterr()
    assert main(["verify", str(folder), str(plan)]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert f"The plan's own input, {plan / 'input'}, differs in offers, as" in told
    assert main(["verify", *told.split("planner verify ")[1].split(" checks")[0].split(" ")]) == 0
