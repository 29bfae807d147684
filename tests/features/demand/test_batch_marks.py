"""Requests that an export marks as batch: a workload of their own, with a deadline where it is new in a folder."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from planner.cli import main
from planner.features.demand.batch_marks import DEADLINE_HOURS
from planner.features.demand.folder import write_demand
from planner.features.demand.history import History, load_history, save_history, tidy
from planner.features.demand.ingest import IngestOptions, ingest
from planner.features.demand.names import NameMap
from planner.features.demand.profile import profile

START = 1767225600  # 2026-01-01T00:00Z


def openai(*results: dict[str, Any]) -> dict[str, Any]:
    """Usage of one hour, in parts."""
    same = {"object": "organization.usage.completions.result", "input_cached_tokens": 0, "model": "gpt-a"}
    rows = [{**same, **result} for result in results]
    bucket = {"object": "bucket", "start_time": START, "end_time": START + 3600, "results": rows}
    return {"object": "page", "data": [bucket], "has_more": False}


def part(requests: int, **more: Any) -> dict[str, Any]:
    return {"input_tokens": 100 * requests, "output_tokens": 10 * requests, "num_model_requests": requests, **more}


def read(tmp_path: Path, document: dict[str, Any], **options: Any) -> History:
    path = tmp_path / "usage.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return ingest([str(path)], options=IngestOptions(names=NameMap(**options)))


def requests(history: History) -> dict[str, float]:
    return history.rows.groupby("workload")["requests"].sum().to_dict()


def test_openai_marks_batch_requests(tmp_path: Path) -> None:
    document = openai(part(3, project_id="chat", batch=False), part(5, project_id="chat", batch=True))
    history = read(tmp_path, document)
    assert requests(history) == {"chat": 3, "chat batch": 5}
    (note,) = [n for n in history.report["notes"] if "batch" in n]
    assert "chat batch" in note
    assert f"deadline_hours {DEADLINE_HOURS}" in note


def test_a_service_tier_marks_them_too_and_the_map_renames_first(tmp_path: Path) -> None:
    document = openai(part(3, project_id="p1", service_tier="default"), part(5, project_id="p1", service_tier="batch"))
    assert requests(read(tmp_path, document, names={"workload": {"p1": "chat"}})) == {"chat": 3, "chat batch": 5}


@pytest.mark.parametrize(("defaults", "name"), [({}, "gpt-a"), ({"workload": "jobs"}, "jobs")])
def test_without_a_workload_it_is_called_after_the_default_or_the_model(
    tmp_path: Path, defaults: dict[str, str], name: str
) -> None:
    history = read(tmp_path, openai(part(5, batch=True), part(2, batch=False)), defaults=defaults)
    assert requests(history) == {f"{name} batch": 5, name: 2}


def test_an_export_that_marks_none_reads_as_before(tmp_path: Path) -> None:
    history = read(tmp_path, openai(part(3, project_id="chat"), part(5, project_id="chat")))
    assert requests(history) == {"chat": 8}
    assert not any("batch" in note for note in history.report["notes"])


def test_a_bills_meter_marks_them(tmp_path: Path) -> None:
    head = "Date,MeterName,Quantity,UnitOfMeasure,ResourceLocation,MeterCategory,ResourceName\n"
    row = "".join(
        f"2026-01-01,{{}} {kind} glbl Tokens,{count},1K,eastus,Azure OpenAI,res\n"
        for kind, count in (("Inp", 5), ("Outp", 1))
    )
    path = tmp_path / "bill.csv"
    path.write_text(head + row.format("gpt-a", "gpt-a") + row.format("gpt-a Batch", "gpt-a Batch"), encoding="utf-8")
    rows = ingest([str(path)]).rows
    assert rows.groupby("workload")["input_tokens"].sum().to_dict() == {"res": 5000, "res batch": 5000}
    assert set(rows["model"]) == {"gpt-a"}


def written(folder: Path, *workloads: str) -> pd.DataFrame:
    demand = pd.DataFrame({"region": "r", "workload": list(workloads), "scenario": None, "period": None,
                           "hour_of_week": 0, "requests_per_hour": 1.0})  # fmt: skip
    shapes = pd.DataFrame({"workload": list(workloads), "input_tokens": 100.0, "output_tokens": 10.0})
    mix = pd.DataFrame({"workload": list(workloads), "model": "m"})
    write_demand(folder, demand, pd.DataFrame(columns=["scenario", "probability"]), shapes, mix)
    return pd.read_csv(folder / "workloads.csv", dtype=str, keep_default_na=False).set_index("workload")


def test_a_new_batch_workload_of_a_folder_has_a_deadline(tmp_path: Path) -> None:
    table = written(tmp_path / "q", "chat", "chat batch")
    assert table["deadline_hours"].to_dict() == {"chat": "", "chat batch": "24"}
    assert table["kind"].to_dict() == {"chat": "", "chat batch": "batch"}


def test_a_stop_while_files_are_put_in_place_waits_until_they_all_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workloads of one forecast beside the demand of another would be a plan of neither."""
    replace = Path.replace

    def stopped(path: Path, target: Path) -> Path:
        done = replace(path, target)
        if target.parent == tmp_path / "q":
            os.kill(os.getpid(), signal.SIGINT)
        return done

    written(tmp_path / "q", "chat")
    monkeypatch.setattr(Path, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        written(tmp_path / "q", "agent")
    for name in ("demand", "mix", "workloads"):
        assert "agent" in (tmp_path / "q" / f"{name}.csv").read_text()
    assert not list((tmp_path / "q").glob(".*"))


@pytest.mark.parametrize("others", [False, True], ids=["alone", "beside others' files"])
def test_the_files_of_a_history_are_put_in_place_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, others: bool
) -> None:
    """Stopped at the report, the older table stays with the older report."""
    rows = pd.DataFrame({"hour": ["2026-01-01T00:00Z"], "region": "r", "workload": "w", "model": "m",
                         "bucket_hours": 1.0, "requests": 1.0})  # fmt: skip
    save_history(History(tidy(rows), {"run": 1}), tmp_path / "h")
    if others:
        (tmp_path / "h" / "notes.txt").write_text("mine")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", lambda *_, **__: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            save_history(History(tidy(rows.assign(requests=2.0)), {"run": 2}), tmp_path / "h")
    for run in (1, 2):
        there = load_history(tmp_path / "h")
        assert (there.rows["requests"].tolist(), there.report) == ([float(run)], {"run": run})
        save_history(History(tidy(rows.assign(requests=2.0)), {"run": 2}), tmp_path / "h")
    assert (tmp_path / "h" / "notes.txt").exists() == others


def test_what_the_folder_says_stays(tmp_path: Path) -> None:
    folder = tmp_path / "q"
    folder.mkdir()
    (folder / "workloads.csv").write_text("workload,input_tokens,output_tokens,deadline_hours\nchat batch,1,1,6\n")
    table = written(folder, "chat batch", "mail batch")
    assert table["deadline_hours"].to_dict() == {"chat batch": "6", "mail batch": "24"}
    assert "deadline_hours" not in written(tmp_path / "other", "chat")


def test_demand_new_writes_a_deadline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["demand", "new", "jobs", "--archetype", "batch", "--region", "r", "--model", "m", "--qps", "1",
               "-o", str(tmp_path / "q")]  # fmt: skip
    assert main([*command, "--deadline-hours", "6"]) == 0
    table = pd.read_csv(tmp_path / "q" / "workloads.csv", dtype=str)
    assert table.set_index("workload")["deadline_hours"].to_dict() == {"jobs": "6"}
    assert main([*command, "--deadline-hours", "168"]) == 1
    assert "0 to 167" in capsys.readouterr().err


def test_profile_says_that_they_can_wait() -> None:
    hours = pd.date_range("2026-01-05", periods=336, freq="h", tz="UTC")
    rows = pd.DataFrame({"hour": hours, "region": "r", "workload": "chat batch", "model": "m", "bucket_hours": 1.0,
                         "requests": 5.0, "input_tokens": 10.0, "cached_tokens": 0.0, "written_tokens": 0.0,
                         "output_tokens": 1.0, "burst_factor": float("nan")})  # fmt: skip
    assert any("chat batch: batch requests; it can wait" in note for note in profile(History(rows)).notes)
