"""The command line, end to end."""

import csv
import json
import xml.etree.ElementTree as ET

import openpyxl
import pytest

from planner.cli import main

THREE = [
    "--provider", "azure", "--provider", "google", "--provider", "aws", "--types", "global,datazone,regional",
    "--regions", "eastus2,swedencentral,europe-west4,us-east-1", "--usage-tier", "tier-1",
    "--models", "gpt-6-sol,gpt-5.6-luna,gemini-3.5-flash,claude-sonnet-4.6,claude-sonnet-5.5",
]  # fmt: skip


def test_three_providers_five_models_four_regions_are_planned_unchanged(tmp_path, capsys):
    folder, report = tmp_path / "plan", tmp_path / "report"
    assert main(["offers", "build", str(folder), *THREE]) == 0
    with (folder / "models.csv").open(newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 5
    assert main(["solve", str(folder), "-o", str(report)]) == 0
    assert json.loads((report / "plan.json").read_text(encoding="utf-8"))["status"] in ("optimal", "gap")
    cells = [
        str(cell) for sheet in openpyxl.load_workbook(report / "plan.xlsx") for row in sheet.values
        for cell in row if cell is not None
    ]  # fmt: skip
    assert any(cell.startswith("third-party; derived: USD 260 / 730 h") for cell in cells)  # seen as what it is
    capsys.readouterr()


def test_nothing_is_overwritten_without_force(tmp_path, capsys):
    folder = tmp_path / "plan"
    words = ["offers", "build", str(folder), "--provider", "openai", "--models", "gpt-6-sol"]
    assert main(words) == 0
    (folder / "demand.csv").write_text("mine\n", encoding="utf-8")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert main(words) == 1
    assert "nothing was written" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    (folder / "offers.csv").write_text("mine\n", encoding="utf-8")
    assert main([*words, "--force"]) == 0
    assert (folder / "offers.csv").read_bytes() == before["offers.csv"]
    assert (folder / "demand.csv").read_text(encoding="utf-8") == "mine\n"


def test_the_folder_says_which_periods_are_planned(tmp_path, capsys):
    folder = tmp_path / "plan"
    words = ["offers", "build", str(folder), "--provider", "google", "--models", "gemini-3.8-flash"]

    def terms():
        with (folder / "offers.csv").open(newline="", encoding="utf-8") as file:
            return {row["product"].rpartition(", ")[2]: row["usd_per_unit_hour"] for row in csv.DictReader(file)}

    assert main(words) == 0
    assert "1 week" not in terms()
    settings = folder / "plan.yaml"
    told = settings.read_text(encoding="utf-8")
    assert "start: 2027-01-01, months: 3}" in told
    then = told.replace("months: 3}", "months: 3, cuts: [2027-02-08, 2027-02-15]}")
    settings.write_text(then, encoding="utf-8")
    assert main([*words, "--force"]) == 0
    assert float(terms()["1 week"]) == pytest.approx(1200 / 168, abs=1e-8)  # 1,200 USD for 168 hours
    settings.write_text(told.replace("months: 3", "months: three"), encoding="utf-8")
    capsys.readouterr()
    assert main([*words, "--force"]) == 1
    assert "horizon.months" in capsys.readouterr().err
    assert "1 week" in terms()  # nothing was written
    settings.unlink()
    horizon = "horizon: {start: 2027-02-01, months: 1, cuts: [2027-02-08, 2027-02-15]}"
    request = tmp_path / "wanted.yaml"
    request.write_text(f"{horizon}\nproviders: [{{provider: google, models: [gemini-3.8-flash]}}]\n", encoding="utf-8")
    assert main(["offers", "build", str(folder), "--request", str(request), "--force"]) == 0
    assert horizon in settings.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "gpt-6-so"], "did you mean 'gpt-6-sol'"),
        (["list", "--provider", "azur"], "did you mean 'azure'"),
        (["build", "x", "--provider", "azure", "--models", "gpt-99"], "gpt-99"),
        (["build", "x"], "names no provider"),
        (["build", "x", "--provider", "azure", "--models", "gpt-6-sol"], "name the regions"),
        (["build", "x", "--provider", "azure", "--models", "gpt-6-sol", "--discount", "azure=2"], "--discount"),
        (["build", "x", "--request", "missing.yaml"], "missing.yaml"),
        (["breakeven"], "name a planning folder"),
        (["breakeven", "x", "--cut-after", "nan"], "months"),
        (["breakeven", "x", "--cache", "2"], "share from 0 to 1"),
        (["breakeven", "x", "--ratio", "inf"], "ratio"),
        (["breakeven", "--provider", "azure", "--quote", "azure=1"], "--quote"),
        (["check", "nowhere"], "no such folder"),
        (["update", "nowhere.json"], "nowhere.json"),
        (["list", "--catalogue", "nowhere"], "is missing"),
    ],
)
def test_wrong_use_ends_in_words(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    try:
        code = main(["offers", *words])
    except SystemExit as stop:  # argparse
        code = stop.code
    assert code == 1
    text = capsys.readouterr().err
    assert said in text
    assert "Traceback" not in text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text", ["", "[1]", "a: [", "providers: 3", "providers:\n- !!python/object/apply:os.system ['true']\n", "\x00"]
)
def test_requests_that_are_none(text, tmp_path, capsys):
    path = tmp_path / "wanted.yaml"
    path.write_text(text, encoding="utf-8")
    assert main(["offers", "build", str(tmp_path / "x"), "--request", str(path)]) == 1
    assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_list_and_show_for_machines(capsys):
    assert main(["offers", "list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {row["product"] for row in told["Products"]} >= {
        "ptu",
        "gsu",
        "reserved",
        "scale",
        "priority",
        "model-units",
    }
    known = {(row["provider"], row["product"]): row["note"] for row in told["What to know"]}
    assert "1 to 182 days" in known["aws", "capacity-blocks"]
    assert main(["offers", "show", "deepseek-v4-flash", "--json"]) == 0
    (hours,) = json.loads(capsys.readouterr().out)["On-demand prices by the hour"]
    assert (hours["times"], hours["option"]) == ("0.5", "standard")
    assert main(["offers", "show", "claude-sonnet-4.6", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {row["provider"] for row in told["Model"]} == {"google", "aws", "anthropic", "databricks", "snowflake"}
    assert all(row["source"] and row["status"] for rows in told.values() for row in rows)


def test_break_even_of_a_folder_as_table_sheet_and_chart(tmp_path, capsys):
    folder = tmp_path / "plan"
    words = ["--provider", "azure", "--regions", "eastus2", "--models", "gpt-6-sol"]
    assert main(["offers", "build", str(folder), *words]) == 0
    capsys.readouterr()
    files = ["--csv", str(tmp_path / "u.csv"), "--xlsx", str(tmp_path / "u.xlsx"), "--chart", str(tmp_path / "u.svg")]
    more = ["--price-cut", "0.5", "--cut-after", "6", "--utilisation", "0.5", "--today", "2026-11-23"]
    assert main(["offers", "breakeven", str(folder), *files, *more, "--json"]) == 0
    rows = {row["term"]: row for row in json.loads(capsys.readouterr().out)}
    # 2,500 in (half cached), 250 out: 1,250 + 125 + 1,250 = 2,625 weighted; the price has the same weights, so u* is
    # 260 / 730 / 0.36 for a month and 2,652 / 8,760 / 0.36 for a year.
    assert rows["1 month"]["break_even_utilisation"] == pytest.approx(260 / 730 / 0.36, rel=1e-6)
    year = 2652 / 8760 / 0.36
    assert rows["12 months"]["break_even_utilisation"] == pytest.approx(year, rel=1e-6)
    # Half the price for half the term: tokens are worth 75%. Busy half of the time: 1 - 0.5 / u* off is needed.
    assert rows["12 months"]["after_price_cut"] == pytest.approx(year / 0.75, rel=1e-6)
    assert rows["12 months"]["discount_needed"] == pytest.approx(1 - 0.5 / year, rel=1e-6)
    with (tmp_path / "u.csv").open(newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 2
    assert openpyxl.load_workbook(tmp_path / "u.xlsx")["Break-even"].max_row >= 6
    assert ET.parse(tmp_path / "u.svg").getroot().tag.endswith("svg")
    first = {name: (tmp_path / name).read_bytes() for name in ("u.csv", "u.xlsx", "u.svg")}
    assert main(["offers", "breakeven", str(folder), *files, *more]) == 0
    assert {name: (tmp_path / name).read_bytes() for name in first} == first


def test_a_burst_needs_more_of_a_unit(tmp_path, capsys):
    """Units are held for the peak minute: at 1.3 times the hourly mean, u* is 1.3 times as high."""
    folder = tmp_path / "plan"
    words = ["--provider", "azure", "--regions", "eastus2", "--models", "gpt-6-sol"]
    assert main(["offers", "build", str(folder), *words]) == 0
    found = []
    for burst in ("1", "1.3"):
        (folder / "workloads.csv").write_text(
            f"workload,input_tokens,output_tokens,cache_hit_rate,burst_factor\nexample,2500,250,0.5,{burst}\n",
            encoding="utf-8",
        )
        capsys.readouterr()
        assert main(["offers", "breakeven", str(folder), "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out)[0]["break_even_utilisation"])
    assert found[1] == pytest.approx(1.3 * found[0], rel=1e-9)


def test_lists_of_names_that_come_again_are_no_obstacle(tmp_path, capsys):
    """`planner forecast` lists the regions and models of its demand; the offers fill these tables."""
    folder = tmp_path / "plan"
    folder.mkdir()
    words = ["offers", "build", str(folder), "--provider", "openai", "--models", "gpt-6-sol"]
    (folder / "models.csv").write_text("model\nmine\n", encoding="utf-8")
    assert main(words) == 1  # a name that would be lost
    (folder / "models.csv").write_text("model,note\ngpt-6-sol,ours\n", encoding="utf-8")
    assert main(words) == 1  # a column that would be
    (folder / "models.csv").write_text("model\ngpt-6-sol\n", encoding="utf-8")
    (folder / "regions.csv").write_text("region\nopenai-global\n", encoding="utf-8")
    assert main(words) == 0
    assert "gpt-6-sol" in (folder / "models.csv").read_text(encoding="utf-8")
    capsys.readouterr()


def test_batch_is_an_option_on_the_command_line(tmp_path, capsys):
    words = ["--provider", "openai", "--models", "gpt-6-sol", "--options", "standard,batch"]
    assert main(["offers", "build", str(tmp_path / "plan"), *words]) == 0
    rows = (tmp_path / "plan" / "on_demand.csv").read_text(encoding="utf-8").splitlines()
    deadline = rows[0].split(",").index("deadline_hours")
    assert [row.split(",")[deadline] for row in rows[1:]] == ["", "24"]
    capsys.readouterr()
    words[-1] = "bach"
    assert main(["offers", "build", str(tmp_path / "other"), *words]) == 1
    assert "--options: no named provider sells it" in capsys.readouterr().err
