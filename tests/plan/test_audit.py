"""The audit: silent on a correct plan; each quantity tampered with, each rule tightened, is found and named."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from planner.plan.audit import Finding, audit
from planner.plan.plan import Plan
from tests import builders
from tests.builders.hand_plans import hand_case, hand_plan, hourly, lost, on, on_demand_rows

BOTH = ("east", "west")
Change = Callable[[Plan], Plan]


def rules(findings: list[Finding]) -> set[str]:
    return {f.rule for f in findings}


def table(name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Change:
    """A plan with one table changed."""
    return lambda plan: replace(plan, **{name: change(getattr(plan, name).copy())})


def cell(name: str, column: str, value: Any, row: int = 0) -> Change:
    """A plan with one cell changed; a function changes the cell's own value."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame[column].tolist()
        values[row] = value(values[row]) if callable(value) else value
        return frame.assign(**{column: values})

    return table(name, change)


def total(**parts: float) -> Change:
    return lambda plan: replace(plan, totals=replace(plan.totals, **parts))


def proof(**parts: Any) -> Change:
    return lambda plan: replace(plan, proof=replace(plan.proof, **parts))


def test_the_hand_made_plan_is_right() -> None:
    case = hand_case()
    assert audit(case, hand_plan(case)) == []


TAMPERED: list[tuple[str, Change, str, str]] = [
    ("reserved cost", total(reserved_usd=14_000.0), "totals", "reserved_usd says 14000.000000 USD"),
    ("tail cost", total(tail_usd=1.0), "totals", "tail_usd"),
    ("unreserved cost", total(unreserved_usd=1.0), "totals", "unreserved_usd"),
    ("on-demand cost", total(on_demand_usd=8_927.9), "totals", "on_demand_usd"),
    ("egress cost", total(egress_usd=1.0), "totals", "egress_usd"),
    ("sunk cost", total(sunk_usd=1.0), "totals", "sunk_usd"),
    ("cost that is not a number", total(egress_usd=float("nan")), "totals", "egress_usd"),
    ("bound above cost", proof(bound_usd=23_809.0), "bound", "bound_usd 23809.000000 is above the cost 23808.000000"),
    ("gap", proof(bound_usd=20_000.0), "bound", "gap says 0.21875, cost and bound make it 0.159946"),
    ("tree bound above cost", proof(tree_bound_usd=23_900.0, tree_gap=0.0), "bound", "tree_bound_usd"),
    ("optimal is too much to say", proof(status="optimal"), "bound", "status says optimal"),
    ("units bought", cell("purchases", "units", 11.0), "totals", "reserved_usd"),
    ("cost of a purchase", cell("purchases", "usd", 7_000.0), "totals", "offer east-m-1m bought in 2027-01"),
    ("fewer units bought", cell("purchases", "units", 9.0), "deployment", "deployed 10 units, committed 9"),
    ("a purchase left out", table("purchases", lambda f: f.iloc[1:]), "deployment", "pool east-m"),
    ("a purchase twice", table("purchases", lambda f: pd.concat([f, f.iloc[:1]])), "names", "listed twice"),
    ("an unknown offer", cell("purchases", "offer", "nil"), "names", "the input knows no such thing"),
    ("negative units", cell("purchases", "units", -1.0), "names", "units are negative"),
    ("units that are no number", cell("deployments", "units", float("nan")), "names", "units are not a number"),
    ("an unknown deployment", cell("deployments", "model", "nil"), "names", "the input knows no such thing"),
    ("too few units deployed", cell("deployments", "units", 9.0), "reserved",
     "pool east-m, meter tokens, model m, scenario base, 2027-01, hour 0 (Mon 00:00 UTC): load 10 units with headroom"),
    ("too many units deployed", cell("deployments", "units", 11.0), "deployment", "deployed 11 units, committed 10"),
    ("one flow larger", cell("dispatch", "requests_per_hour", 8.5), "balance",
     "origin east, workload w, scenario base, 2027-01, hour 0 (Mon 00:00 UTC): served 10.5 of 10 requests/hour"),
    ("a flow left out", table("dispatch", lambda f: f.iloc[:-1]), "balance", "served 8 of 10 requests/hour"),
    ("a negative flow", cell("dispatch", "requests_per_hour", -8.0), "names", "negative or not a number"),
    ("a flow that is no number", cell("dispatch", "requests_per_hour", float("nan")), "names", "not a number"),
    ("a flow at another hour", cell("dispatch", "hour_of_week", 1), "balance", "hour 0"),
    ("a flow at no hour", cell("dispatch", "hour_of_week", 168), "names", "hour_of_week 168"),
    ("a flow elsewhere", cell("dispatch", "region", "west"), "routes", "served in west by m on east-m"),
    ("on demand in the other region", table("dispatch", lambda f: f.assign(
        region=f["region"].where(f["supply"] != "standard", "west"))), "balance", ""),
    ("an unknown scenario", cell("dispatch", "scenario", "nil"), "names", "1 row names what the input does not know"),
    ("another input", lambda plan: replace(plan, input_digest="0" * 64), "input", "made for another input"),
    ("a stressed hour uncovered", table("stress_slots", lambda f: f.iloc[1:]), "stress",
     "headroom: origin east, workload w, scenario base, 2027-01, hour 0 (Mon 00:00 UTC): the witness serves 0 of 12.5"),
    ("a stress case uncovered", table("stress_slots", lambda f: f[f["case"] != "failover west"]), "stress",
     "failover west"),
    ("no witness at all", table("stress_dispatch", lambda f: f.iloc[:0]), "stress", "headroom"),
    ("a stressed flow smaller", cell("stress_dispatch", "requests_per_hour", lambda n: n - 0.1), "stress",
     "the witness serves 12.4 of 12.5"),
    ("a stressed flow above its units", cell("stress_dispatch", "requests_per_hour", 10.5), "stress",
     "the witness loads 10.5 units, 10 stand"),
    ("a stressed flow above its quota", cell("stress_dispatch", "requests_per_hour", 21.0, row=1), "stress",
     "the witness loads 21 tokens/minute, 20 stand"),
    ("a stressed flow above the trusted quota", cell("stress_dispatch", "requests_per_hour", 10.5, row=5), "stress",
     "failover east: west, model m, option standard, scenario base, 2027-01"),
    ("a negative stressed flow", cell("stress_dispatch", "requests_per_hour", -1.0), "names", "witness of headroom"),
    ("a flow in the lost region", cell("stress_dispatch", "region", "east", row=5), "stress",
     "failover east: the witness serves workload w from east in east on standard, which does not stand"),
    ("a stress case that is none", cell("stress_slots", "case", "flood"), "stress",
     "witness names no stress case or slot"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "rule", "words"), [t[1:] for t in TAMPERED], ids=[t[0] for t in TAMPERED])
def test_what_was_tampered_with_is_found(change: Change, rule: str, words: str) -> None:
    case = hand_case()
    found = audit(case, change(hand_plan(case)))
    if words:
        assert any(f.rule == rule and words in f.message for f in found), [str(f) for f in found]
    excess = [f.excess for f in found]
    assert excess == sorted(excess, reverse=True)


def test_on_demand_in_the_other_region_is_right_where_routes_and_quota_allow_it() -> None:
    case = hand_case()
    changed = table("dispatch", lambda f: f.assign(region=f["region"].where(f["supply"] != "standard", "west")))
    assert audit(case, changed(hand_plan(case))) == []  # 4 tokens/minute of 20; routes are free


STRICTER: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    ("guaranteed share", {}, {"workloads": [{"workload": "w", "input_tokens": 60, "output_tokens": 0,
     "guaranteed_share": 0.81}]}, "guaranteed", "serve 8 requests/hour, 8.1 are guaranteed"),
    ("quota", {}, {"on_demand": on_demand_rows(tokens_per_minute_quota=1.9)}, "quota",
     "east, model m, option standard, scenario base, 2027-01, hour 0 (Mon 00:00 UTC): 2 tokens/minute, quota 1.9"),
    ("reserved headroom", {"reserved_headroom": 0.3}, {}, "reserved", "load 11.42857"),
    ("budget", {"max_commitment_usd": 14_879.0}, {}, "budget", "14880.00 USD inside the horizon"),
    ("max_units", {}, {"offers": [{"offer": f"{r}-m-1m", "pool": f"{r}-m", "usd_per_unit_hour": 1.0, "max_units": 9}
     for r in ("east", "west")]}, "sizes", "offer east-m-1m bought in 2027-01: 10 units are above max_units 9"),
    ("min_units", {"whole_units": True}, {"offers": [{"offer": f"{r}-m-1m", "pool": f"{r}-m", "usd_per_unit_hour": 1.0,
     "min_units": 15} for r in ("east", "west")]}, "sizes", "10 units are below min_units 15"),
    ("step", {"whole_units": True}, {"throughput": [{"pool": f"{r}-m", "model": "m", "tokens_per_minute_per_unit": 1,
     "min_units": 1, "unit_step": 4} for r in ("east", "west")]}, "sizes",
     "pool east-m, meter tokens, model m, 2027-01: deployed 10 units are not 1 plus whole steps of 4"),
    ("more demand", {}, {"demand": [r for o in ("east", "west") for r in builders.profile(o, "w", 10.1)]}, "balance",
     "served 10 of 10.1"),
    ("failover share above what stands", {}, {"demand": [r for o in ("east", "west") for r in
     builders.profile(o, "w", 10.1)]}, "stress", "failover"),
    ("trust", {"failover": {"enabled": True, "share": 1.0, "on_demand_trust": 0.4}}, {}, "stress",
     "the witness loads 10 tokens/minute, 8 stand"),
    ("no trust", {"failover": {"enabled": True, "share": 1.0, "on_demand_trust": 0}},
     {"on_demand": on_demand_rows(tokens_per_minute_quota=None)}, "stress", "on standard, which does not stand"),
    ("headroom", {"headroom": 0.5, "reserved_headroom": 0.2}, {}, "stress", "the witness serves 12.5 of 20"),
    ("failing regions", {"failover": {"enabled": True, "share": 1.0, "on_demand_trust": 0.5}},
     {"regions": [{"region": "east"}, {"region": "west"}, {"region": "mid"}]}, "stress", "failover mid"),
    ("routes", {}, {"routes": [{"origin": "west", "destination": "east"}]}, "routes",
     "workload w from east served in west by m on standard: no listed route"),
    ("mix", {}, {"models": [{"model": "m"}, {"model": "n"}], "mix": [{"workload": "w", "model": "m", "max_share": 0.9},
     {"workload": "w", "model": "n"}]}, "mix", "model m serves 10 of 10 requests/hour; its share must lie in 0 to 0.9"),
    ("mix under stress", {}, {"models": [{"model": "m"}, {"model": "n"}], "mix": [{"workload": "w", "model": "m"},
     {"workload": "w", "model": "n", "min_share": 0.1}]}, "stress", "model n takes 0 of the witness's"),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "tables", "rule", "words"), [t[1:] for t in STRICTER], ids=[t[0] for t in STRICTER])
def test_the_plan_breaks_a_rule_that_is_tightened(
    policy: dict[str, Any], tables: dict[str, Any], rule: str, words: str
) -> None:
    case = hand_case(policy, **tables)
    found = audit(case, on(case, hand_plan(hand_case())))
    assert any(f.rule == rule and words in f.message for f in found), [str(f) for f in found]


def away(case_tables: dict[str, Any], policy: dict[str, Any] | None = None) -> list[Finding]:
    """Audit of a plan in which east's two on-demand requests go to west: 20 % of east's, 10 % of all."""
    case = hand_case(policy, **case_tables)
    plan = hand_plan(case)
    moved = (plan.dispatch["supply"] == "standard") & (plan.dispatch["origin"] == "east")
    return audit(case, replace(plan, dispatch=plan.dispatch.assign(region=plan.dispatch["region"].mask(moved, "west"))))


def test_data_of_requests_and_of_answers_count_on_their_own_direction() -> None:
    # 2 requests x 744 hours x 60 tokens x 4 bytes = 357,120 bytes there; answers of 30 tokens: half of it back
    answers = {"workloads": [{"workload": "w", "input_tokens": 60, "output_tokens": 30}]}
    weights = {"throughput": [{"pool": f"{r}-m", "model": "m", "tokens_per_minute_per_unit": 1, "output_weight": 0}
                              for r in ("east", "west")],
               "on_demand": on_demand_rows(quota_output_weight=0)}  # fmt: skip

    def routes(there: float, back: float) -> dict[str, Any]:
        return {"routes": [{"origin": "east", "destination": "west", "max_gb_per_month": there},
                           {"origin": "west", "destination": "east", "max_gb_per_month": back}]}  # fmt: skip

    gb = 2 * 744 * 60 * 4 / 1e9
    assert away({**answers, **weights, **routes(gb * 1.001 + 1e-6, gb / 2 + 1e-6)}) == []
    big = {"workloads": [{**answers["workloads"][0], "bytes_per_token": 4e6}]}
    assert away({**big, **weights, **routes(gb * 1.001e6, gb * 0.501e6)}) == []
    assert "east to west" in str(away({**big, **weights, **routes(gb * 0.999e6, gb * 0.501e6)})[0])
    assert "west to east" in str(away({**big, **weights, **routes(gb * 1.001e6, gb * 0.499e6)})[0])


def test_the_share_served_away_is_capped() -> None:
    assert away({}, {"egress": {"max_cross_region_share": 0.1}}) == []
    found = away({}, {"egress": {"max_cross_region_share": 0.099}})
    assert [f.rule for f in found] == ["egress"]
    assert "0.1 of all requests are served outside their origin" in found[0].message


def test_an_unlimited_quota_is_no_limit_under_stress_unless_trust_is_none() -> None:
    case = hand_case(on_demand=on_demand_rows(tokens_per_minute_quota=None))
    assert audit(case, on(case, hand_plan(hand_case()))) == []


def test_only_regions_that_fail_are_asked_for() -> None:
    case = hand_case(regions=[{"region": "east", "fails": False}, {"region": "west"}])
    plan = on(case, hand_plan(hand_case()))
    assert "name no stress case" in str(audit(case, plan)[0])  # the witness of a case that is not asked for
    kept = replace(plan, stress_slots=plan.stress_slots[plan.stress_slots["case"] != "failover east"],
                   stress_dispatch=plan.stress_dispatch[plan.stress_dispatch["case"] != "failover east"])  # fmt: skip
    assert audit(case, kept) == []


def test_groups_of_independent_parts_are_added_up() -> None:
    case = hand_case()
    plan = hand_plan(case)
    split = plan.stress_dispatch.assign(group=range(len(plan.stress_dispatch)))
    slots = plan.stress_slots.drop(columns="group").merge(split[["case", "group"]], on="case")
    assert audit(case, replace(plan, stress_slots=slots, stress_dispatch=split)) == []
    short = audit(case, replace(plan, stress_slots=slots, stress_dispatch=split.iloc[1:]))
    assert rules(short) == {"stress"}


def test_shared_hourly_pools_have_one_deployment_for_all_models() -> None:
    pools = [{"pool": f"{r}-m", "region": r, "shared_hourly": True} for r in ("east", "west")]
    case = hand_case(pools=pools)
    plan = on(case, hand_plan(hand_case()))
    assert rules(audit(case, plan)) >= {"names"}
    assert audit(case, replace(plan, deployments=plan.deployments.assign(model="*"))) == []


def test_both_meters_of_a_pool_are_loaded() -> None:
    rows = [{"pool": f"{r}-m", "model": "m", "meter": meter, "tokens_per_minute_per_unit": 1, **weights}
            for r in ("east", "west")
            for meter, weights in (("input", {"output_weight": 0}),
                                   ("output", {"input_weight": 0, "cached_input_weight": 0}))]  # fmt: skip
    workloads = [{"workload": "w", "input_tokens": 60, "output_tokens": 30}]
    offers = [{"offer": f"{r}-{meter}", "pool": f"{r}-m", "meter": meter, "usd_per_unit_hour": 1.0}
              for r in ("east", "west") for meter in ("input", "output")]  # fmt: skip
    case = hand_case(throughput=rows, workloads=workloads, offers=offers,
                     on_demand=on_demand_rows(quota_output_weight=0))  # fmt: skip
    plan = on(case, hand_plan(hand_case()))
    units = {"input": 10.0, "output": 5.0}  # an answer has half the tokens of a request
    plan = replace(
        plan,
        totals=replace(plan.totals, reserved_usd=2 * 744 * 15.0),
        proof=replace(plan.proof, bound_usd=2 * 744 * 15.0 + 8_928, gap=0.0),
        purchases=pd.DataFrame([(f"{r}-{k}", "2027-01", n, n * 744) for r in BOTH for k, n in units.items()],
                               columns=["offer", "period", "units", "usd"]),
        deployments=pd.DataFrame([(f"{r}-m", k, "m", "2027-01", n) for r in BOTH for k, n in units.items()],
                                 columns=["pool", "meter", "model", "period", "units"]),
    )  # fmt: skip
    assert audit(case, plan) == []
    less = plan.deployments.assign(units=[10.0, 4.9, 10.0, 5.0])
    assert "pool east-m, meter output, model m" in str(audit(case, replace(plan, deployments=less))[0])


def test_of_many_broken_places_the_worst_are_told_and_the_rest_counted() -> None:
    case = hand_case()
    plan = hand_plan(case)
    rph = plan.dispatch["requests_per_hour"] + (plan.dispatch["hour_of_week"] == 38) * 1.0 + 0.5
    found = [f for f in audit(case, replace(plan, dispatch=plan.dispatch.assign(requests_per_hour=rph)))
             if f.rule == "balance"]  # fmt: skip
    assert "hour 38 (Tue 14:00 UTC): served 13 of 10" in found[0].message
    assert found[-1].message == f"and in {2 * 168 - 5} more places"


def test_an_empty_plan_for_no_demand_is_right() -> None:
    rows = builders.profile("west", "w", 0.0)
    case = builders.case(builders.tables(demand=rows))
    plan = hand_plan(hand_case())
    empty = {n: getattr(plan, n).iloc[:0] for n in
             ("purchases", "deployments", "dispatch", "stress_slots", "stress_dispatch")}  # fmt: skip
    parts = {"reserved_usd": 0.0, "on_demand_usd": 0.0}
    plan = replace(
        on(case, plan), **empty, totals=replace(plan.totals, **parts), proof=replace(plan.proof, bound_usd=0.0, gap=0.0)
    )
    assert audit(case, plan) == []


def test_fixtures_are_what_they_say() -> None:
    assert len(hourly([("east", "w", "m", "east", "east-m", 1.0)])) == 168
    assert lost("east")[1][3] == "west"
