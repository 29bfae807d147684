"""`planner check`: what it prints, what it returns."""

import io
import json

import pytest

from planner.cli import main
from planner.console.screen import wrapped
from planner.errors import EXIT_WRONG
from tests.builders import profile, tables, write_folder, write_workbook


def test_a_valid_folder(tmp_path, capsys):
    folder = write_folder(tables(demand=profile("west", "w", [1.0, 10.0])), tmp_path, months=2)
    assert main(["check", str(folder)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("tiny: 2027-01 to 2027-02; the input is valid\n  1 regions, 1 models, 1 workloads, 1 mix")
    assert "336 demand" in out
    assert "risk: region west: has demand and no quota for m" in out


def test_faults_on_standard_error(tmp_path, capsys):
    folder = write_folder(tables(models=[{"model": "n"}]), tmp_path)
    assert main(["check", str(folder)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0] == "3 faults in the input; nothing was written:"
    assert "  mix.csv, row 2, column model: there is no model 'm'" in err.splitlines()


def test_for_machines(tmp_path, capsys):
    path = write_workbook(tables(), tmp_path / "in.xlsx", headroom=0.3)
    assert main(["check", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["valid"] is True
    assert found["rows"]["demand"] == 168
    assert [w["code"] for w in found["warnings"]] == ["flat-demand", "no-cache-rate", "no-quota", "no-failover"]
    path = write_workbook(tables(models=[{"model": "n"}]), path)
    assert main(["check", str(path), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["valid"] is False
    assert found["faults"][0] == {
        "place": "mix!B2", "message": "there is no model 'm'", "row": None, "column": "model", "value": None,
        "allowed": None,
    }  # fmt: skip


def test_wrong_use(tmp_path, capsys):
    assert main(["check", str(tmp_path / "nowhere")]) == 1
    assert "nowhere: there is no such folder or file" in capsys.readouterr().err


def test_prices_that_are_old_or_not_confirmed_are_listed(tmp_path, capsys):
    offer = {"offer": "west-m-1m", "pool": "west-m", "usd_per_unit_hour": 1.0, "source": "a mail"}
    rows = tables(offers=[{**offer, "as_of": "2026-01-01", "note": "third-party"}])
    assert main(["check", str(write_folder(rows, tmp_path))]) == 0
    out = capsys.readouterr().out
    assert "Prices and offers to look at before 2027-01-01 (planner offers check):" in out
    assert "  old-price: offers: 1 row of 2026-01-01 (365 days old): a mail. Read the price again" in out
    assert "  unconfirmed: offers: 1 row third-party: a mail." in out
    assert "no-date" not in out  # nobody dates every row


def test_a_mistyped_option_is_guessed(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["check", "folder", "--jsno"])
    assert stop.value.code == EXIT_WRONG
    assert "unrecognized arguments: --jsno; did you mean --json?" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["check", "folder", "--quite-another-thing"])
    assert "did you mean" not in capsys.readouterr().err


def test_lines_are_broken_on_a_terminal_and_whole_in_a_pipe(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("COLUMNS", "40")
    text = "  risk: one two three four five six seven eight nine ten"
    assert wrapped(text, io.StringIO()) == text
    assert wrapped(text, Terminal()) == "  risk: one two three four five six\n    seven eight nine ten"
