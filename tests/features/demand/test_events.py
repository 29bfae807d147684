"""One-time events: full height, the right weight, together where they overlap, and room left for the futures."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from planner.errors import InputError
from planner.features.demand.forecast.events import Event, event_weeks, load_events, outside, with_events
from planner.schema.settings import periods_of

HEADER = "event,start,end,region,workload,multiplier,added_requests_per_hour,probability\n"
FUTURES = {"low": (90.0, 0.3), "base": (100.0, 0.4), "high": (120.0, 0.3), "stress": (150.0, 0.0)}


def event(name, start, end, multiplier=2.0, added=0.0, probability=1.0, region=None, workload=None):
    start, end = pd.Timestamp(start, tz="UTC"), pd.Timestamp(end, tz="UTC")
    return Event(name, start, end, region, workload, multiplier, added, probability)


def flat(level, periods, series=(("eu", "chat"),)):
    rows = [(r, w, p.name, h, level) for r, w in series for p in periods for h in range(168)]
    return pd.DataFrame(rows, columns=["region", "workload", "period", "hour_of_week", "requests_per_hour"])


def planned(events, start=dt.date(2026, 9, 1), months=1, series=(("eu", "chat"),)):
    periods = periods_of(start, months)
    parts = [flat(v, periods, series).assign(scenario=n, probability=p) for n, (v, p) in FUTURES.items()]
    return with_events(pd.concat(parts, ignore_index=True), flat(100.0, periods, series), events, periods)


def probabilities(table):
    return table.drop_duplicates("scenario").set_index("scenario")["probability"]


def week_of(table, scenario, month="2026-09"):
    return table[(table["scenario"] == scenario) & (table["period"] == month)]["requests_per_hour"].to_numpy()


def expected_requests(table):
    """Requests of each month: the mean over scenarios, in the month's hours."""
    hours = {p: pd.Period(p).days_in_month * 24 for p in table["period"].unique()}
    mean = table["requests_per_hour"] * table["probability"]
    return (mean.groupby(table["period"]).sum() / 168 * pd.Series(hours)).to_dict()


def test_an_event_of_nine_days_is_at_full_height_on_all_of_them():
    table = planned([event("campaign", "2026-09-01", "2026-09-10")])
    weights = probabilities(table)
    assert weights.sum() == pytest.approx(1.0)
    assert weights["campaign"] == pytest.approx(1 / (30 / 7))
    assert weights["campaign 2"] == pytest.approx(1 / (30 / 7))
    assert week_of(table, "campaign") == pytest.approx(200.0)  # seven of the days, Tuesday to Monday
    second = week_of(table, "campaign 2")  # Tuesday and Wednesday
    assert second[24:72] == pytest.approx(200.0)
    assert np.delete(second, range(24, 72)) == pytest.approx(100.0)


def test_events_that_overlap_are_in_one_week_together():
    events = [
        event("campaign", "2026-09-07", "2026-09-14", 1.5, region="eu"),
        event("launch", "2026-09-09", "2026-09-10", 2.0),
        event("fair", "2026-09-09", "2026-09-10", 1.0, added=60.0, workload="chat"),
    ]
    table = planned(events, series=(("eu", "chat"), ("us", "chat")))
    assert list(probabilities(table).index) == [*FUTURES, "campaign + launch + fair"]
    week = table[table["scenario"] == "campaign + launch + fair"].set_index(["region", "hour_of_week"])
    assert week.loc[("eu", 0), "requests_per_hour"] == 150.0
    assert week.loc[("eu", 48), "requests_per_hour"] == 100.0 * 1.5 * 2 + 30
    assert week.loc[("us", 48), "requests_per_hour"] == 100.0 * 2 + 30
    assert week.loc[("us", 47), "requests_per_hour"] == 100.0


def test_what_may_happen_gives_a_week_for_each_outcome():
    events = [
        event("launch", "2026-09-07", "2026-09-14", 2.0, probability=0.5),
        event("fair", "2026-09-08", "2026-09-09", 3.0, probability=0.2),
    ]
    shares = {week.name: week.share for week in event_weeks(events, periods_of(dt.date(2026, 9, 1), 1)[0])}
    week = 7 / 30
    assert shares == pytest.approx({"launch + fair": 0.1 * week, "launch": 0.4 * week, "fair": 0.1 * week})


def test_what_may_happen_in_a_period_of_days_has_its_chance_and_no_more():
    """Two days: a launch on both, and with 0.25 a fair on the second."""
    days = periods_of(dt.date(2026, 9, 1), 1, (dt.date(2026, 9, 8), dt.date(2026, 9, 10)))
    events = [
        event("launch", "2026-09-08", "2026-09-10", 2.0),
        event("fair", "2026-09-09", "2026-09-10", 1.0, added=400.0, probability=0.25),
    ]
    shares = {week.name: week.share for week in event_weeks(events, days[1])}
    assert shares == pytest.approx({"launch + fair": 0.25, "launch": 0.75})
    table = with_events(flat(100.0, days).assign(scenario="base", probability=1.0), flat(100.0, days), events, days)
    assert probabilities(table).to_dict() == pytest.approx({"base": 0.75, "launch + fair": 0.25})
    mean = (table["requests_per_hour"] * table["probability"]).groupby([table["period"], table["hour_of_week"]]).sum()
    assert mean[("2026-09-08", 24)] == pytest.approx(200.0)  # Tuesday
    assert mean[("2026-09-08", 48)] == pytest.approx(200.0 + 0.25 * 400.0)


def test_a_year_of_campaigns_leaves_room_for_the_futures():
    events = [event("sale", f"2027-{m:02d}-10", f"2027-{m:02d}-15") for m in range(1, 13)]
    table = planned(events, dt.date(2027, 1, 1), 12)
    weights = probabilities(table)
    assert list(weights.index) == [*FUTURES, "sale"]
    assert weights["sale"] == pytest.approx(7 / 30.4, rel=0.1)
    assert weights["base"] == pytest.approx(0.4 * (1 - weights["sale"]))


def test_an_event_that_fills_a_month_raises_all_its_futures():
    events = [event("season", "2026-09-01", "2026-10-01", 3.0), event("launch", "2026-09-07", "2026-09-08", 2.0)]
    table = planned(events, months=2)
    assert week_of(table, "high") == pytest.approx(360.0)
    assert week_of(table, "stress") == pytest.approx(450.0)
    assert week_of(table, "high", "2026-10") == pytest.approx(120.0)
    both = week_of(table, "season + launch")
    assert both[0:24] == pytest.approx(600.0)
    assert both[24:] == pytest.approx(300.0)
    assert week_of(table, "season + launch", "2026-10") == pytest.approx(100.0)


@pytest.mark.parametrize(
    "spans",
    [
        [("2026-09-01", "2026-09-02")],
        [("2026-09-29", "2026-10-03")],  # over the end of a month
        [("2026-09-22", "2026-09-25"), ("2026-09-28", "2026-09-30")],
        [("2026-09-01", "2026-09-15"), ("2026-09-20", "2026-10-11")],
        [("2026-09-03", "2026-09-04"), ("2026-09-07", "2026-09-08"), ("2026-09-30", "2026-10-01")],
    ],
)
def test_an_event_adds_what_it_lasts(spans):
    """Added requests a month are hours x rate, whatever the weeks are cut into (months' weeks differ by 3 %)."""
    events = [event(f"e{k}", a, b, 1.0, added=1000.0) for k, (a, b) in enumerate(spans)]
    table = planned(events, months=2)
    without = planned([], months=2)
    added = {
        month: expected_requests(table)[month] - expected_requests(without)[month] for month in ("2026-09", "2026-10")
    }
    hours = pd.DatetimeIndex(np.concatenate([pd.date_range(a, b, freq="h", inclusive="left") for a, b in spans]))
    at = float(probabilities(table).drop(list(FUTURES)).sum())
    futures_mean = 0.3 * 90 + 0.4 * 100 + 0.3 * 120 - 100  # what the futures' mean lies above the central one
    for month, value in added.items():
        month_hours = pd.Period(month).days_in_month * 24
        wanted = 1000.0 * (hours.strftime("%Y-%m") == month).sum() - at * futures_mean * month_hours
        assert value == pytest.approx(wanted, rel=0.04, abs=1.0)


def test_scenarios_of_one_name_are_told_apart():
    table = planned([event("base", "2026-09-07", "2026-09-08"), event("base", "2026-09-20", "2026-09-22")])
    assert list(probabilities(table).index) == [*FUTURES, "base 2", "base 3"]
    assert set(table.groupby("scenario").size()) == {168}


def test_events_that_cannot_be_placed():
    with pytest.raises(InputError, match="no demand together"):
        planned([event("x", "2026-09-07", "2026-09-08", region="us", workload="chat")], series=(("eu", "chat"),))
    with pytest.raises(InputError, match="may or may not happen"):
        planned([event(f"x{k}", "2026-09-07", "2026-09-08", probability=0.5) for k in range(6)])
    early = event("past", "2026-08-01", "2026-09-01")
    assert outside([early, event("in", "2026-08-31", "2026-09-02")], periods_of(dt.date(2026, 9, 1), 1)) == ["past"]


def test_an_event_that_changes_nothing_is_a_fault(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text(HEADER + "x,2026-09-01,2026-09-02,,,,,\n")
    with pytest.raises(InputError, match="changes nothing"):
        load_events(path, ["eu"], ["chat"])
