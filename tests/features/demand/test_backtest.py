"""The backtest: closed forms against brute force, the ladder against its bound, rules that see no future."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.cli import main
from planner.features.demand.backtest.backtest_report import table_lines, verdict
from planner.features.demand.backtest.rules import Planner, clairvoyant_ladder, first_level, fractile, months_of_a_plan
from planner.features.demand.backtest.walk import PurchaseTerms, backtest, in_force, summarise
from planner.features.demand.history import save_history
from tests.builders.usage import WEEK, as_history, of


def cost(level, demand, ratio):
    return ratio * level * len(demand) + np.maximum(demand - level, 0).sum()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=40), st.floats(0.05, 1.2))
def test_the_fractile_is_the_cheapest_level(values, ratio):
    demand = np.array(values, dtype=float)
    best = min(cost(level, demand, ratio) for level in {0.0, *demand})
    assert cost(fractile(demand, ratio), demand, ratio) == pytest.approx(best)


def test_a_fractile_by_hand():
    # 10 hours 1..10 at 30 % off: at most 7 of them may exceed the level: 3
    assert fractile(np.arange(1.0, 11.0), 0.7) == 3.0
    assert fractile(np.array([0.0, 0.0, 0.0, 5.0]), 0.7) == 0.0  # used a quarter of the time only
    assert fractile(np.arange(1.0, 11.0), 1.0) == 0.0


def test_what_is_bought_at_once_by_hand():
    ten = np.arange(1.0, 11.0)
    assert first_level(ten[None, None, :], np.ones((1, 1)), 0.7) == 3.0  # one month, one future: the fractile
    high, low = np.full((1, 1, 4), 10.0), np.full((1, 1, 4), 4.0)
    both, even = np.ones((2, 1)), np.ones((1, 2))
    assert first_level(np.concatenate([low, high]), both, 0.7) == 4.0  # the other six can be bought next month
    assert first_level(np.concatenate([high, low]), both, 0.7) == 4.0  # the other six would be used in half the hours
    assert first_level(np.concatenate([high, low]), both, 0.4) == 10.0  # which pays at 60 % off
    assert first_level(np.concatenate([high, low], axis=1), even, 0.7) == 4.0  # either future, as likely
    assert first_level(np.concatenate([high, low], axis=1), np.array([[8.0, 2.0]]), 0.7) == 10.0


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=12, max_size=12), st.sampled_from([0.3, 0.45, 0.7]))
def test_what_is_bought_at_once_is_the_ladder_s_first_purchase(demand, ratio):
    # three months of two futures with two hours each, terms that outlast them: the first purchase of the cheapest plan
    hours, weights = np.array(demand, dtype=float).reshape(3, 2, 2), np.tile([0.75, 0.25], (3, 1))

    def total(first, second, third):
        level = np.array([first, max(first, second), max(first, second, third)])[:, None, None]
        return float((weights[:, :, None] * (ratio * level + np.maximum(hours - level, 0.0))).sum())

    levels = sorted({0.0, *hours.ravel()})
    best = {a: min(total(a, b, c) for b in levels for c in levels if b >= a and c >= b) for a in levels}
    assert best[first_level(hours, weights, ratio)] == pytest.approx(min(best.values()))


def test_the_planner_s_rule_buys_for_the_forecast_s_futures():
    assert months_of_a_plan(52) == months_of_a_plan(156) == 12
    assert months_of_a_plan(4) == 1
    assert months_of_a_plan(13) == 3
    assert Planner(0.7, 3).ends == [4, 9, 13]
    rule = Planner(0.7, 3)
    hours, weights = rule.futures(np.tile(WEEK, 20))
    assert hours.shape == (3, 10, 168)  # low, base, high, and two halves of the past; two weeks each
    assert weights.sum(axis=1) == pytest.approx([4, 5, 4])
    mean = np.einsum("mfh,mf->mh", hours, weights) / weights.sum(axis=1)[:, None]
    assert mean == pytest.approx(np.tile(WEEK, (3, 1)), rel=1e-6)  # the mean of all futures is the forecast
    # weeks that repeat: every future is the week at its own level, and the middle ones have the most weight
    assert rule(np.tile(WEEK, 20)) == pytest.approx(fractile(WEEK, 0.7), rel=0.05)
    assert Planner(1.0, 3)(np.tile(WEEK, 20)) == 0.0
    # eight weeks at twice the level, after a year at the usual one: it waits to see whether that lasts
    campaign = np.concatenate([np.full(44 * 168, 10.0), np.full(8 * 168, 20.0)])
    assert 10.0 <= Planner(0.7, 12)(campaign) < 17.0


def simple_plan(folder, values, months, capsys):
    """Forecast on the command line and solve with one pool of 12 months' units at 0.7 USD; units bought by month."""
    save_history(as_history(of(values)), folder / "h")
    assert main(["forecast", str(folder / "h"), "-o", str(folder / "p"), "--months", str(months)]) == 0
    (folder / "p" / "plan.yaml").write_text(
        (folder / "p" / "plan.yaml").read_text()
        + "policy: {headroom: 0, whole_units: false, failover: {enabled: false}}\n"
    )
    workloads = "workload,input_tokens,output_tokens\nchat,1000000,0\n"
    for name, text in {
        "workloads.csv": workloads,
        "pools.csv": "pool,region\nvms,eu\n",
        "throughput.csv": f"pool,model,tokens_per_minute_per_unit\nvms,m,{1e6 / 60!r}\n",
        "offers.csv": "offer,pool,term_months,usd_per_unit_hour\nyear,vms,12,0.7\n",
        "on_demand.csv": "region,model,usd_per_mtok_input,usd_per_mtok_output\neu,m,1,0\n",
    }.items():
        (folder / "p" / name).write_text(text)
    assert main(["solve", str(folder / "p"), "-o", str(folder / "out"), "--no-workbook"]) == 0
    capsys.readouterr()
    purchases = pd.DataFrame(json.loads((folder / "out" / "plan.json").read_text())["purchases"])
    return purchases.groupby("period")["units"].sum()


@pytest.mark.parametrize("pace", [1.015, 0.985])
def test_the_rule_that_is_scored_is_the_one_that_a_plan_follows(tmp_path, capsys, pace):
    rng = np.random.default_rng(3)
    # 52 weeks from Monday 2 March 2026: the plan's first month follows at once
    values = 100 * np.tile(WEEK, 52) * pace ** np.repeat(np.arange(52), 168) * rng.lognormal(0, 0.1, 52 * 168)
    units = simple_plan(tmp_path, values, 6, capsys)
    # to the calendar: there a month is four weeks or five
    assert units.iloc[0] == pytest.approx(Planner(0.7, 6)(values), rel=0.01)


def test_the_clairvoyant_ladder_by_hand():
    # D = 1, 2, 2, 1 (each hour of the week), three-week commitments at 2/3, on demand 1: theory's counter-example to
    # deciding level by level. Best: one unit from week 0, one from week 1: 3 x 2/3 each = 4 weeks' worth (not 5)
    weeks = np.repeat([[1.0], [2.0], [2.0], [1.0]], 168, axis=1)
    bought = clairvoyant_ladder(weeks, 3, 2 / 3, 1)
    paid = (2 / 3 * in_force(bought, 3) + np.maximum(weeks[:, 0] - in_force(bought, 3), 0)).sum()
    assert paid == pytest.approx(4.0)


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=8, max_size=12), st.integers(2, 6), st.sampled_from([0.2, 0.3, 0.5]))
def test_no_rule_beats_the_clairvoyant_plan(levels, term, discount):
    values = np.concatenate([WEEK * level for level in levels])
    summary = summarise(backtest({"p": values}, PurchaseTerms(discount, term, 1, 4))).set_index("rule")
    assert (summary["regret"] >= -1e-9).all()
    assert summary.loc["all on demand", "savings_rate"] == pytest.approx(0.0)
    # effective savings rate = coverage x (1 - (1 - discount) / utilisation)
    bought = summary[summary["utilisation"].notna()]
    identity = bought["coverage"] * (1 - (1 - discount) / bought["utilisation"])
    assert bought["savings_rate"].to_numpy() == pytest.approx(identity.to_numpy(), abs=1e-9)


def test_rules_do_not_see_the_future():
    values = np.concatenate([WEEK * (3 + k % 3) for k in range(14)])
    other = values.copy()
    other[-168 * 3 :] *= 5
    ledgers = [backtest({"p": v}, PurchaseTerms(0.3, 8, 1, 6)) for v in (values, other)]
    for rule in ("planner", "look-back 30 days", "reserve the peak"):
        committed = [
            ledger[(ledger["rule"] == rule) & (ledger["week"] <= 5)]["committed"].to_numpy() for ledger in ledgers
        ]
        assert committed[0] == pytest.approx(committed[1])


def test_commitments_end():
    assert in_force(np.array([5.0, 0, 2, 0, 0]), 3).tolist() == [5, 5, 7, 2, 2]


def test_it_says_so_where_nothing_is_to_be_won():
    values = np.zeros(168 * 10)
    values[::12] = 100.0  # used one hour in twelve
    summary = summarise(backtest({"p": values}, PurchaseTerms(0.3, 4, 1, 4)))
    assert "Nothing was to be won" in verdict(summary)


def test_the_command_writes_what_it_says(tmp_path, capsys):
    save_history(as_history(of(np.concatenate([WEEK * (1 + k / 20) for k in range(12)]))), tmp_path / "h")
    arguments = ["backtest", str(tmp_path / "h"), "--term", "6", "--after", "5", "--replay", "as it was", "step"]
    assert main([*arguments, "-o", str(tmp_path / "b")]) == 0
    told = capsys.readouterr().out
    assert "| clairvoyant |" in told
    assert (tmp_path / "b" / "backtest.md").read_text().splitlines()[0] in told
    assert {p.name for p in (tmp_path / "b").iterdir()} == {
        "backtest.csv", "backtest.md", "savings.png", "savings.svg", "summary.csv",
    }  # fmt: skip


def test_what_cannot_be_replayed_is_told_at_once(tmp_path, capsys):
    save_history(as_history(of(np.tile(WEEK, 3))), tmp_path / "h")
    arguments = ["backtest", str(tmp_path / "h"), "--discount", "1.5", "--term", "0", "--after", "0"]
    assert main(arguments) == 1
    assert capsys.readouterr().err.startswith("3 faults")
    assert main(["backtest", str(tmp_path / "h"), "--after", "3"]) == 1
    assert "21.0 days" in capsys.readouterr().err


def test_a_history_of_two_weeks_is_replayed_by_days_and_says_how_little_that_is(tmp_path, capsys):
    save_history(as_history(of(np.tile(WEEK, 2))), tmp_path / "h")
    assert main(["backtest", str(tmp_path / "h"), "--term", "1", "-o", str(tmp_path / "b")]) == 0
    told = capsys.readouterr().out
    assert told.startswith("7 days, 1 pool")
    assert "This says little: 7 days are replayed" in told
    ledger = pd.read_csv(tmp_path / "b" / "backtest.csv")
    assert list(ledger[ledger["rule"] == "planner"]["day"]) == list(range(7))
    average = ledger[ledger["rule"] == "reserve the average"]
    # the first purchase is the mean of the first week; the same week again adds nothing to it
    assert average["committed"].to_numpy() == pytest.approx(np.full(7, 24 * WEEK.mean()))


def test_a_day_is_too_short(tmp_path, capsys):
    save_history(as_history(of(WEEK[:24])), tmp_path / "h")
    assert main(["backtest", str(tmp_path / "h")]) == 1
    assert "1.0 days" in capsys.readouterr().err


def test_hours_that_are_not_known_count_for_nobody():
    values = np.tile(np.full(168, 10.0), 8)
    holed = values.copy()
    holed[168 * 6 : 168 * 6 + 84] = np.nan  # half of a week of the replay
    whole, half = (
        summarise(backtest({"p": v}, PurchaseTerms(0.3, 4, 1, 4))).set_index("rule") for v in (values, holed)
    )
    for rule in ("reserve the average", "look-back 7 days", "clairvoyant"):
        assert whole.loc[rule, "savings_rate"] == pytest.approx(0.3)
        assert half.loc[rule, "savings_rate"] == pytest.approx(0.3)
        assert half.loc[rule, "utilisation"] == pytest.approx(1.0)


def test_what_lies_before_a_long_gap_is_left_out(tmp_path, capsys):
    values = np.concatenate([WEEK[:24], np.full(168 * 6, np.nan), WEEK, WEEK])
    save_history(as_history(of(values).dropna(subset=["requests"])), tmp_path / "h")
    assert main(["backtest", str(tmp_path / "h"), "--term", "1"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("7 days")
    assert "what lies before a gap of over 4 weeks is left out" in told


# Two weeks from a Sunday, on-demand premium of 2.1: a day has eight hours at each of three levels, in week 2 100 more
#   hours by level: 100: 1/6, 200: 2/6, 300: 2/6, 400: 1/6; a unit pays if used in more than 1 / 2.1 = 47.6 % of them
#   the 300th is used in 3/6, the 400th in 1/6: 300 are committed, 75 % of the peak
#   served by them (100 + 200 + 300 + 200 + 300 + 300) / 6 of (100 + 200 + 300 + 200 + 300 + 400) / 6
#   cost 300 + 100 / 6 x 2.1 = 335 USD an hour against 250 x 2.1 = 525 USD
TWO_WEEKS = np.concatenate([np.tile(np.repeat([100.0, 200.0, 300.0], 8) + more, 7) for more in (0.0, 100.0)])
BY_HAND = {"level": 300 / 400, "coverage": 1400 / 1500, "utilisation": 1400 / 1800, "savings": 1 - 335 / 525}


def test_two_weeks_by_the_closed_form():
    level = fractile(TWO_WEEKS, 1 / 2.1)
    used = np.minimum(TWO_WEEKS, level).sum()
    assert level / TWO_WEEKS.max() == BY_HAND["level"]
    assert used / TWO_WEEKS.sum() == pytest.approx(BY_HAND["coverage"])
    assert used / (level * 336) == pytest.approx(BY_HAND["utilisation"])
    assert 1 - cost(level, TWO_WEEKS, 1 / 2.1) / TWO_WEEKS.sum() == pytest.approx(BY_HAND["savings"])


def test_two_weeks_on_the_command_line(tmp_path):
    """As docs/demand.md checks a published figure: both weeks as scenarios of one pool."""
    hours = pd.date_range("2024-01-07", periods=336, freq="h", tz="UTC")
    table = tmp_path / "region_hourly.csv"
    pd.DataFrame({"hour_utc": hours.strftime("%Y-%m-%dT%H:%M:%SZ"), "all_regions": TWO_WEEKS}).to_csv(
        table, index=False
    )
    (tmp_path / "map.yaml").write_text(
        "columns: {requests: all_regions}\ndefaults: {region: all, workload: vm, model: vm}\n"
    )
    weeks, folder = str(tmp_path / "weeks"), tmp_path / "plan"
    span = ["--since", "2024-01-07", "--until", "2024-01-20T23:00Z"]
    assert main(["ingest", "table", str(table), "--map", str(tmp_path / "map.yaml"), *span, "-o", weeks]) == 0
    assert main(["profile", weeks, "--scenarios", str(folder), "--week-starts", "sunday"]) == 0
    for name, text in {
        "plan.yaml": "name: shaved-ice\nhorizon: {start: 2024-02-01, months: 1}\n"
        "policy: {headroom: 0, whole_units: false, failover: {enabled: false}}\n",
        "workloads.csv": "workload,input_tokens,output_tokens\nvm,1000000,0\n",
        "pools.csv": "pool,region\nvms,all\n",
        "throughput.csv": f"pool,model,tokens_per_minute_per_unit\nvms,vm,{1e6 / 60!r}\n",
        "offers.csv": "offer,pool,usd_per_unit_hour\ncommitted,vms,1\n",
        "on_demand.csv": "region,model,usd_per_mtok_input,usd_per_mtok_output\nall,vm,2.1,0\n",
    }.items():
        (folder / name).write_text(text)
    assert main(["solve", str(folder), "-o", str(tmp_path / "out"), "--no-workbook"]) == 0
    plan = json.loads((tmp_path / "out" / "plan.json").read_text())
    bought = sum(row["units"] for row in plan["purchases"])
    used = np.minimum(TWO_WEEKS, bought).sum()
    assert bought / TWO_WEEKS.max() == pytest.approx(BY_HAND["level"])
    assert used / TWO_WEEKS.sum() == pytest.approx(BY_HAND["coverage"])
    assert used / (bought * 336) == pytest.approx(BY_HAND["utilisation"])
    on_demand_only = TWO_WEEKS.sum() / 14 * 29 * 2.1  # February 2024
    assert 1 - plan["total_usd"] / on_demand_only == pytest.approx(BY_HAND["savings"])


def summary_of(**rates):
    rates = {"all on demand": 0.0, **rates}
    return pd.DataFrame({"rule": list(rates), "savings_rate": list(rates.values())})


def test_the_verdict_names_both_sides():
    tie = verdict(summary_of(planner=0.238, clairvoyant=0.24, **{"look-back 30 days": 0.239}))
    told = "A tie: the planner saved 23.8 %, look-back 30 days 23.9 %; the difference is "
    assert tie == told + "0.4 % of the 24.0 % that could be won."  # 0.1 of 24
    small = verdict(summary_of(planner=0.027, clairvoyant=0.036, **{"look-back 7 days": 0.031}))
    assert (
        small == "look-back 7 days saved 0.4 points more than the planner here: 11.1 % of the 3.6 % that could be won."
    )
    lost = verdict(summary_of(planner=0.22, clairvoyant=0.24, **{"look-back 7 days": 0.23}))
    assert (
        lost == "look-back 7 days saved 1.0 points more than the planner here: 4.2 % of the 24.0 % that could be won."
    )


def test_a_loss_is_no_multiple_of_what_could_be_won():
    table = pd.DataFrame(
        {"rule": ["reserve the peak"], "savings_rate": -0.5, "coverage": 1.0, "utilisation": 0.5,
         "of_clairvoyant": -47.628, "regret": 0.5}
    )  # fmt: skip
    assert table_lines(table)[-1] == "| reserve the peak | -50.0 % | 100.0 % | 50.0 % | below -100 % | 50.0 % |"
    values = np.zeros(168 * 10)
    values[::12] = 100.0  # nothing can be won: no rule is measured against it
    assert summarise(backtest({"p": values}, PurchaseTerms(0.3, 4, 1, 4)))["of_clairvoyant"].isna().all()


def test_terms_that_end_before_the_next_purchase_are_told(tmp_path, capsys):
    save_history(as_history(of(np.tile(WEEK, 12))), tmp_path / "h")
    assert main(["backtest", str(tmp_path / "h"), "--term", "4", "--every", "6"]) == 0
    assert "nothing is in force in between" in capsys.readouterr().out
    assert main(["backtest", str(tmp_path / "h"), "--term", "4", "--after", "30"]) == 1
    assert "210 days come before the first purchase, and a week after it" in capsys.readouterr().err
