"""New deployments: mean, peak and weekend are exactly what was asked for."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.cli import main
from planner.errors import InputError
from planner.features.demand.new import ARCHETYPES, NewDeployment, new_demand, shape_week


@pytest.mark.parametrize("name", ARCHETYPES)
def test_an_archetype_has_the_ratio_it_declares(name):
    archetype = ARCHETYPES[name]
    week = shape_week(archetype, archetype.peak_over_mean, archetype.weekend_share)
    assert week.mean() == pytest.approx(1.0, rel=1e-12)
    assert week.max() == pytest.approx(archetype.peak_over_mean, rel=1e-9)
    assert week[120:].sum() / week.sum() == pytest.approx(archetype.weekend_share, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["customer_service", "voice_agent", "internal_tools", "batch"]),
    st.floats(1.8, 4.6),
    st.floats(0.05, 0.3),
)
def test_any_peak_and_weekend_that_can_be_had_are_met(name, peak, weekend):
    week = shape_week(ARCHETYPES[name], peak, weekend)
    assert week.mean() == pytest.approx(1.0, rel=1e-9)
    assert week.max() == pytest.approx(peak, rel=1e-9)
    assert week[120:].sum() == pytest.approx(weekend * 168, rel=1e-9)
    assert (week >= 0).all()


def test_a_peak_that_cannot_be_had_is_refused():
    # 27 of 168 hours' worth at most: customer_service has one busiest hour on each of five days with 80 % of the week
    with pytest.raises(InputError, match=r"at most 26\.88"):
        shape_week(ARCHETYPES["customer_service"], 40, 0.2)
    with pytest.raises(InputError, match=r"at least 1\.12"):  # 0.8 x 168 / 120 on weekdays even when flat
        shape_week(ARCHETYPES["customer_service"], 1.0, 0.2)


def test_office_hours_stay_local_when_the_clock_changes():
    deployment = NewDeployment("w", "eu", "internal_tools", 100.0, time_zone="Europe/Berlin", start=dt.date(2027, 2, 1))
    demand = new_demand(deployment)  # February +1, March +1 (15th), April +2
    peaks = {p: set(g.loc[g["requests_per_hour"].idxmax(), ["hour_of_week"]]) for p, g in demand.groupby("period")}
    assert peaks == {"2027-02": {9}, "2027-03": {9}, "2027-04": {8}}  # 10:00 local on Monday


def test_growth_and_ramp():
    deployment = NewDeployment("w", "eu", "constant", 90.0, growth_per_month=0.1, ramp_months=3)
    levels = new_demand(deployment).groupby("period")["requests_per_hour"].mean().tolist()
    assert levels == pytest.approx([30.0, 66.0, 108.9])  # 90/3, 90 x 2/3 x 1.1, 90 x 1.21


def test_the_command_adds_to_a_folder_and_leaves_the_rest(tmp_path, capsys):
    folder = tmp_path / "plan"
    common = ["--region", "eu", "--model", "m", "--start", "2027-01", "-o", str(folder)]
    assert (
        main(["demand", "new", "a", "--qps", "100", "--peak-qps", "400", "--archetype", "internal_tools", *common]) == 0
    )
    assert "peak 1,440,000.0/h (400.00/s)" in capsys.readouterr().out
    assert main(["demand", "new", "b", "--users", "240", "--requests-per-user-day", "10", *common]) == 0
    assert main(["demand", "new", "a", "--qps", "1", "--archetype", "constant", *common]) == 0
    demand = pd.read_csv(folder / "demand.csv")
    assert demand.groupby("workload")["requests_per_hour"].mean().to_dict() == pytest.approx({"a": 3600.0, "b": 100.0})
    assert len(demand) == 2 * 3 * 168
    assert pd.read_csv(folder / "workloads.csv")["workload"].tolist() == ["a", "b"]


def test_all_wrong_arguments_are_told_at_once(tmp_path, capsys):
    arguments = ["demand", "new", "a", "--archetype", "x", "--time-zone", "y", "--region", "r", "--model", "m"]
    assert main([*arguments, "-o", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert told.startswith("3 faults")


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--qps", "nan"], "--qps: is not a size"),
        (["--qps", "inf"], "--qps: is not a size"),
        (["--users", "5", "--requests-per-user-day", "0"], "--requests-per-user-day: is not a size"),
        (["--qps", "5", "--requests-per-user-day", "3"], "--requests-per-user-day: goes with --users"),
        (["--qps", "5", "--peak-over-mean", "3", "--peak-qps", "20"], "--peak-qps: goes without"),
        (["--qps", "5", "--peak-over-mean", "nan"], "--peak-over-mean: is not a size"),
        (["--qps", "5", "--growth", "nan"], "--growth: is no such number"),
        (["--qps", "5", "--input-tokens", "inf"], "--input-tokens: is no such number"),
        (["--qps", "5", "--region", " "], "region: needs a name"),
    ],
)
def test_sizes_that_are_none(extra, words, tmp_path, capsys):
    common = ["demand", "new", "a", "--region", "r", "--model", "m", "-o", str(tmp_path / "p")]
    assert main([*common, *extra]) == 1
    assert words in capsys.readouterr().err
    assert not (tmp_path / "p").exists()


def test_a_second_region_keeps_the_workload_s_tokens_and_models(tmp_path, capsys):
    folder = tmp_path / "plan"
    first = ["demand", "new", "a", "--qps", "1", "--start", "2027-01", "-o", str(folder), "--region", "eu"]
    assert main([*first, "--model", "m", "--input-tokens", "1234567.25", "--cache-hit-rate", "0.4"]) == 0
    assert main(["demand", "new", "a", "--qps", "1", "-o", str(folder), "--region", "us", "--model", "other"]) == 0
    assert "a is served by m in mix.csv" in capsys.readouterr().out
    row = pd.read_csv(folder / "workloads.csv").iloc[0]
    assert row[["input_tokens", "output_tokens", "cache_hit_rate"]].tolist() == [1234567.25, 300.0, 0.4]
    assert main([*first, "--model", "m", "--output-tokens", "7654321.5"]) == 0
    assert pd.read_csv(folder / "workloads.csv").iloc[0]["output_tokens"] == 7654321.5


def test_months_that_the_folder_does_not_plan_are_refused(tmp_path, capsys):
    folder = tmp_path / "plan"
    common = ["demand", "new", "a", "--qps", "1", "--region", "eu", "--model", "m", "-o", str(folder)]
    assert main([*common, "--start", "2027-01", "--months", "2"]) == 0
    before = (folder / "demand.csv").read_bytes()
    assert main([*common, "--months", "3"]) == 1
    assert "2027-01, 3 months" in capsys.readouterr().err
    assert (folder / "demand.csv").read_bytes() == before


def test_a_workbook_is_no_folder_to_write_into(tmp_path, capsys):
    book = tmp_path / "plan.xlsx"
    book.write_bytes(b"PK")
    assert main(["demand", "new", "a", "--region", "r", "--model", "m", "--qps", "5", "-o", str(book)]) == 1
    assert f"{book} is a file, and demand is written into a planning folder" in capsys.readouterr().err
    assert book.read_bytes() == b"PK"
