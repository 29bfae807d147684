"""FOCUS billing data: commitments, their use by the hour, and money, each cent once."""

import json

import pandas as pd
import pytest

from planner.cli import main

COLUMNS = (
    "ChargeCategory,ChargePeriodStart,ChargePeriodEnd,BilledCost,EffectiveCost,ListCost,CommitmentDiscountId,"
    "CommitmentDiscountName,CommitmentDiscountQuantity,CommitmentDiscountStatus,CommitmentDiscountUnit,RegionId"
)


def usage(hours, used=30, unused=10):
    lines = []
    for h in hours:
        period = f"2026-03-02T{h:02d}:00:00Z,2026-03-02T{h + 1:02d}:00:00Z"
        lines.append(f"Usage,{period},0,15,30,res-1,PTU a,{used},Used,PTU-Hours,eastus2")
        lines.append(f"Usage,{period},0,5,0,res-1,PTU a,{unused},Unused,PTU-Hours,eastus2")
        lines.append(f"Usage,{period},2,2,2,,,,,,eastus2")  # on demand
        lines.append(f"Usage,{period},2,2,2,,,,,,eastus2")  # and once more: two line items may be alike
    return lines


PURCHASE = "Purchase,2026-03-02T00:00:00Z,2026-03-03T00:00:00Z,480,0,960,res-1,PTU a,960,,PTU-Hours,eastus2"


def write(path, lines):
    path.write_text("\n".join([COLUMNS, *lines]) + "\n")
    return str(path)


def test_utilisation_and_money_by_hand(tmp_path, capsys):
    source = write(tmp_path / "a.csv", [PURCHASE, *usage(range(4))])
    assert main(["ingest", source, "-o", str(tmp_path / "f")]) == 0
    assert "PTU a: 40 PTU, utilisation 75.0%" in capsys.readouterr().out
    report = json.loads((tmp_path / "f" / "commitments.json").read_text())
    # 4 hours of 15 + 5 amortised and 2 x 2 on demand; the purchase is billed, and not effective a second time
    assert report["money"] == {
        "billed cost": 480 + 4 * 4,
        "effective cost of usage": 4 * (20 + 4),
        "list cost of usage": 4 * (30 + 4),
        "effective cost of commitments": 4 * 20,
    }
    hours = pd.read_csv(tmp_path / "f" / "commitment_hours.csv")
    assert hours[["used", "unused"]].to_numpy().tolist() == [[30, 10]] * 4
    assert pd.read_csv(tmp_path / "f" / "commitments.csv")["units"].tolist() == [40]


def test_exports_that_overlap_count_once(tmp_path):
    write(tmp_path / "a.csv", [PURCHASE, *usage(range(3))])
    write(tmp_path / "b.csv", [PURCHASE, *usage(range(1, 4))])
    assert main(["ingest", "focus", str(tmp_path / "a.csv"), str(tmp_path / "b.csv"), "-o", str(tmp_path / "f")]) == 0
    report = json.loads((tmp_path / "f" / "commitments.json").read_text())
    assert report["money"]["effective cost of usage"] == 4 * 24
    assert report["money"]["billed cost"] == 480 + 4 * 4


def test_a_contract_commitment_of_1_3(tmp_path):
    path = tmp_path / "c.csv"
    path.write_text(
        "ContractCommitmentId,ContractCommitmentPeriodStart,ContractCommitmentPeriodEnd,ContractCommitmentDescription,"
        "ContractCommitmentUnit,ContractCommitmentQuantity,ContractCommitmentCost\n"
        "c1,2026-05-01T00:00:00Z,2026-06-01T00:00:00Z,50 PTU for May,PTU-Hours,37200,13433.23\n"
    )
    assert main(["ingest", str(path), "-o", str(tmp_path / "f")]) == 0
    row = pd.read_csv(tmp_path / "f" / "commitments.csv").iloc[0]
    assert [row["units"], row["start"], row["end"]] == [pytest.approx(50), "2026-05-01", "2026-06-01"]


def test_what_is_no_focus_is_refused(tmp_path, capsys):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    assert main(["ingest", "focus", str(path), "-o", str(tmp_path / "f")]) == 1
    assert "is no FOCUS export" in capsys.readouterr().err
    assert not (tmp_path / "f").exists()


CONTRACT = "ContractCommitmentId,ContractCommitmentQuantity,ContractCommitmentUnit,ContractCommitmentCost"


def test_a_contract_with_a_wrong_quantity_is_named_by_row_and_column(tmp_path, capsys):
    lines = [CONTRACT, "a,50,PTU,100", "b,many,PTU,1", "c,5,PTU,free", "d,,PTU,"]
    (tmp_path / "c.csv").write_text("\n".join(lines) + "\n")
    assert main(["ingest", str(tmp_path / "c.csv"), "-o", str(tmp_path / "out")]) == 1
    told = capsys.readouterr().err
    for words in (
        "row 3, column ContractCommitmentQuantity",
        "'many'",
        "row 4, column ContractCommitmentCost",
        "row 5",
    ):
        assert words in told
    assert not (tmp_path / "out").exists()


def read(tmp_path, text, *more):
    path = tmp_path / "usage.csv"
    path.write_text(text, encoding="utf-8")
    code = main(["ingest", str(path), "-o", str(tmp_path / "f"), *more])
    report = tmp_path / "f" / "commitments.json"
    return code, json.loads(report.read_text()) if report.exists() else None


HOUR = "2026-03-02T0{0}:00:00Z,2026-03-02T0{1}:00:00Z"


@pytest.mark.parametrize("blank", ["", "NULL", "null", "None", "N/A", "-", "nan"])
def test_a_blank_is_a_blank_however_it_is_spelled(blank, tmp_path):
    line = f"Usage,{HOUR.format(0, 1)},0,15,30,res-1,PTU a,50,Used,PTU-Hours,eastus2\n"
    other = f"Usage,{HOUR.format(0, 1)},7,7,7,{','.join([blank] * 5)},eastus2\n"
    _, report = read(tmp_path, COLUMNS + "\n" + line + other)
    assert [(c["id"], c["units"]) for c in report["commitments"]] == [("res-1", 50)]
    assert report["money"]["effective cost of commitments"] == 15
    assert report["money"]["effective cost of usage"] == 22


@pytest.mark.parametrize(
    ("cost", "quantity"), [('"1,440.00"', '"1,200"'), ('"1.440,00"', '"1.200"'), ("1440.00", "1200")]
)
def test_numbers_as_text_are_read_where_the_file_settles_them(cost, quantity, tmp_path):
    """1,200 unit-hours in a day of 24 hours are 50 units."""
    line = f"Usage,2026-03-02T00:00:00Z,2026-03-03T00:00:00Z,0,{cost},0,r,r,{quantity},Used,PTU-Hours,eastus2\n"
    _, report = read(tmp_path, COLUMNS + "\n" + line)
    assert report["commitments"][0]["units"] == 50
    assert report["money"]["effective cost of usage"] == 1440


@pytest.mark.parametrize(("cost", "words"), [("1.200", "row 2, column EffectiveCost"), ("12 k", "is not a number")])
def test_numbers_that_nothing_settles_are_refused_with_row_and_column(cost, words, tmp_path, capsys):
    code, report = read(tmp_path, f"{COLUMNS}\nUsage,{HOUR.format(0, 1)},0,{cost},0,r,r,1,Used,PTU-Hours,eastus2\n")
    assert (code, report) == (1, None)
    assert words in capsys.readouterr().err


def test_a_decimal_sign_can_be_said(tmp_path):
    (tmp_path / "map.yaml").write_text("decimal: ','\n")
    text = f"{COLUMNS}\nUsage,{HOUR.format(0, 1)},0,1.200,0,r,r,1,Used,PTU-Hours,eastus2\n"
    _, report = read(tmp_path, text, "--map", str(tmp_path / "map.yaml"))
    assert report["money"]["effective cost of usage"] == 1200


def test_a_purchase_without_usage_is_a_commitment(tmp_path):
    """438,000 PTU-hours in a year of 8,760 hours are 50 PTU."""
    line = "Purchase,2026-03-01T00:00:00Z,2027-03-01T00:00:00Z,145800,0,145800,r,PTU,438000,,PTU-Hours,eastus2\n"
    _, report = read(tmp_path, COLUMNS + "\n" + line)
    (one,) = report["commitments"]
    assert [one["units"], one["start"], one["end"]] == [50, "2026-03-01", "2027-03-01"]


def test_a_commitment_used_in_several_regions_and_lengths_of_time(tmp_path):
    """A day's row of 720 unit-hours (30 units) beside hours of 60 units elsewhere and 10 unused: 100 units."""
    lines = ["Usage,2026-03-02T00:00:00Z,2026-03-03T00:00:00Z,0,1,1,r,PTU,720,Used,PTU-Hours,swedencentral"]
    for hour in range(24):
        at = f"2026-03-02T{hour:02d}:00:00Z,2026-03-{2 + (hour == 23):02d}T{(hour + 1) % 24:02d}:00:00Z"
        lines += [f"Usage,{at},0,1,1,r,PTU,60,Used,PTU-Hours,eastus2", f"Usage,{at},0,1,1,r,PTU,10,Unused,PTU-Hours,"]
    _, report = read(tmp_path, "\n".join([COLUMNS, *lines]) + "\n")
    (one,) = report["commitments"]
    assert [one["units"], one["utilisation"]] == [100, 0.9]
    assert one["region"] == "several (eastus2, swedencentral)"


def test_an_unknown_quantity_is_blank_and_said(tmp_path, capsys):
    """FOCUS 1.0 has no CommitmentDiscountQuantity."""
    header = COLUMNS.replace("CommitmentDiscountQuantity,", "").replace(",CommitmentDiscountUnit", "")
    _, report = read(tmp_path, f"{header}\nUsage,{HOUR.format(0, 1)},0,15,30,r,PTU a,Used,eastus2\n")
    assert report["commitments"][0]["units"] is None
    assert "units are not known" in capsys.readouterr().out
    assert pd.read_csv(tmp_path / "f" / "commitments.csv")["units"].isna().all()


def test_money_is_never_added_across_currencies(tmp_path):
    lines = [f"Usage,{HOUR.format(0, 1)},5,5,5,,,,,,eastus2,{code}" for code in ("USD", "EUR", "USD")]
    _, report = read(tmp_path, "\n".join([f"{COLUMNS},BillingCurrency", *lines]) + "\n")
    assert report["money"]["billed cost (USD)"] == 10
    assert report["money"]["billed cost (EUR)"] == 5


def test_contracts_of_spend_have_no_units_and_hours_are_a_unit_of_time(tmp_path):
    """4,380,000 hours in a year of 8,760 hours are 500 units."""
    text = (
        "ContractCommitmentId,ContractCommitmentCategory,ContractCommitmentCost,ContractCommitmentQuantity,"
        "ContractCommitmentUnit,ContractCommitmentPeriodStart,ContractCommitmentPeriodEnd,BillingCurrency\n"
        "spend,Spend,250000,,,2026-01-01T00:00:00Z,2027-01-01T00:00:00Z,USD\n"
        "use,Usage,560000,4380000,Hours,2026-01-01T00:00:00Z,2027-01-01T00:00:00Z,USD\n"
    )
    _, report = read(tmp_path, text)
    spend, use = report["commitments"]
    assert [spend["units"], spend["money"], spend["currency"]] == [None, 250_000, "USD"]
    assert use["units"] == 500


def test_explain_writes_nothing(tmp_path, capsys):
    code, report = read(tmp_path, f"{COLUMNS}\nUsage,{HOUR.format(0, 1)},5,5,5,,,,,,eastus2\n", "--explain")
    assert (code, report) == (0, None)
    assert "billed cost" in capsys.readouterr().out
