"""what-if --on a Dask cluster: the same bytes as on one machine, and what happens when workers die."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import planner
from planner.cli import main
from planner.errors import PlannerError
from planner.features.what_if import cluster as dask_cluster
from planner.features.what_if.asked import grid_cases
from planner.features.what_if.cluster import Cluster
from planner.features.what_if.study import what_if
from planner.features.what_if.study_files import JSON, LINES, TABLE, WORKBOOK, study_json
from planner.solver.find import Options
from tests import builders

distributed = pytest.importorskip("distributed", reason="pip install distributed")
pytestmark = pytest.mark.filterwarnings("ignore")  # of Dask's own


@contextmanager
def workers(count: int, *, processes: bool = True) -> Iterator["distributed.LocalCluster"]:
    with distributed.LocalCluster(
        n_workers=count, threads_per_worker=1, processes=processes, protocol="tcp", dashboard_address=":0"
    ) as local:
        yield local


@pytest.fixture(scope="module")
def local() -> Iterator["distributed.LocalCluster"]:
    with workers(2) as found:
        yield found


def address(local: "distributed.LocalCluster") -> str:
    return str(local.scheduler_address).replace("tcp://", "dask://")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("cluster") / "folder"
    quota = {"region": "west", "model": "m", "usd_per_mtok_input": 50_000.0, "usd_per_mtok_output": 0.0,
             "tokens_per_minute_quota": 5.0}  # fmt: skip
    builders.write_folder(builders.tables(on_demand=[quota]), place, name="cluster")  # half of the demand, on demand
    return place


CASES = """
cases:
  more: {scale: {demand: 1.5}}
  nothing to sign: {set: {max_commitment_usd: 0}}
  half: {scale: {demand: 0.5}}
"""


def test_the_same_bytes_as_on_one_machine(
    local: "distributed.LocalCluster", folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cases.yaml").write_text(CASES, encoding="utf-8")
    words = ["what-if", str(folder), "--cases", str(tmp_path / "cases.yaml"), "--refused", "--fresh"]
    told = []
    for name, more in (("here", []), ("there", ["--on", address(local)])):
        assert main([*words, "-o", str(tmp_path / name), *more]) == 0
        told.append(capsys.readouterr().out.replace(str(tmp_path / name), "PLACE"))
    assert told[0] == told[1]
    assert "nothing to sign" in told[0]
    assert "no plan" in told[0], told[0]
    for name in (JSON, TABLE, LINES, WORKBOOK):
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes(), name


def test_workers_killed_in_the_midst_are_no_loss(local: "distributed.LocalCluster", folder: Path) -> None:
    """Both die while they work; others are started in their place, and the cases are solved again."""
    case = planner.load(folder)
    changes = grid_cases([("headroom", [f"{k / 20:g}" for k in range(5)])])
    killed: list[int] = []

    @contextmanager
    def progress(label: str) -> Iterator[object]:
        def told(done: int, total: int) -> None:
            if not killed:
                killed.extend(worker.pid for worker in local.workers.values())
                for pid in killed:
                    os.kill(pid, signal.SIGKILL)

        yield told

    elsewhere = Cluster.of(address(local))
    found = what_if(case, changes, Options(), progress, elsewhere=elsewhere)  # type: ignore[arg-type]
    assert len(killed) == 2
    assert study_json(found) == study_json(what_if(case, changes))


def test_no_worker_left_is_a_message_and_nothing_is_written(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dask_cluster, "GRACE_SECONDS", 0.5)
    with workers(1, processes=False) as alone:
        gone: list[bool] = []

        def stop(*_: object) -> bool:
            if not gone:
                gone.append(True)
                alone.scale(0)
            return works(*_)

        works = Cluster._works
        monkeypatch.setattr(Cluster, "_works", stop)
        grid = "headroom=0:0.5:0.01"
        code = main(["what-if", str(folder), "--grid", grid, "--on", address(alone), "-o", str(tmp_path / "study")])
    text = capsys.readouterr().err
    assert (code, list(tmp_path.iterdir())) == (1, [])
    assert "no worker has been there" in text
    assert "Traceback" not in text


def test_a_scheduler_that_is_gone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "CONNECT_SECONDS", 0.5)
    with pytest.raises(PlannerError, match="no Dask scheduler answers there"):
        what_if(planner.load(folder), [], elsewhere=Cluster.of("dask://127.0.0.1:9"))


def test_workers_that_run_something_else_are_refused(
    local: "distributed.LocalCluster", folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_cluster, "VERSION", "9.9.9")
    with pytest.raises(PlannerError, match=r"workers run something else.*\n.*planner .*, here 9\.9\.9"):
        what_if(planner.load(folder), [], elsewhere=Cluster.of(address(local)))


def test_a_worker_that_comes_later_and_runs_something_else_solves_nothing(
    local: "distributed.LocalCluster", folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_cluster, "VERSION", "9.9.9")
    monkeypatch.setattr(Cluster, "_refuse_others", lambda *_: None)  # as if nobody had been there to be asked
    with pytest.raises(PlannerError, match=r"case .*worker .* runs something else: planner .*, here 9\.9\.9"):
        what_if(planner.load(folder), [], elsewhere=Cluster.of(address(local)))


def test_without_dask(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(PlannerError, match="distributed, which is not installed"):
        what_if(planner.load(folder), [], elsewhere=Cluster.of("dask://127.0.0.1:9"))


@pytest.mark.parametrize("text", ["127.0.0.1:8786", "dask://8786", "dask://host:", "dask://host:0", "dask://host:x"])
def test_an_address_that_is_none(text: str) -> None:
    with pytest.raises(PlannerError, match="not the address of a Dask scheduler"):
        Cluster.of(text)
