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
