"""Every kind of fault, with the words that a planner reads. Each case changes one thing of a valid folder."""

import pytest

from planner.errors import Fault, InputError
from planner.readers import load
from tests.builders import profile, tables, two_regions, write_folder

WEEK = profile("west", "w", 10.0)


def said(folder):
    """The faults of a folder, as lines."""
    with pytest.raises(InputError) as caught:
        load(folder)
    return [str(fault) for fault in caught.value.faults]


def changed(table, row, **cells):
    """The smallest tables with some cells of one row replaced; None takes the cell out."""
    rows = [dict(r) for r in tables().get(table, [{}])]
    rows[row].update(cells)
    rows[row] = {name: value for name, value in rows[row].items() if value is not None}
    return tables(**{table: rows})


CELLS = [
    (changed("workloads", 0, input_tokens="many"),
     "workloads.csv, row 2, column input_tokens: is not a number (found 'many'); allowed: a number of at least 0"),
    (changed("workloads", 0, input_tokens="1,200"),
     "workloads.csv, row 2, column input_tokens: is not a number: write 1234.5, with a point and without separators of "
     "thousands (found '1,200'); allowed: a number of at least 0"),
    (changed("workloads", 0, headroom="30%"),
     "workloads.csv, row 2, column headroom: is not a number: write a share such as 0.3, not a percentage "
     "(found '30%'); allowed: a number from 0 to below 1"),
    (changed("workloads", 0, input_tokens=""),
     "workloads.csv, row 2, column input_tokens: must be filled in; allowed: a number of at least 0"),
    (changed("workloads", 0, input_tokens="-3"),
     "workloads.csv, row 2, column input_tokens: must not be negative (found '-3'); "
     "allowed: a number of at least 0"),
    (changed("workloads", 0, input_tokens="nan"),
     "workloads.csv, row 2, column input_tokens: is not a finite number (found 'nan'); "
     "allowed: a number of at least 0"),
    (changed("workloads", 0, input_tokens="inf"),
     "workloads.csv, row 2, column input_tokens: is not a finite number (found 'inf'); "
     "allowed: a number of at least 0"),
    (changed("workloads", 0, input_tokens="1e15"),
     "workloads.csv, row 2, column input_tokens: is above 1,000,000,000: wrong unit? (found '1e15'); "
     "allowed: a number of at least 0"),
    (changed("workloads", 0, cache_hit_rate="1.5"),
     "workloads.csv, row 2, column cache_hit_rate: is too large (found '1.5'); allowed: a number from 0 to 1"),
    (changed("workloads", 0, cache_hit_rate=0.8, cache_write_rate=0.3),
     "workloads.csv, row 2: cache hit rate 0.8 and cache_write_rate 0.3 sum past 1"),
    (changed("workloads", 0, kind="voice_agents"),
     "workloads.csv, row 2, column kind: is not one of the allowed words; did you mean 'voice_agent'? "
     "(found 'voice_agents'); allowed: one of customer_service, voice_agent, internal_tools, batch"),
    (changed("workloads", 0, serving_regions="west;wset"),
     "workloads.csv, row 2, column serving_regions: there is no region 'wset'; did you mean 'west'?"),
    (changed("workloads", 0, input_tokens="#N/A"),
     "workloads.csv, row 2, column input_tokens: the formula of this cell has no value; correct it, or open the file "
     "in a spreadsheet and save it (found '#N/A')"),
    (changed("regions", 0, fails="perhaps"),
     "regions.csv, row 2, column fails: is neither yes nor no (found 'perhaps'); allowed: true or false"),
    (changed("regions", 0, time_zone="Europe/Pariss"),
     "regions.csv, row 2, column time_zone: there is no time zone 'Europe/Pariss'; did you mean 'Europe/Paris'?; "
     "allowed: an IANA name"),
    (changed("models", 0, tier="large"),
     "models.csv, row 2, column tier: is not one of the allowed words (found 'large'); "
     "allowed: one of frontier, mid, small"),
    (changed("mix", 0, min_share=0.8, max_share=0.5),
     "mix.csv, row 2: min_share 0.8 is above max_share 0.5"),
    (changed("mix", 0, max_share=0.9),
     "mix.csv, row 2, column max_share: max_share of all models of workload 'w' sums to 0.9, so not all of it can be "
     "served; allowed: a sum of at least 1: round up, or leave one blank"),
    (changed("mix", 0, model="n"),
     "mix.csv, row 2, column model: there is no model 'n'"),
    (changed("offers", 0, term_months=1.5),
     "offers.csv, row 2, column term_months: is not a whole number (found '1.5'); "
     "allowed: a whole number from 1 to 1200"),
    (changed("offers", 0, pool="wst-m"),
     "offers.csv, row 2, column pool: there is no pool 'wst-m'; did you mean 'west-m'?"),
    (changed("offers", 0, min_units=5, max_units=3),
     "offers.csv, row 2: min_units 5 is above max_units 3"),
    (changed("offers", 0, meter="input"),
     "offers.csv, row 2, column meter: the table throughput does not say what a unit of 'west-m' serves for "
     "any model; its meters there are tokens (found 'input')"),
    (changed("throughput", 0, tokens_per_minute_per_unit=0),
     "throughput.csv, row 2, column tokens_per_minute_per_unit: is too small (found '0'); allowed: a number of at "
     "least 0.001"),
    (changed("commitments", 0, offer="west-m-1m", units=5, start="45000", end="2027-03-01"),
     "commitments.csv, row 2, column start: is not a date (found '45000'); allowed: a date such as 2027-01-01"),
    (changed("commitments", 0, offer="west-m-1m", units=5, start="2027-03-01", end="2027-03-01"),
     "commitments.csv, row 2: end 2027-03-01 is not after start 2027-03-01"),
    (changed("commitments", 0, offer="west-1m", units=5, start="2026-03-01", end="2027-03-01"),
     "commitments.csv, row 2, column offer: there is no offer 'west-1m'; did you mean 'west-m-1m'?"),
    (changed("routes", 0, origin="west", destination="east"),
     "routes.csv, row 2, column destination: there is no region 'east'; did you mean 'west'?"),
    (changed("routes", 0, origin="west", destination="west", usd_per_gb=0.1),
     "routes.csv, row 2: 'west' reaches itself for free and without limit; leave this row out"),
    (changed("pools", 0, pool="standard") | {"throughput": [], "offers": []},
     "pools.csv, row 2, column pool: 'standard' is also an on-demand option: a plan could not tell them apart"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "words"), CELLS, ids=[words.split(":")[0][-60:] for _, words in CELLS])
def test_a_cell_that_will_not_do(rows, words, tmp_path):
    rows = {name: table for name, table in rows.items() if table}
    assert said(write_folder(rows, tmp_path)) == [words]


DEMAND = [
    ({"region": "wset"}, "column region: there is no region 'wset'; did you mean 'west'?"),
    ({"region": ""}, "column region: must be filled in; allowed: a name of the table regions"),
    ({"workload": "v"}, "column workload: there is no workload 'v'"),
    ({"scenario": "bsae"}, "column scenario: there is no scenario 'bsae'; did you mean 'base'?"),
    ({"period": "2027-03"},
     "column period: is not a month of the horizon (found '2027-03'); allowed: 2027-01 to 2027-02"),
    ({"hour_of_week": 168},
     "column hour_of_week: is too large (found '168'); allowed: a whole number from 0 to 167"),
    ({"hour_of_week": "1.5"},
     "column hour_of_week: is not a whole number (found '1.5'); allowed: a whole number from 0 to 167"),
    ({"requests_per_hour": "-1"},
     "column requests_per_hour: must not be negative (found '-1'); allowed: a number of at least 0"),
    ({"requests_per_hour": "lots"},
     "column requests_per_hour: is not a number (found 'lots'); allowed: a number of at least 0"),
    ({"requests_per_hour": "inf"},
     "column requests_per_hour: is not a finite number (found 'inf'); allowed: a number of at least 0"),
    ({"requests_per_hour": ""}, "column requests_per_hour: must be filled in; allowed: a number of at least 0"),
    ({"hour_of_week": 3},
     "gives the same region, workload, scenario, period and hour as row 5; "
     "a blank scenario or period means all of them"),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "words"), DEMAND)
def test_a_row_of_demand_that_will_not_do(cells, words, tmp_path):
    week = [dict(row) for row in WEEK]
    week[100] |= cells  # row 102
    link = ": " if words.startswith("gives") else ", "
    assert said(write_folder(tables(demand=week), tmp_path, months=2)) == [f"demand.csv, row 102{link}{words}"]


def test_demand_for_all_months_and_again_for_one_overlaps(tmp_path):
    rows = tables(demand=[*WEEK, {**WEEK[7], "period": "2027-02"}])
    assert said(write_folder(rows, tmp_path, months=2)) == [
        "demand.csv, row 170: gives the same region, workload, scenario, period and hour as row 9; "
        "a blank scenario or period means all of them"
    ]


def test_a_key_that_is_there_twice(tmp_path):
    rows = two_regions()
    rows["on_demand"] = [*rows["on_demand"], {**rows["on_demand"][0], "option": "standard"}]
    assert said(write_folder(rows, tmp_path)) == [
        "on_demand.csv, row 4: region 'east', model 'm', option 'standard' appears already, in row 2"
    ]


def test_probabilities_sum_to_one(tmp_path):
    rows = tables(scenarios=[{"scenario": "a", "probability": 0.5}, {"scenario": "b", "probability": 0.4}])
    assert said(write_folder(rows, tmp_path)) == [
        "scenarios.csv, column probability: the probabilities of all scenarios must sum to 1 (found '0.9')"
    ]


def test_shares_that_must_be_served_fit_into_one(tmp_path):
    rows = tables(
        models=[{"model": "m"}, {"model": "n"}],
        mix=[{"workload": "w", "model": "m", "min_share": 0.6}, {"workload": "w", "model": "n", "min_share": 0.5}],
    )
    assert said(write_folder(rows, tmp_path)) == [
        "mix.csv, row 2, column min_share: min_share of all models of workload 'w' sums to 1.1; allowed: a sum up to 1"
    ]


def test_a_mix_that_no_region_can_serve(tmp_path):
    # model n is sold nowhere; east has demand, sells nothing and has no route to west
    models = [{"model": "m"}, {"model": "n"}]
    must = [{"workload": "w", "model": "m"}, {"workload": "w", "model": "n", "min_share": 0.1}]
    assert said(write_folder(tables(models=models, mix=must), tmp_path / "model")) == [
        "mix.csv, column min_share: demand of workload 'w' from 'west' cannot be served: model 'n' must take a share, "
        "but no region in reach (west) has a pool or on-demand option for it (found '0.1')"
    ]
    rows = two_regions(
        routes=[],
        pools=[{"pool": "west-m", "region": "west"}],
        throughput=[{"pool": "west-m", "model": "m", "tokens_per_minute_per_unit": 1}],
        offers=[],
        on_demand=[{"region": "west", "model": "m", "usd_per_mtok_input": 1, "usd_per_mtok_output": 1}],
    )
    assert said(write_folder(rows, tmp_path / "region")) == [
        "mix.csv, column model: demand of workload 'w' from 'east' cannot be served: no region in reach (east) has "
        "pools or on-demand options for enough of its models (m)"
    ]


def test_a_pool_that_nobody_can_buy_serves_nothing(tmp_path):
    # the only supply is a pool of two meters, of which one is on sale
    meters = [
        {"pool": "west-m", "model": "m", "meter": "input", "tokens_per_minute_per_unit": 1, "output_weight": 0},
        {"pool": "west-m", "model": "m", "meter": "output", "tokens_per_minute_per_unit": 1, "input_weight": 0},
    ]
    offer = {"offer": "o", "pool": "west-m", "meter": "input", "usd_per_unit_hour": 1}
    half = tables(throughput=meters, offers=[offer], on_demand=[])
    assert "cannot be served" in said(write_folder(half, tmp_path / "half"))[0]
    both = tables(throughput=meters, offers=[offer, {**offer, "offer": "p", "meter": "output"}], on_demand=[])
    assert load(write_folder(both, tmp_path / "both")).offers[1].meter == "output"


def test_columns_unknown_missing_and_twice(tmp_path):
    folder = write_folder(tables(), tmp_path)
    (folder / "mix.csv").write_text("workload,modell,note,note\nw,m,,\n")
    assert said(folder) == [
        "mix.csv, row 1: the table mix has no column 'modell'; did you mean 'model'?",
        "mix.csv, row 1: the column 'note' appears twice",
        "mix.csv, row 1: the column 'model' (model that may serve it) is missing",
    ]


def test_tables_that_are_needed_and_files_that_are_none(tmp_path):
    rows = tables()
    del rows["demand"]
    folder = write_folder(rows, tmp_path)
    (folder / "mix.csv").write_text("workload,model\n")
    (folder / "ofers.csv").write_text("x\n")
    (folder / "events.csv").write_text("of the forecast\n")
    (folder / "notes.txt").write_text("mine\n")
    assert said(folder) == [
        "ofers.csv: there is no such table; did you mean 'offers'?",
        "mix.csv: has no rows; a plan needs at least one",
        "demand.csv: the file is missing; a plan needs it",
    ]


def test_all_faults_come_at_once_and_repeats_are_counted(tmp_path):
    week = [{**row, "requests_per_hour": -1} for row in WEEK]
    rows = changed("workloads", 0, input_tokens="x") | {"demand": week}
    lines = said(write_folder(rows, tmp_path, headroom=0.0))
    assert lines[0].startswith("workloads.csv, row 2")
    assert lines[1].startswith("demand.csv, row 2, column requests_per_hour: must not be negative")
    assert lines[-1].startswith("demand.csv, row 2, column requests_per_hour: must not be negative, in 168 rows")
    assert len(lines) == 2
    misspelt = {**rows, "demand": [{**row, "region": "wset"} for row in WEEK]}
    assert said(write_folder(misspelt, tmp_path, headroom=0.0))[-1] == (
        "demand.csv, row 2, column region: there is no region 'wset', in 168 rows; did you mean 'west'?"
    )


def test_every_fault_of_a_row_is_told_at_once(tmp_path):
    """What cells break together, or against another table, is told beside a cell that is wrong by itself."""
    rows = {
        "price_factors": [{"option": "batsh", "period": "2028-01", "factor": -1, "hours_of_week": "7-200"}],
        "spend_commitments": [
            {"contract": "macc", "usd": "much", "first_period": "2028-01", "counts_on_demand": "no",
             "counts_reserved": "no"},
        ],
        "mix": [{"workload": "w", "model": "n", "min_share": 0.5, "max_share": 0.4}],
        "workloads": [{**tables()["workloads"][0], "input_tokens": "many", "cache_hit_rate": 0.8,
                       "cache_write_rate": 0.3}],
    }  # fmt: skip
    lines = said(write_folder(tables(**rows), tmp_path / "in"))
    told = [
        ("price_factors.csv, row 2, column factor", "must not be negative"),
        ("price_factors.csv, row 2, column hours_of_week", "no range of hours"),
        ("price_factors.csv, row 2, column option", "no row of on_demand has the option 'batsh'"),
        ("price_factors.csv, row 2, column period", "'2028-01' is not a period"),
        ("spend_commitments.csv, row 2, column usd", "is not a number"),
        ("spend_commitments.csv, row 2, column first_period", "'2028-01' is not a period"),
        ("spend_commitments.csv, row 2", "nothing could ever be spent on it"),
        ("mix.csv, row 2, column model", "no model 'n'"),
        ("mix.csv, row 2", "min_share 0.5 is above max_share 0.4"),
        ("workloads.csv, row 2, column input_tokens", "is not a number"),
        ("workloads.csv, row 2", "sum past 1"),
    ]
    assert len(lines) == len(told), lines
    for place, words in told:
        assert any(line.startswith(f"{place}: ") and words in line for line in lines), (place, lines)


def test_a_cell_that_is_wrong_is_not_named_again(tmp_path):
    """min_share above 1 is its own fault; that it is above max_share, too, would be said of a number that is wrong."""
    rows = [{"workload": "w", "model": "m", "min_share": 1.5, "max_share": 0.4}]
    assert len(said(write_folder(tables(mix=rows), tmp_path / "in"))) == 1


def test_a_name_that_never_ends_is_cut() -> None:
    """A cell of a workbook holds 32,767 characters: a message tells the first hundred."""
    told = str(Fault("sheet offers", f"the table offers has no column '{'a b' * 9000}'", allowed="x" * 9000))
    assert len(told) < 400
    assert told.startswith("sheet offers: the table offers has no column 'a ba b")
