"""plan.json and the Parquet tables: what they hold, read back the same, whole or not there, faults in words."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from planner.errors import InputError
from planner.plan import files
from planner.plan.audit import audit
from planner.plan.files import read_plan, write_plan
from planner.plan.plan import DISPATCH_COLUMNS, Plan
from tests.builders.hand_plans import hand_case, hand_plan


@pytest.fixture
def case() -> Any:
    return hand_case()


def with_rents(plan: Plan) -> Plan:
    rent = {"pool": ["east-m"], "meter": ["tokens"], "model": ["m"], "scenario": ["base"], "period": ["2027-01"],
            "hour_of_week": [3], "usd_per_unit": [4.5]}  # fmt: skip
    return replace(plan, rents=pd.DataFrame(rent), stress_rents=pd.DataFrame({"case": ["failover east"], **rent}))


def test_a_plan_comes_back_as_it_was_written(case: Any, tmp_path: Path) -> None:
    plan = with_rents(hand_plan(case))
    write_plan(plan, case, tmp_path)
    back = read_plan(tmp_path)
    assert (back.name, back.input_digest, back.totals, back.proof) == (
        plan.name, plan.input_digest, plan.totals, plan.proof
    )  # fmt: skip
    for table in ("purchases", "deployments", "dispatch", "stress_slots", "stress_dispatch", "rents", "stress_rents"):
        pd.testing.assert_frame_equal(
            getattr(back, table), getattr(plan, table)[list(getattr(back, table))], check_dtype=False,
            check_categorical=False,
        )  # fmt: skip
    assert audit(case, back) == []


def test_plan_json_states_what_model_md_asks_for(case: Any, tmp_path: Path) -> None:
    write_plan(hand_plan(case), case, tmp_path, {"utilisation": 0.8})
    found = json.loads((tmp_path / "plan.json").read_text())
    parts = ["reserved_usd", "tail_usd", "unreserved_usd", "on_demand_usd", "egress_usd", "sunk_usd"]
    assert found["status"] == "gap"
    assert found["total_usd"] == sum(found[part] for part in parts) == 23_808
    assert found["purchases"][0] == {"offer": "east-m-1m", "period": "2027-01", "units": 10, "usd": 7_440}
    assert found["deployments"][1] == {
        "pool": "west-m", "meter": "tokens", "model": "m", "period": "2027-01", "units": 10,
    }  # fmt: skip
    assert found["input_digest"] == case.digest
    assert found["summary"]["utilisation"] == 0.8


def test_the_weaker_claim_is_said_to_be_weaker(case: Any, tmp_path: Path) -> None:
    plan = hand_plan(case)
    proof = replace(plan.proof, tree_bound_usd=23_807.0, tree_gap=1 / 23_808)
    write_plan(replace(plan, proof=proof), case, tmp_path, {})
    found = json.loads((tmp_path / "plan.json").read_text())
    assert found["tree_bound_usd"] == 23_807
    assert "the weaker claim" in found["proof"]
    assert read_plan(tmp_path).proof == replace(proof, tree_gap=found["tree_gap"])


def test_dispatch_has_exactly_the_columns_asked_for(case: Any, tmp_path: Path) -> None:
    write_plan(hand_plan(case), case, tmp_path, {})
    found = pd.read_parquet(tmp_path / "dispatch.parquet")
    assert tuple(found.columns) == DISPATCH_COLUMNS
    assert set(found["scenario"]) == {"base"}
    assert len(found) == 4 * 168


def test_the_same_plan_gives_the_same_bytes(case: Any, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_plan(hand_plan(case), case, tmp_path / name)
    for file in ("plan.json", "dispatch.parquet", "stress.parquet", "rents.parquet"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_numbers_have_twelve_digits_and_none_is_infinite() -> None:
    told = files.rounded({"a": 1 / 3, "b": [float("nan"), float("inf"), 1e-20 / 3], "c": True, "d": -0.0})
    assert json.dumps(told) == '{"a": 0.333333333333, "b": [null, null, 3.33333333333e-21], "c": true, "d": 0.0}'


@pytest.mark.parametrize("stopped_at", range(5))
def test_an_interruption_leaves_the_older_plan_whole(
    case: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped_at: int
) -> None:
    plan = hand_plan(case)
    write_plan(plan, case, tmp_path / "plan", {})
    before = {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    count = iter(range(10))

    def stopping(write: Callable[..., None]) -> Callable[..., None]:
        def wrapped(*arguments: Any) -> None:
            if next(count) == stopped_at:
                raise KeyboardInterrupt
            write(*arguments)

        return wrapped

    monkeypatch.setattr(files, "_parquet", stopping(files._parquet))
    monkeypatch.setattr(files, "digests_in", stopping(files.digests_in))
    with pytest.raises(KeyboardInterrupt):
        write_plan(replace(plan, name="new", dispatch=plan.dispatch.iloc[:5]), case, tmp_path / "plan", {})
    assert {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def edited(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    path = folder / "plan.json"
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found))


FAULTS: list[tuple[str, Callable[[Path], Any], str]] = [
    ("no plan.json", lambda d: (d / "plan.json").unlink(), "plan.json: is missing; `planner solve` writes it"),
    ("no dispatch", lambda d: (d / "dispatch.parquet").unlink(), "dispatch.parquet: is missing"),
    ("empty plan.json", lambda d: (d / "plan.json").write_text(""), "cannot be read as JSON"),
    ("plan.json of another kind", lambda d: (d / "plan.json").write_text("[]"), "holds no object"),
    ("not Parquet", lambda d: (d / "stress.parquet").write_text("x"), "stress.parquet: cannot be read as Parquet"),
    ("no bound", lambda d: edited(d, lambda f: f.pop("bound_usd")), "column bound_usd: is missing or not a number"),
    ("text for a number", lambda d: edited(d, lambda f: f.update(egress_usd="x")), "column egress_usd"),
    ("units that are text", lambda d: edited(d, lambda f: f["purchases"][0].update(units="ten")), "some units is not"),
    ("a purchase without units", lambda d: edited(d, lambda f: f["purchases"][0].pop("units")), "column purchases"),
    ("no deployments", lambda d: edited(d, lambda f: f.pop("deployments")), "column deployments"),
    ("a total that is no sum", lambda d: edited(d, lambda f: f.update(total_usd=20_000)), "parts add up to 23808.0"),
    ("a column lost", lambda d: pd.DataFrame({"origin": ["east"]}).to_parquet(d / "dispatch.parquet"),
     "dispatch.parquet, column workload: is missing"),
    ("text for requests", lambda d: pd.read_parquet(d / "dispatch.parquet").astype({"requests_per_hour": str})
     .to_parquet(d / "dispatch.parquet"), "column requests_per_hour: holds no numbers"),
]  # fmt: skip


@pytest.mark.parametrize(("break_it", "words"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
def test_what_cannot_be_read_is_said_in_words(
    case: Any, tmp_path: Path, break_it: Callable[[Path], Any], words: str
) -> None:
    write_plan(hand_plan(case), case, tmp_path, {})
    break_it(tmp_path)
    with pytest.raises(InputError) as caught:
        read_plan(tmp_path)
    assert words in str(caught.value)


def test_all_that_is_wrong_is_said_at_once(case: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_plan(tmp_path)
    assert len(caught.value.faults) == 5  # plan.json and four tables


@pytest.mark.parametrize(("table", "column"), [("rents", "pool"), ("dispatch", "model"), ("stress", "case")])
def test_a_row_without_a_name_is_a_fault(case: Any, tmp_path: Path, table: str, column: str) -> None:
    write_plan(with_rents(hand_plan(case)), case, tmp_path)
    path = tmp_path / f"{table}.parquet"
    rows = pd.read_parquet(path).astype({column: object})
    rows.loc[0, column] = None
    rows.to_parquet(path)
    with pytest.raises(InputError, match=f"{table}.parquet, column {column}: has a row without a name"):
        read_plan(tmp_path)
