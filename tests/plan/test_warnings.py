"""The mistakes of the trade: each has a case that makes it, one cell away from a case that does not."""

import math

import pytest

from planner.plan.warnings import warnings_of
from tests.builders import case, profile, tables, two_regions

# a customer service's week: peak 14:00, four times the average or so
DAY = [0.1 + math.exp(-(((hour - 14) / 2.6) ** 2)) for hour in range(24)]
WEEK = [100 * x for x in DAY * 5] + [30 * x for x in DAY * 2]
POLICY = {"headroom": 0.30, "failover": {"enabled": True}}


def good(**changes):
    """A case of two regions that deserves no warning."""
    base = {
        "models": [{"model": "m", "tier": "frontier"}, {"model": "n", "tier": "small"}],
        "workloads": [{"workload": "w", "kind": "customer_service", "input_tokens": 600, "output_tokens": 100,
                       "cache_hit_rate": 0.4}],
        "mix": [{"workload": "w", "model": "m"}, {"workload": "w", "model": "n"}],
        "demand": [row for r in ("east", "west") for row in profile(r, "w", WEEK)],
        "on_demand": [
            {"region": r, "model": m, "usd_per_mtok_input": 2, "usd_per_mtok_output": 8, "tokens_per_minute_quota": 1e6}
            for r in ("east", "west") for m in ("m", "n")
        ],
    }  # fmt: skip
    return two_regions(**{**base, **changes})


def codes(rows, **options):
    return [caution.code for caution in warnings_of(case(rows, **{**POLICY, **options}))]


def with_workload(**cells):
    return good(workloads=[{**good()["workloads"][0], **cells}])


def test_a_good_case_has_none():
    assert codes(good()) == []


def test_a_commitment_that_stands_there_twice():
    row = {"offer": "west-m-1m", "units": 4, "start": "2026-10-01", "end": "2027-06-01"}
    found = [c for c in warnings_of(case(good(commitments=[row, row]), **POLICY)) if c.code == "same-commitment"]
    assert [str(c) for c in found] == [
        "commitments of west-m-1m: 2 rows are the same (4 units, 2026-10-01 to 2027-06-01), and each is owed: they "
        "count as 8 units. Delete the rows that were entered again; if all of them were bought, write one with their "
        "sum."
    ]
    assert "same-commitment" not in codes(good(commitments=[row, {**row, "units": 5}]))


def test_flat_demand():
    # the same requests as 24 equal hours a day: Saturday still differs from Monday, but no hour does
    days = [sum(WEEK[24 * d : 24 * d + 24]) / 24 for d in range(7)]
    flat = [row for r in ("east", "west") for row in profile(r, "w", [days[h // 24] for h in range(168)])]
    (caution,) = warnings_of(case(good(demand=flat), **POLICY))  # a line a workload, not a region
    assert (caution.code, caution.where) == ("flat-demand", "demand of w from east, west")
    batch = with_workload(kind="batch")
    assert codes({**batch, "demand": flat}) == ["no-deadline"]


def test_no_cache_rate_where_input_dominates():
    assert codes(with_workload(cache_hit_rate=0)) == ["no-cache-rate"]
    assert codes(with_workload(cache_hit_rate=0, input_tokens=399)) == []  # 3.99 input tokens for one of output


@pytest.mark.parametrize(("kind", "ratio", "found"), [
    ("customer_service", 2.9, True), ("customer_service", 3.0, False), ("customer_service", 5.1, True),
    ("voice_agent", 2.0, False), ("voice_agent", 4.2, True), ("internal_tools", 4.9, True),
    ("internal_tools", 9, False),
    ("", 20, False),
])  # fmt: skip
def test_peak_over_average(kind, ratio, found):
    # hour 0 has the peak, the other 167 share the rest of 168 averages of 1: peak / average = ratio
    week = [ratio, *[(168 - ratio) / 167] * 167]
    rows = with_workload(kind=kind or None) | {"demand": profile("east", "w", week) + profile("west", "w", WEEK)}
    found_codes = [c for c in warnings_of(case(rows, **POLICY)) if c.where.startswith("demand of w from east")]
    assert [c.code for c in found_codes] == ["unusual-peak"] * found
    if found:
        assert f"{ratio:.1f} " in found_codes[0].message


def test_peaks_of_several_regions_are_one_line():
    # 2.5 and 2.8 times the average are too low for customers: one line; 6 times is too high: another
    weeks = {"east": 2.5, "west": 2.8, "north": 6.0}
    demand = [row for r, x in weeks.items() for row in profile(r, "w", [x, *[(168 - x) / 167] * 167])]
    rows = with_workload(kind="customer_service")
    rows |= {"demand": demand, "regions": [*rows["regions"], {"region": "north", "fails": False}]}
    found = [c for c in warnings_of(case(rows, **POLICY)) if c.code == "unusual-peak"]
    assert [c.where for c in found] == ["demand of w from east, west", "demand of w from north"]
    assert "2.5 to 2.8 times its average" in found[0].message


def test_thin_headroom():
    assert codes(good(), headroom=0.29) == ["thin-headroom"]
    assert codes(with_workload(headroom=0.3), headroom=0.1) == []
    assert codes(with_workload(headroom=0.2)) == ["thin-headroom"]


def test_one_frontier_model():
    assert codes(good(mix=[{"workload": "w", "model": "m"}])) == ["one-frontier-model"]
    assert codes(good(mix=[{"workload": "w", "model": "n"}])) == []


def test_commitments_that_idle():
    # 600 input tokens and 100 of output weigh 700 (cached ones count in full): at 1 token a minute and unit, one
    # request per hour takes 700 / 60 units, / 0.7 for headroom. The busiest hour of a weekday has 110 requests in east
    # and as many in west, both in reach: 220 * 700 / 60 / 0.7 = 3667 units.
    rows = good(commitments=[{"offer": "east-m-1m", "units": 7400, "start": "2026-06-01", "end": "2027-06-01"}])
    (caution,) = warnings_of(case(rows, **POLICY))
    assert caution.code == "idle-commitment"
    assert "in 100% of the hours" in caution.message  # half of 7400 is above 3667
    few = good(commitments=[{"offer": "east-m-1m", "units": 10, "start": "2026-06-01", "end": "2027-06-01"}])
    assert codes(few) == []
    (caution,) = warnings_of(case(rows, **{**POLICY, "months": 2}))  # a line a commitment, not a month
    assert caution.where == "pool east-m, tokens, 2027-01, 2027-02"
    lot = good(offers=[{"offer": "o", "pool": "east-m", "usd_per_unit_hour": 1, "min_units": 5000}])
    assert codes(lot, whole_units=True) == ["idle-commitment"]
    assert codes(lot, whole_units=False) == []


def blank_quotas():
    options = [
        {key: value for key, value in row.items() if key != "tokens_per_minute_quota"} for row in good()["on_demand"]
    ]
    return good(on_demand=options)


def test_quotas_that_are_blank_or_sold_nowhere():
    rows = good()
    rows["on_demand"][0].pop("tokens_per_minute_quota")
    assert codes(rows) == ["no-quota"]
    (caution,) = warnings_of(case(blank_quotas(), **POLICY))  # a line for the same models, not a region
    assert str(caution).startswith("regions east, west: have demand and no quota for m")
    assert codes(good(on_demand=good()["on_demand"][:2])) == ["no-on-demand"]


def test_no_way_out_of_a_lost_region():
    one_way = [{"origin": "east", "destination": "west"}]
    (caution,) = warnings_of(case(good(routes=one_way), **POLICY))
    assert (caution.code, caution.where) == ("no-failover-route", "demand of w from west")
    assert codes(with_workload(serving_regions="west"))[0] == "no-failover-route"
    assert codes(with_workload(failover_share=0) | {"routes": one_way}) == []
    fails = [{"region": "east"}, {"region": "west", "fails": False}]
    assert codes(good(routes=one_way, regions=fails)) == []
    assert codes(good(), failover={"enabled": False}) == ["no-failover"]


def test_months_without_demand_and_in_part():
    january = [{**row, "period": "2027-01"} for row in good()["demand"]]
    assert codes(good(demand=january), months=2) == ["no-demand"]
    zero = tables(demand=profile("west", "w", 0.0))
    assert codes(zero)[0] == "no-demand"
    part = good(commitments=[{"offer": "east-m-1m", "units": 10, "start": "2026-06-01", "end": "2027-01-30"}])
    assert codes(part) == ["part-month"]
    assert codes(good(commitments=[{**part["commitments"][0], "end": "2027-02-01"}])) == []


def test_a_term_that_no_period_is_short_enough_for():
    # 30 days hold February whole, and no month of 31 days; a week holds a part of 5 days from 10 to 15 January
    offers = [{**good()["offers"][0], "offer": "days", "term_days": 30}]
    assert codes(good(offers=offers)) == ["short-term"]
    assert codes(good(offers=offers), months=2) == []
    week = [{**offers[0], "term_days": 7}]
    assert codes(good(offers=week), months=2) == ["short-term"]
    assert codes(good(offers=week), months=2, cuts=["2027-01-10", "2027-01-15"]) == []
    assert codes(good(offers=[{**week[0], "max_units": 0}])) == []


def with_scaled(**cells):
    """The good case with units by the hour in `east`; a full one is worth 1.2e-4 USD on demand."""
    return good(pools=[{"pool": "east-m", "region": "east", **cells}, {"pool": "west-m", "region": "west"}])


def test_units_by_the_hour():
    # a request: 600 x 1.6 input tokens (0.4 of them from the cache) and 100 output tokens; 60 minutes x 1 token a unit
    usual = {"usd_per_scaled_unit_hour": 1.1e-4, "max_scaled_units": 20, "start_hours": 1}
    cheap = good()["offers"][0] | {"usd_per_unit_hour": 1e-4}
    assert codes(with_scaled(**usual) | {"offers": [cheap]}) == []
    assert codes(with_scaled(**usual | {"max_scaled_units": None}) | {"offers": [cheap]}) == ["no-scaled-limit"]
    assert codes(with_scaled(max_scaled_units=5)) == ["no-scaled-price"]
    assert codes(with_scaled(**usual)) == ["cheap-scaled"]  # the offer costs 1 USD
    assert codes(with_scaled(**usual | {"usd_per_scaled_unit_hour": 1.0})) == ["cheap-scaled", "dear-scaled"]


def test_a_cold_start_longer_than_any_peak():
    """The longest peak is that of a weekday, around 14:00; the weekend has a lower one."""
    usual = {"usd_per_scaled_unit_hour": 1.1e-4, "max_scaled_units": 20}
    cheap = {"offers": [good()["offers"][0] | {"usd_per_unit_hour": 1e-4}]}
    mean = sum(WEEK) / len(WEEK)
    longest = sum(value > mean for value in WEEK[:24])
    assert codes(with_scaled(**usual, start_hours=longest) | cheap) == []
    assert codes(with_scaled(**usual, start_hours=longest + 0.5) | cheap) == ["slow-start"]
    assert "slow-start" not in codes(with_scaled(**usual, start_hours=longest + 0.5) | cheap | {"demand": []})


def risky(weight, level, *probabilities):
    scenarios = [{"scenario": f"s{k}", "probability": p} for k, p in enumerate(probabilities)]
    return codes(good(scenarios=scenarios), risk={"weight": weight, "level": level})


def test_risk():
    assert risky(0.5, 0.9, 0.8, 0.1, 0.1) == []
    assert risky(0.5, 0.95, 0.8, 0.1, 0.1) == ["risk-tail"]
    assert risky(0.5, 0.9) == ["risk-scenarios"]
    assert risky(0.5, 0.9, 1.0, 0.0) == ["risk-scenarios"]
    assert risky(0, 0.8, 0.5, 0.5) == ["risk-level"]
    assert risky(0.5, 0, 0.5, 0.5) == ["risk-level"]
    assert risky(1, 0.5, 0.5, 0.5) == ["risk-weight"]
    assert risky(0, 0.9, 0.5, 0.5) == []


def test_a_mix_that_cannot_be_kept_while_a_region_is_lost():
    """Only west serves n: while it is lost, a least share of n cannot be kept, and m must be allowed all demand."""
    only = [row for row in good()["on_demand"] if (row["region"], row["model"]) != ("east", "n")]
    units = [row for row in good()["throughput"] if (row["pool"], row["model"]) != ("east-m", "n")]

    def said(**shares):
        mix = [{"workload": "w", "model": m, **shares.get(m, {})} for m in ("m", "n")]
        found = warnings_of(case(good(on_demand=only, throughput=units, mix=mix), **POLICY))
        return [str(caution) for caution in found if caution.code == "no-failover-mix"]

    assert said() == []
    (asked,) = said(n={"min_share": 0.1})
    assert asked == (
        "mix of w: while west is lost, nothing within reach of east, west serves n, but min_share asks for 0.1, so no "
        "plan will exist. Set that min_share to 0, let another region serve the model (on_demand, throughput, routes, "
        "serving_regions), or set the workload's failover_share to 0."
    )
    (allowed,) = said(m={"max_share": 0.85})
    assert "serves models other than m, whose max_share (0.85) do not reach 1, so no plan will exist" in allowed
    assert "Let them take 0.15 more" in allowed
    aside = with_workload(failover_share=0)["workloads"]
    mix = [{"workload": "w", "model": "m"}, {"workload": "w", "model": "n", "min_share": 0.1}]
    assert "no-failover-mix" not in codes(good(on_demand=only, throughput=units, mix=mix, workloads=aside))
