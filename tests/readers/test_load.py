"""A clean folder becomes the case that its tables say, whatever the order of rows and the form of numbers."""

import pandas as pd
import pytest

from planner.readers import load
from planner.schema.case import DEMAND_COLUMNS
from tests.builders import case, profile, tables, two_regions, write_folder
from tests.oracle.generate import generate
from tests.oracle.oracle import Instance


@pytest.mark.parametrize("rows", [tables(), two_regions()], ids=["one region", "two regions"])
def test_a_folder_is_the_case_of_its_tables(rows, tmp_path):
    read = load(write_folder(rows, tmp_path, months=2))
    made = case(rows, months=2)
    assert read.digest == made.digest
    pd.testing.assert_frame_equal(read.demand, made.demand)
    assert read.offers == made.offers


def test_row_order_and_number_format_do_not_matter(tmp_path):
    rows = two_regions(scenarios=[{"scenario": "b", "probability": 0.25}, {"scenario": "a", "probability": 0.75}])
    turned = {name: list(reversed(table)) for name, table in rows.items()}
    turned["demand"] = [row | {"requests_per_hour": "1.00e1"} for row in turned["demand"]]
    turned["workloads"] = [row | {"input_tokens": "60.0", "cache_hit_rate": "0"} for row in turned["workloads"]]
    turned["throughput"] = [{**row, "tokens_per_minute_per_unit": " 1 "} for row in turned["throughput"]]
    one, other = load(write_folder(rows, tmp_path / "one")), load(write_folder(turned, tmp_path / "other"))
    assert one.digest == other.digest
    assert [s.scenario for s in one.scenarios] == ["a", "b"]


@pytest.mark.parametrize("change", [
    {"demand": profile("west", "w", [10.0, 10.0, 11.0])},
    {"offers": [{"offer": "west-m-1m", "pool": "west-m", "usd_per_unit_hour": 1.5}]},
    {"regions": [{"region": "west", "fails": False}]},
])  # fmt: skip
def test_another_number_has_another_digest(change):
    assert case(tables(**change)).digest != case(tables()).digest


def test_the_same_numbers_in_another_region_have_another_digest():
    def three(*regions):
        return [
            {"region": region, "workload": "w", "hour_of_week": hour, "requests_per_hour": hour + 1}
            for hour, region in enumerate(regions)
        ]

    one, other = three("east", "east", "west"), three("east", "west", "west")
    assert case(two_regions(demand=one)).digest != case(two_regions(demand=other)).digest


def test_blank_scenario_and_period_mean_all_and_zero_rows_go(tmp_path):
    # 168 hours of which every third is 0: 112 rows, in 2 scenarios and 3 months
    rows = tables(
        scenarios=[{"scenario": "a", "probability": 0.5}, {"scenario": "b", "probability": 0.5}],
        demand=profile("west", "w", [0.0, 5.0, 6.0]),
    )
    demand = load(write_folder(rows, tmp_path, months=3)).demand
    assert len(demand) == 112 * 2 * 3
    assert list(demand.columns) == list(DEMAND_COLUMNS)
    assert demand.groupby(["scenario", "period"], observed=True)["requests_per_hour"].sum().tolist() == [616.0] * 6
    assert demand["requests_per_hour"].min() == 5.0
    assert str(demand["hour_of_week"].dtype) == "int64"
    assert (demand["period"].cat.codes == demand["period"].map({"2027-01": 0, "2027-02": 1, "2027-03": 2})).all()


def test_rows_of_one_scenario_and_month_stay_there(tmp_path):
    rows = tables(
        scenarios=[{"scenario": "a", "probability": 0.5}, {"scenario": "b", "probability": 0.5}],
        demand=[
            *profile("west", "w", 1.0, scenario="b", period="2027-02"),
            *profile("west", "w", 2.0, scenario="a"),
        ],
    )
    demand = load(write_folder(rows, tmp_path, months=2)).demand
    total = demand.groupby(["scenario", "period"], observed=True)["requests_per_hour"].sum()
    assert total.to_dict() == {("a", "2027-01"): 336.0, ("a", "2027-02"): 336.0, ("b", "2027-02"): 168.0}


def test_names_are_kept_as_written(tmp_path):
    # names that a careless reader takes for a missing value, a number or a truth
    for number, name in enumerate(("NA", "01", "TRUE", "1e3", "nan", "Zürich, CH")):
        rows = tables(
            regions=[{"region": name}],
            demand=profile(name, "w", 1.0),
            pools=[{"pool": "p", "region": name}],
            throughput=[],
            offers=[],
            on_demand=[{"region": name, "model": "m", "usd_per_mtok_input": 1, "usd_per_mtok_output": 1}],
        )
        read = load(write_folder(rows, tmp_path / str(number)))
        assert read.regions[0].region == name
        assert set(read.demand["region"]) == {name}


@pytest.mark.parametrize("seed", range(4))
def test_the_oracle_reads_the_same_numbers(seed, tmp_path):
    generate(tmp_path, seed, regions=3, months=2, features="all" if seed else ())
    theirs, ours = Instance(tmp_path), load(tmp_path)
    demand = {tuple(row[:5]): row[5] for row in ours.demand.itertuples(index=False)}
    assert demand == {key: value for key, value in theirs.demand.items() if value > 0}
    assert [p.name for p in ours.periods] == theirs.periods
    assert {p.name: p.weeks for p in ours.periods} == theirs.weeks
    assert {s.scenario: s.probability for s in ours.scenarios} == theirs.scenarios
    assert {r.region: r.fails for r in ours.regions} == theirs.fails
    assert {(m.workload, m.model): (m.min_share, m.max_share) for m in ours.mix} == theirs.mix
    for w in ours.workloads:
        shape = theirs.shape[w.workload]
        assert (ours.headroom(w), ours.reserved_headroom(w), ours.failover_share(w)) == (
            shape.headroom, shape.reserved_headroom, shape.failover_share)  # fmt: skip
        assert {r for r in theirs.regions if theirs.may_serve(w.workload, "r0", r)} == {
            r.region for r in ours.regions if ours.may_serve(w, "r0", r.region)
        }
    assert {o.offer: (o.term_months, o.usd_per_unit_hour, o.min_units, o.unit_step) for o in ours.offers} == {
        o.offer: (o.term_months, o.usd_per_unit_hour, o.min_units, o.unit_step) for o in theirs.offers.itertuples()
    }
    units = {
        (k, c.offer): c.units
        for k, p in enumerate(ours.periods)
        for c in ours.commitments
        if ours.commitment_in_force(c, p)
    }
    pools = {(o.offer): (o.pool, o.meter) for o in ours.offers}
    for k in range(len(ours.periods)):
        for pool, meter in set(pools.values()):
            mine = sum(u for (j, offer), u in units.items() if j == k and pools[offer] == (pool, meter))
            assert mine == theirs.existing_units(pool, meter, k)
