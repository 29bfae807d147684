"""The profile: statistics by hour of week, marked hours, real weeks as scenarios, and the same charts every time."""

import io

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from planner.cli import main
from planner.features.demand.charts import print_curve, print_heat_map
from planner.features.demand.history import History, save_history, tidy
from planner.features.demand.marks import Treatment, mark_hours
from planner.features.demand.profile import profile, scenario_weeks
from planner.features.demand.series import hourly_series
from tests.builders.usage import history, office


def test_a_profile_solved_by_hand():
    result = profile(history())
    row = result.summary.iloc[0]
    # a day runs 100, 110, ... 330: mean 215, peak 330; 1000 tokens in of which 300 cached and 100 written
    assert row["mean_requests_per_hour"] == pytest.approx(215)
    assert row["peak_over_mean"] == pytest.approx(330 / 215)
    assert row["weekend_over_weekday"] == pytest.approx(1.0)
    assert row["same_hour_variation"] == pytest.approx(0.0)
    assert [row["input_tokens"], row["output_tokens"]] == pytest.approx([1000, 50])
    assert [row["cache_hit_rate"], row["cache_write_rate"]] == pytest.approx([0.3, 0.1])
    assert row["burst_factor"] is None or np.isnan(row["burst_factor"])  # no hour holds 600 requests
    assert result.weeks["mean"].tolist() == pytest.approx([100 + 10 * (h % 24) for h in range(168)])
    assert set(result.weeks["weeks_seen"]) == {4}
    assert result.marks.empty


def test_outages_gaps_and_spikes_are_marked_and_count_unless_a_user_says_otherwise():
    whole = history()
    rows = whole.rows.copy()
    rows.loc[200:203, "requests"] = 1.0  # an outage of four hours
    rows.loc[300, "requests"] = 5000.0  # a spike that came once
    rows = rows.drop(index=range(400, 410))  # ten hours without any row
    marks = mark_hours(hourly_series(History(tidy(rows))).requests)
    assert marks["mark"].value_counts().to_dict() == {"gap": 10, "outage": 4, "spike": 1}
    odd = History(tidy(rows))
    assert profile(odd).summary.iloc[0]["peak_requests_per_hour"] == 5000
    assert profile(odd).weeks["mean"].iloc[200 - 168] == pytest.approx((3 * (100 + 10 * (200 % 24)) + 1) / 4)
    # hour 300 is a Tuesday's 12:00, usually 220: cut to three times that
    assert profile(odd, Treatment(cap_spikes=True)).summary.iloc[0]["peak_requests_per_hour"] == pytest.approx(660)
    skipped = profile(odd, Treatment(skip_outages=True))
    assert skipped.weeks["mean"].iloc[200 - 168] == pytest.approx(100 + 10 * (200 % 24))


@pytest.mark.parametrize("weeks", [1, 2, 4])
def test_a_quiet_hour_of_a_log_is_zero(weeks):
    series = hourly_series(office(weeks))
    assert series.requests.notna().all().all()
    # from Monday 8:00 to Friday 17:00: 50 hours of 120 a week, zeros between
    assert series.requests.sum().tolist() == [weeks * 6000]
    assert any("zeros: nobody asked" in note for note in series.notes)
    unknown = hourly_series(office(weeks), "unknown").requests
    assert unknown.isna().sum().tolist() == [len(unknown) - 50 * weeks]


def test_a_lost_day_of_a_log_is_unknown_unless_a_user_says_that_nobody_asked():
    tuesday = range(168 + 24, 168 + 48)
    series = hourly_series(office(4, lost=tuesday))
    # silent from Monday 18:00 to Wednesday 8:00, of which ten hours are usually busy
    assert series.requests.isna().sum().tolist() == [38]
    assert any("log is taken to be missing" in note for note in series.notes)
    assert hourly_series(office(4, lost=tuesday), "zero").requests.notna().all().all()


def test_a_log_that_goes_on_tells_that_one_workload_was_quiet():
    steady = history(4, lambda h: 1000, "steady").rows
    both = hourly_series(History(tidy(pd.concat([steady, office(4).rows])))).requests
    assert both[("eu", "office")].iloc[-54:].tolist() == [0.0] * 54  # from Friday 18:00, where its rows end
    ended = history(2, lambda h: 500, "ended").rows  # never silent for an hour, and then for two weeks
    other = hourly_series(History(tidy(pd.concat([steady, ended])))).requests
    assert other[("eu", "ended")].iloc[336:].isna().all()


def test_a_sparse_log_has_quiet_hours_and_no_gap():
    rng = np.random.default_rng(5)
    rows = history(4, lambda h: rng.poisson(0.7, len(h)), "rare").rows
    sparse = History(tidy(rows[rows["requests"] > 0]))
    assert hourly_series(sparse).requests.isna().sum().sum() == 0


def test_quiet_weekends_of_a_short_history_are_no_outage():
    def level(h):
        return np.where(h % 168 >= 120, 20.0, 400.0)

    for weeks in (1, 2):
        assert mark_hours(hourly_series(history(weeks, level)).requests).empty


def test_growth_and_a_recurring_peak_are_no_marks():
    grown = history(12, lambda h: (100 + 10 * (h % 24)) * 1.1 ** (h // 168))
    assert mark_hours(hourly_series(grown).requests).empty
    monday_rush = history(6, lambda h: np.where(h % 168 == 9, 2000, 100))
    assert mark_hours(hourly_series(monday_rush).requests).empty


def test_each_real_week_is_a_scenario():
    table = scenario_weeks(history(3, lambda h: 100 * (1 + h // 168)))
    assert table.groupby("scenario")["requests_per_hour"].unique().map(list).tolist() == [[100], [200], [300]]
    assert set(table["probability"]) == {1 / 3}
    assert len(scenario_weeks(history(3), last=2)) == 2 * 168


def test_days_alone_have_no_profile(tmp_path, capsys):
    rows = history(1).rows.iloc[:5].assign(bucket_hours=24.0)
    save_history(History(tidy(rows)), tmp_path / "h")
    assert main(["profile", str(tmp_path / "h")]) == 1
    assert "no hour of the week" in capsys.readouterr().err


def test_the_command_writes_tables_charts_and_scenarios_the_same_each_time(tmp_path, capsys):
    save_history(history(), tmp_path / "h")
    for name in ("one", "two"):
        assert (
            main(["profile", str(tmp_path / "h"), "-o", str(tmp_path / name), "--scenarios", str(tmp_path / "plan")])
            == 0
        )
    assert "mean 215.0/h" in capsys.readouterr().out
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == ["heat_map.png", "heat_map.svg", "marks.csv", "profile.csv", "profile.json", "week.png", "week.svg"]
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert pd.read_csv(tmp_path / "plan" / "scenarios.csv")["probability"].sum() == pytest.approx(1)
    demand = pd.read_csv(tmp_path / "plan" / "demand.csv")
    assert len(demand) == 4 * 168


def test_a_wrong_name_is_told_with_the_right_ones(tmp_path, capsys):
    save_history(history(), tmp_path / "h")
    assert main(["profile", str(tmp_path / "h"), "--region", "us"]) == 1
    assert "allowed: eu" in capsys.readouterr().err


def two_series():
    """``old``: 100 requests an hour for three weeks, and an outage; ``new``: 400 from the fourth on."""
    old = history(3, lambda h: np.where(h == 200, 0, 100), "old").rows
    new = history(6, lambda h: 400, "new").rows.iloc[3 * 168 :]
    return History(tidy(pd.concat([old, new])))


def test_series_that_never_lived_together_are_not_added_up():
    result = profile(two_series())
    together = result.together.set_index("hour_of_week")
    assert set(together["max"]) == {400.0}  # not 500
    assert set(together["mean"].drop(200 - 168)) == {250.0}  # three weeks of 100, three of 400
    assert together.loc[200 - 168, "mean"] == pytest.approx((2 * 100 + 0 + 3 * 400) / 6)
    assert result.summary.iloc[-1][["region", "workload", "peak_requests_per_hour"]].tolist() == ["all", "all", 400.0]


def test_an_outage_of_one_series_leaves_the_others_in_the_sum():
    steady = history(4, lambda h: 1000, "steady").rows
    broken = history(4, lambda h: np.where(h == 200, 0, 100), "broken").rows
    both = History(tidy(pd.concat([steady, broken])))
    assert profile(both).together["mean"].iloc[200 - 168] == pytest.approx((3 * 1100 + 1000) / 4)  # it counts
    together = profile(both, Treatment(skip_outages=True)).together
    assert set(together["mean"]) == {1100.0}
    assert set(together["weeks_seen"]) == {4}


def test_real_weeks_know_no_gap_where_a_series_begins_or_ends():
    table = scenario_weeks(two_series())
    means = table.groupby(["scenario", "workload"])["requests_per_hour"].mean().unstack()  # noqa: PD010
    assert means["new"].tolist() == [0, 0, 0, 400, 400, 400]
    assert means["old"].iloc[0] == 100


def printed(weeks, width):
    console = Console(width=width, record=True, file=io.StringIO(), color_system=None)
    print_heat_map(weeks, console)
    print_curve(weeks, console)
    return console.export_text()


def test_the_terminal_tells_hours_never_seen_and_keeps_to_its_width():
    days = History(history(1).rows.iloc[:72])
    text = printed(profile(days).together, 80)
    assert max(len(line) for line in text.splitlines()) <= 80
    thursday = next(line for line in text.splitlines() if line.startswith("Thu"))
    assert "·" in thursday
    assert thursday.rstrip().endswith("-")
    assert "never seen" in text
    assert "never seen" not in printed(profile(history(2)).together, 120)


def test_a_name_is_shown_as_it_is_spelled(tmp_path, capsys):
    whole = history()
    save_history(History(whole.rows.assign(workload="chat [red]eu[/red]"), whole.report), tmp_path / "h")
    assert main(["profile", str(tmp_path / "h")]) == 0
    assert "chat [red]eu[/red]: mean" in capsys.readouterr().out
