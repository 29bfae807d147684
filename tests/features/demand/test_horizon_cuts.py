"""Demand of periods that are no months: events that propose them, and what is written for each."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from planner.cli import main
from planner.features.demand.folder import cuts_of, with_cuts
from planner.features.demand.forecast.events import Event, proposed_cuts
from planner.features.demand.forecast.scenarios import whole_weeks
from planner.features.demand.history import save_history
from planner.features.demand.new import NewDeployment, new_demand
from planner.readers import load
from planner.schema.settings import periods_of
from tests import builders
from tests.builders.histories import history_of

CUTS = (dt.date(2027, 3, 8), dt.date(2027, 3, 15))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("name: a\nhorizon:\n  start: 2027-03-01  # first\n  months: 1   # one\npolicy:\n  headroom: 0.2\n",
         "name: a\nhorizon:\n  start: 2027-03-01  # first\n  months: 1   # one\n  cuts: [2027-03-08, 2027-03-15]\n"
         "policy:\n  headroom: 0.2\n"),
        ("horizon: {start: 2027-03-01, months: 1}\n",
         "horizon: {start: 2027-03-01, months: 1, cuts: [2027-03-08, 2027-03-15]}\n"),
        ("horizon:\n  cuts:   # none\n  start: 2027-03-01\n  months: 1\n",
         "horizon:\n  cuts: [2027-03-08, 2027-03-15]   # none\n  start: 2027-03-01\n  months: 1\n"),
        ("horizon:\n  start: 2027-03-01\n  cuts:\n    - 2027-03-02\n    - 2027-03-03  # b\n  months: 1",
         "horizon:\n  start: 2027-03-01\n  cuts:\n    [2027-03-08, 2027-03-15]  # b\n  months: 1"),
        ("horizon:\n  start: 2027-03-01\n  months: 1",
         "horizon:\n  start: 2027-03-01\n  months: 1\n  cuts: [2027-03-08, 2027-03-15]"),
    ],
)  # fmt: skip
def test_only_the_cuts_of_plan_yaml_change(tmp_path: Path, before: str, after: str) -> None:
    found = with_cuts(before, CUTS)
    assert found == after
    (tmp_path / "plan.yaml").write_text(found)
    assert cuts_of(tmp_path) == CUTS


def event(start: str, end: str, probability: float = 1.0) -> Event:
    return Event("sale", pd.Timestamp(start, tz="UTC"), pd.Timestamp(end, tz="UTC"), None, None, 2.0, 0.0, probability)


def test_an_event_proposes_the_days_on_which_it_begins_and_is_over() -> None:
    march = periods_of(dt.date(2027, 3, 1), 1)
    assert proposed_cuts([event("2027-03-08T09:00", "2027-03-14T18:00")], march) == CUTS
    assert proposed_cuts([event("2027-03-01", "2027-04-01"), event("2027-03-05", "2027-03-06", 0.0)], march) == ()
    cut = periods_of(dt.date(2027, 3, 1), 1, CUTS)
    assert proposed_cuts([event("2027-03-08", "2027-03-15")], cut) == ()


def test_a_weekend_s_requests_are_those_of_its_days() -> None:
    """Saturday 6 and Sunday 7 March: 168 hours that count as 2 / 7 of a week each have the requests of two days."""
    periods = periods_of(dt.date(2027, 3, 1), 1, [dt.date(2027, 3, 6), dt.date(2027, 3, 8)])
    weekend = [("r", "w", "2027-03-06", 120 + h, 10.0 + h % 24 + 4 * (h >= 24)) for h in range(48)]
    frame = pd.DataFrame(weekend, columns=["region", "workload", "period", "hour_of_week", "requests_per_hour"])
    found = whole_weeks(frame, periods).sort_values("hour_of_week")
    assert found["hour_of_week"].tolist() == list(range(168))
    assert found["requests_per_hour"].sum() * 2 / 7 == pytest.approx(frame["requests_per_hour"].sum())
    assert found["requests_per_hour"].iloc[9] == 10 + 9 + 2  # Monday 09:00: the mean of both days at 09:00


def test_a_new_deployment_has_demand_in_each_part_and_grows_by_the_month() -> None:
    deployment = NewDeployment("w", "eu", "constant", 90.0, growth_per_month=0.1, start=dt.date(2027, 3, 1), months=2,
                               cuts=CUTS)  # fmt: skip
    levels = new_demand(deployment).groupby("period")["requests_per_hour"].mean()
    assert levels.to_dict() == pytest.approx(
        {"2027-03-01": 90.0, "2027-03-08": 90.0, "2027-03-15": 90.0, "2027-04": 99.0}
    )


def test_forecast_proposes_cuts_and_writes_the_demand_of_each_period(tmp_path: Path, capsys) -> None:
    history = history_of(builders.case(months=2))
    save_history(history, tmp_path / "history")
    folder = builders.write_folder(builders.tables(), tmp_path / "in", start="2027-03-01")
    (folder / "events.csv").write_text("event,start,end,multiplier\nsale,2027-03-08,2027-03-15,3\n")
    before = (folder / "plan.yaml").read_text()
    assert main(["forecast", str(tmp_path / "history"), "-o", str(folder)]) == 0
    assert "horizon.cuts: [2027-03-08, 2027-03-15]" in capsys.readouterr().out
    assert (folder / "plan.yaml").read_text() == before
    assert main(["forecast", str(tmp_path / "history"), "-o", str(folder), "--cut-at-events"]) == 0
    case = load(folder)
    assert [p.name for p in case.periods] == ["2027-03-01", "2027-03-08", "2027-03-15"]
    likely = {s.scenario: s.probability for s in case.scenarios}
    weight = case.demand["scenario"].astype(str).map(likely)
    mean = (case.demand["requests_per_hour"] * weight).groupby(case.demand["period"].astype(str)).sum() / 168
    assert mean.to_numpy() == pytest.approx(np.array([10.0, 30.0, 10.0]), rel=0.02)
