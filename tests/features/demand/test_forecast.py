"""Forecasts: exact where the future is certain, honest where it is not, and never worse than they say."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from planner.cli import main
from planner.errors import InputError
from planner.features.demand.forecast.accuracy import bias, coverage, pinball, wape
from planner.features.demand.forecast.candidates import CANDIDATE, CANDIDATES, to_weeks
from planner.features.demand.forecast.choice import choose, held_out_plan
from planner.features.demand.forecast.events import load_events
from planner.features.demand.forecast.forecast import Assumptions, forecast
from planner.features.demand.forecast.spread import Spread, hour_ratios, level_ratios, spread_of, unknown_spread
from planner.features.demand.history import save_history
from planner.features.demand.marks import Treatment
from tests.builders.usage import DAY, MONDAY, WEEK, as_history, of, office


def table(result, scenario):
    return result.demand[result.demand["scenario"] == scenario]


def test_measures_by_hand():
    actual, guess = np.array([10.0, 20.0, np.nan, 30.0]), np.array([12.0, 15.0, 9.0, 30.0])
    assert wape(actual, guess) == pytest.approx((2 + 5) / 60)
    assert bias(actual, guess) == pytest.approx((2 - 5) / 60)
    assert pinball(actual, guess, 0.9) == pytest.approx((0.1 * 2 + 0.9 * 5) / 60)
    assert coverage(actual, guess) == pytest.approx(2 / 3)  # 10 <= 12 and 30 <= 30, but 20 > 15


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda c: c.name)
def test_every_model_repeats_a_week_that_repeats(candidate):
    weeks = to_weeks(np.tile(WEEK, 60))
    assert candidate.predict(weeks, 3) == pytest.approx(np.tile(WEEK, (3, 1)), rel=1e-6)


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda c: c.name)
def test_no_model_is_thrown_by_holes(candidate):
    weeks = to_weeks(np.tile(WEEK, 60))
    weeks[-1, 30:50] = np.nan
    weeks[-3] = np.nan
    assert candidate.predict(weeks, 2) == pytest.approx(np.tile(WEEK, (2, 1)), rel=1e-6)


def test_growth_is_found_and_beats_the_last_week():
    values = np.concatenate([WEEK * 1.04**k for k in range(24)])
    choice = choose(values, np.ones(len(values)), 4)
    assert choice.model in ("theta", "damped_trend", "mean_of_models")
    assert choice.measures["wape"] < 0.7 * choice.measures["wape_seasonal_naive"]


def test_a_model_that_was_hardly_tried_is_not_chosen():
    values = np.concatenate([WEEK * 1.04**k for k in range(13)])
    choice = choose(values, np.ones(len(values)), 3)
    assert min(choice.by_model, key=choice.by_model.__getitem__) == "damped_trend"  # right, from one origin of seven
    assert choice.model == "theta"


def test_the_held_out_weeks_are_never_seen():
    ahead, origins = held_out_plan(20, 4)
    assert ahead == 4
    assert max(origins) == 16
    assert held_out_plan(1, 4) == (0, [])
    assert held_out_plan(2, 4) == (1, [1])


def test_levels_widen_with_time():
    spread = Spread(np.ones(201), 0.0, 0.1, float("inf"))
    upper, lower = level_ratios(spread, 0.9, 9), level_ratios(spread, 0.1, 9)
    assert upper[0] == pytest.approx(np.exp(0.1 * 1.28155))
    assert np.log(upper) == pytest.approx(0.128155 * np.sqrt(1 + np.arange(9) / 2), rel=1e-4)
    assert upper * lower == pytest.approx(np.ones(9))
    assert hour_ratios(spread, 0.9, 9) == pytest.approx(upper, rel=0.025)  # no scatter: one of 41 levels
    assert level_ratios(Spread(np.ones(201), 0.0, 0.1, 3.0), 0.9, 1) == pytest.approx(np.exp(0.1 * 1.6377), rel=1e-4)


def test_the_spread_of_an_hour_by_hand():
    # one origin, two weeks ahead: 10 % and 21 % above; the levels never moved in two weeks: variance (0.1^2 + 0) / 2,
    # which counts as one origin; so does what was held out
    guess = np.full((2, 168), 10.0)
    pair = (guess * np.array([[1.1], [1.21]]), guess)
    spread = spread_of([pair], np.array([10.0, 10.0]), 1.0)
    assert spread is not None
    assert spread.scatter == pytest.approx(np.ones(201))  # within its week each hour came as forecast
    near, far = np.log(1.1), np.log(1.21) / np.sqrt(1.5)  # the second week's, as if it were one week ahead
    assert spread.centre == pytest.approx((near + far) / 4)  # half believed: one origin
    squares = ((near - spread.centre) ** 2 + (far - spread.centre) ** 2) / 2
    assert spread.deviation == pytest.approx(np.sqrt((0.005 + squares) / 2))
    assert spread.freedom == 3.0


def test_a_week_of_which_little_is_known_tells_no_level():
    guess = np.full((2, 168), 10.0)
    came = guess.copy()
    came[1] = 30.0
    came[1, 20:] = np.nan
    spread = spread_of([(came, guess)], np.array([10.0, 10.0]), 1.0)
    assert spread is not None
    assert spread.centre == pytest.approx(0.0)
    assert spread_of([(np.full((1, 168), np.nan), guess[:1])], np.array([10.0]), 1.0) is None


def test_with_nothing_held_out_the_days_tell_the_scatter_and_the_level_may_be_anything():
    steady = unknown_spread(np.tile(DAY, 7))
    assert hour_ratios(steady, 0.9, 3) == pytest.approx([np.exp(0.4 * 1.28155)] * 3, rel=0.025)
    assert level_ratios(steady, 0.1, 1) == pytest.approx(np.exp(-0.4 * 1.28155), rel=1e-4)
    noisy = unknown_spread(np.tile(DAY, 7) * np.random.default_rng(0).lognormal(0, 0.5, 168))
    assert hour_ratios(noisy, 0.9, 1)[0] > 1.3 * hour_ratios(steady, 0.9, 1)[0]
    assert level_ratios(noisy, 0.9, 1) == pytest.approx(level_ratios(steady, 0.9, 1))
    assert np.isfinite(hour_ratios(unknown_spread(np.zeros(168)), 0.9, 2)).all()
    assert np.isfinite(hour_ratios(unknown_spread(np.zeros(0)), 0.9, 2)).all()


def levels_that(family, rng, weeks):
    """Return logarithms of weekly levels: of demand that is steady, drifts, grows, or moves in steps."""
    drift = np.cumsum(rng.normal(0, 0.06, weeks))
    return {
        "is steady": rng.normal(0, 0.05, weeks),
        "drifts": drift,
        "grows": 0.025 * np.arange(weeks) + drift / 3,
        "moves in steps": np.cumsum((rng.random(weeks) < 0.05) * rng.normal(0, 0.3, weeks)),
    }[family]


@pytest.mark.parametrize("family", ["is steady", "drifts", "grows", "moves in steps"])
def test_p90_covers_nine_hours_of_ten_on_average(family):
    # weeks known, weeks ahead; with 200 histories of each kind 0.93, 0.91, 0.90 and 0.93 in this order
    covered = []
    for seed in range(30):
        known, ahead = [(3, 1), (6, 4), (16, 4)][seed % 3]
        rng = np.random.default_rng(seed)
        levels = np.repeat(np.exp(levels_that(family, rng, known + ahead)), 168)
        values = np.tile(WEEK, known + ahead) * levels * rng.lognormal(0, 0.1, len(levels))
        past, came = values[: known * 168], values[known * 168 :]
        choice = choose(past, np.ones(len(past)), ahead)
        guess = CANDIDATE[choice.model].predict(to_weeks(past), ahead)
        covered.append(coverage(came, (guess * hour_ratios(choice.spread, 0.9, ahead)[:, None]).ravel()))
    assert 0.84 <= np.mean(covered) <= 0.97


def test_growth_is_carried_on_no_further_than_it_was_seen():
    weeks = to_weeks(np.concatenate([WEEK * 1.05**k for k in range(10)]))
    levels = np.log(CANDIDATE["damped_trend"].predict(weeks, 40).mean(axis=1))
    assert levels[1] > levels[0]
    assert 0 < levels[39] - levels[0] <= 10 * np.log(1.05)


def test_an_empty_week_is_no_trend():
    values = np.concatenate([WEEK, WEEK, WEEK * 0, WEEK, WEEK, WEEK])
    for name in ("theta", "mean_of_models"):
        path = CANDIDATE[name].predict(to_weeks(values), 4)
        assert path.max() < 2 * WEEK.max()


def test_two_weeks_are_better_than_the_last():
    values = np.tile(WEEK, 3) * np.random.default_rng(3).lognormal(0, 0.3, 3 * 168)
    choice = choose(values[:336], np.ones(336), 1)
    guess = CANDIDATE[choice.model].predict(to_weeks(values[:336]), 1)
    assert wape(values[336:], guess.ravel()) < 0.95 * wape(values[336:], values[168:336])


def test_p90_covers_what_it_says_on_a_noisy_series():
    rng = np.random.default_rng(7)
    values = np.tile(WEEK, 30) * rng.lognormal(0, 0.15, 30 * 168)
    choice = choose(values[: 26 * 168], np.ones(26 * 168), 4)
    upper = np.tile(WEEK, 4) * np.repeat(hour_ratios(choice.spread, 0.9, 4), 168)
    assert 0.85 <= coverage(values[26 * 168 :], upper) <= 0.95
    assert 0.85 <= choice.measures["coverage_p90"] <= 0.95


def test_a_month_is_the_mean_of_its_weeks_in_three_futures_and_a_stress():
    result = forecast(as_history(of(np.tile(WEEK, 8))), dt.date(2026, 5, 1), 2)
    assert result.scenarios.set_index("scenario")["probability"].to_dict() == {
        "low": 0.3,
        "base": 0.4,
        "high": 0.3,
        "stress": 0.0,
    }
    for period in ("2026-05", "2026-06"):
        month = table(result, "base")
        assert month[month["period"] == period]["requests_per_hour"].to_numpy() == pytest.approx(WEEK, rel=1e-6)
    assert (table(result, "stress")["requests_per_hour"].to_numpy() >= 0.999 * np.tile(WEEK, 2)).all()


def test_under_two_weeks_it_says_so_and_widens():
    result = forecast(as_history(of(WEEK)), dt.date(2026, 4, 1), 1)
    assert any("under two weeks" in note for note in result.notes)
    base = table(result, "base")["requests_per_hour"].to_numpy()
    assert table(result, "high")["requests_per_hour"].to_numpy() == pytest.approx(
        np.exp(0.4 * 1.28155) * base, rel=1e-4
    )
    assert result.accuracy["origins"].tolist() == [0]
    with pytest.raises(InputError, match="under one day"):
        forecast(as_history(of(DAY[:20])), dt.date(2026, 4, 1), 1)
    short = forecast(as_history(of(np.tile(DAY, 3))), dt.date(2026, 4, 1), 1)
    assert table(short, "base")["requests_per_hour"].to_numpy() == pytest.approx(WEEK)


def test_growth_that_is_given_replaces_the_models():
    result = forecast(as_history(of(np.tile(WEEK, 8))), dt.date(2026, 5, 1), 2, Assumptions(growth_per_month=0.1))
    level = table(result, "base").groupby("period")["requests_per_hour"].mean() / WEEK.mean()
    # the history ends on 26 April: the middle of May is 19.5 days later, that of June 50
    assert level.to_numpy() == pytest.approx([1.1 ** (19.5 / 30.44), 1.1 ** (50 / 30.44)], rel=0.01)


def test_a_season_that_is_given_is_relative_to_the_last_weeks():
    season = {4: 0.5, 5: 1.0}
    result = forecast(as_history(of(np.tile(WEEK, 8))), dt.date(2026, 5, 1), 1, Assumptions(season=season))
    assert table(result, "base")["requests_per_hour"].mean() == pytest.approx(
        WEEK.mean() * 1.0 / (0.5 * 26 / 28 + 2 / 28), rel=0.01
    )


def test_a_holiday_that_halves_demand_is_learnt_and_comes_again():
    # Germany: Easter Monday 6 April and Good Friday 3 April 2026 in the history; 1, 14 and 25 May to come
    hours = MONDAY + pd.to_timedelta(np.arange(168 * 8), unit="h")
    values = np.tile(WEEK, 8)
    values[[h.date() in {dt.date(2026, 4, 3), dt.date(2026, 4, 6)} for h in hours]] *= 0.4
    result = forecast(as_history(of(values)), dt.date(2026, 5, 1), 1, Assumptions(countries={"eu": "DE"}))
    # two seen: (2 x 0.4 + 1)/3 = 0.6. May 2026 has five Fridays, one of them the 1st; four Mondays, one the 25th
    base = table(result, "base").set_index("hour_of_week")["requests_per_hour"]
    assert base.loc[96:119].to_numpy() == pytest.approx(DAY * (4 + 0.6) / 5, rel=1e-3)
    assert base.loc[0:23].to_numpy() == pytest.approx(DAY * (3 + 0.6) / 4, rel=1e-3)
    assert base.loc[24:47].to_numpy() == pytest.approx(DAY, rel=1e-3)


EVENTS = "event,start,end,region,workload,multiplier,added_requests_per_hour,probability\n"


def test_an_event_is_a_scenario_at_full_height_that_weighs_as_long_as_it_lasts(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text(EVENTS + "launch,2026-05-04,2026-05-11,eu,chat,3,,0.5\nfair,2026-05-12,2026-05-13,,,,50,\n")
    events = load_events(path, ["eu"], ["chat"])
    result = forecast(as_history(of(np.tile(WEEK, 8))), dt.date(2026, 5, 1), 1, Assumptions(events=events))
    probability = result.scenarios.set_index("scenario")["probability"]
    weeks = 31 / 7
    assert probability["launch"] == pytest.approx(0.5 / weeks)
    assert probability["fair"] == pytest.approx(1 / weeks)
    assert probability.sum() == pytest.approx(1.0)
    assert table(result, "launch")["requests_per_hour"].to_numpy() == pytest.approx(3 * WEEK, rel=1e-6)
    fair = table(result, "fair")["requests_per_hour"].to_numpy()  # Tuesday 12 May
    assert fair[24:48] == pytest.approx(DAY + 50, rel=1e-6)
    assert fair[48:] == pytest.approx(WEEK[48:], rel=1e-6)


def test_faults_of_events_are_told_at_once(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text(EVENTS + "a,soon,2026-05-11,mars,,x,,2\n,2026-05-11,2026-05-01,,,,,\n")
    with pytest.raises(InputError) as error:
        load_events(path, ["eu"], ["chat"])
    told = str(error.value)
    for word in ("soon", "mars", "'x'", "'2'", "needs a name"):
        assert word in told


def test_real_weeks_at_the_forecast_s_level():
    values = np.concatenate([WEEK * (1 + 0.1 * (k % 2)) for k in range(8)])
    result = forecast(as_history(of(values)), dt.date(2026, 5, 1), 1, Assumptions(real_weeks=True))
    assert len(result.scenarios) == 8
    assert result.scenarios["probability"].sum() == pytest.approx(1.0)
    means = result.demand.groupby("scenario")["requests_per_hour"].mean()
    assert means.max() / means.min() == pytest.approx(1.1)


def test_the_command_fills_a_folder_that_can_be_planned(tmp_path, capsys):
    pytest.importorskip("planner.readers")
    from planner.readers import load

    two = pd.concat([of(np.tile(WEEK, 9)), of(np.tile(WEEK[::-1], 9), "code")])
    save_history(as_history(two), tmp_path / "h")
    folder = tmp_path / "plan"
    assert main(["forecast", str(tmp_path / "h"), "-o", str(folder), "--months", "2"]) == 0
    told = capsys.readouterr().out
    assert "WAPE" in told
    (folder / "on_demand.csv").write_text(
        "region,model,usd_per_mtok_input,usd_per_mtok_output\neu,m,1,4\n"  # what the planner adds: who can serve it
    )
    case = load(folder)
    assert {str(w.workload) for w in case.workloads} == {"chat", "code"}
    accuracy = json.loads((folder / "forecast" / "forecast.json").read_text())["accuracy"]
    assert [row["workload"] for row in accuracy] == ["chat", "code", "all"]
    hours = pd.read_parquet(folder / "forecast" / "hours.parquet")
    assert (hours["p10"] <= hours["mean"] * 1.001).all()
    assert (hours["p98"] >= hours["p90"] * 0.999).all()
    first = (folder / "demand.csv").read_bytes()
    assert main(["forecast", str(tmp_path / "h"), "-o", str(folder)]) == 0  # the months are the folder's now
    assert (folder / "demand.csv").read_bytes() == first


def test_wrong_horizons_and_options(tmp_path, capsys):
    save_history(as_history(of(np.tile(WEEK, 3))), tmp_path / "h")
    common = ["forecast", str(tmp_path / "h"), "-o", str(tmp_path / "p")]
    for extra, word in (
        (["--start", "2020-01", "--months", "1"], "ends before the history"),
        (["--start", "soon"], "is not a month"),
        (["--holidays", "eu=XX"], "no country"),
        (["--holidays", "mars=DE"], "names no region"),
        (["--growth", "50"], "share per month"),
        (["--events", str(tmp_path / "none.csv")], "does not exist"),
    ):
        assert main([*common, *extra]) == 1
        assert word in capsys.readouterr().err
    assert not (tmp_path / "p").exists()


def test_a_young_series_is_no_growth_of_the_whole():
    young = of(np.tile(WEEK, 10), "code").iloc[-168:]
    result = forecast(as_history(of(np.tile(WEEK, 10)), young), dt.date(2026, 6, 1), 1)
    assert result.accuracy.set_index("workload").loc["all", "origins"] > 0
    high, base = table(result, "high"), table(result, "base")
    assert (high["requests_per_hour"].to_numpy() < 1.1 * base["requests_per_hour"].to_numpy()).all()


def test_series_that_cannot_be_forecast_are_left_out_and_told(tmp_path):
    chat = of(np.tile(WEEK, 12))
    retired, zero = of(np.tile(WEEK, 6), "old"), of(np.zeros(12 * 168), "zero")
    born = of(np.tile(WEEK, 12), "born").iloc[-5:]
    result = forecast(as_history(chat, retired, zero, born), dt.date(2026, 6, 1), 1)
    assert (
        set(result.demand["workload"]) == set(result.workloads["workload"]) == set(result.mix["workload"]) == {"chat"}
    )
    told = "\n".join(result.notes)
    for words in ("eu old: no request in the last 6 weeks", "eu zero: it never had", "eu born: under one day"):
        assert words in told
    with pytest.raises(InputError, match="eu zero: it never had"):
        forecast(as_history(zero), dt.date(2026, 6, 1), 1)


def test_what_is_not_forecast_any_more_leaves_the_folder(tmp_path):
    save_history(as_history(of(np.tile(WEEK, 6)), of(np.tile(WEEK, 6), "old")), tmp_path / "h")
    plan = tmp_path / "plan"
    assert main(["forecast", str(tmp_path / "h"), "-o", str(plan), "--start", "2026-06"]) == 0
    assert set(pd.read_csv(plan / "demand.csv")["workload"]) == {"chat", "old"}
    save_history(as_history(of(np.tile(WEEK, 12)), of(np.tile(WEEK, 6), "old")), tmp_path / "h")
    assert main(["forecast", str(tmp_path / "h"), "-o", str(plan)]) == 0
    assert set(pd.read_csv(plan / "demand.csv")["workload"]) == {"chat"}


def test_real_weeks_of_a_series_that_has_just_begun():
    born = of(np.tile(WEEK, 8), "born").iloc[6 * 168 :]
    history = as_history(of(np.tile(WEEK, 8)), born)
    result = forecast(history, dt.date(2026, 5, 1), 1, Assumptions(real_weeks=True))
    assert len(result.scenarios) == 8
    means = result.demand.groupby("workload")["requests_per_hour"].mean()
    assert means["born"] == pytest.approx(means["chat"], rel=1e-3)


def test_an_office_tool_is_not_forecast_at_night():
    result = forecast(office(3), dt.date(2026, 4, 1), 1)
    base = table(result, "base").set_index("hour_of_week")["requests_per_hour"]
    assert base.sum() == pytest.approx(50 * 120)
    assert base[6 * 24 + 3] == 0  # Sunday, 3:00


def test_spikes_count_and_are_told_where_a_user_has_them_cut(tmp_path, capsys):
    values = np.tile(WEEK, 8)
    values[5 * 168 + 30] += 20_000  # once
    kept = forecast(as_history(of(values)), dt.date(2026, 5, 1), 1)
    cut = forecast(as_history(of(values)), dt.date(2026, 5, 1), 1, Assumptions(treatment=Treatment(cap_spikes=True)))
    assert kept.left_out.empty
    usual = WEEK[30]
    assert cut.left_out["requests"].tolist() == pytest.approx([usual + 20_000 - 3 * usual])
    assert cut.accuracy["wape"].iloc[0] > 0  # the spike came, and is part of the error
    save_history(as_history(of(values)), tmp_path / "h")
    plan = tmp_path / "plan"
    arguments = ["forecast", str(tmp_path / "h"), "-o", str(plan), "--cap-spikes"]
    assert main(arguments) == 0
    assert "no on-demand price in the folder yet" in capsys.readouterr().out
    (plan / "on_demand.csv").write_text("region,model,usd_per_mtok_input,usd_per_mtok_output\neu,m,1,4\n")
    assert main(arguments) == 0
    # a request has 1,000 tokens in and 50 out, $0.001 and $0.0002
    lost = usual + 20_000 - 3 * usual
    assert f"${0.0012 * lost:,.2f} on demand" in capsys.readouterr().out
