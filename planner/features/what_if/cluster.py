"""Cases of a study on a Dask cluster: `--on dask://HOST:PORT` names its scheduler.

Each case is a task, solved on a worker as on one machine; the answers are put together here, in the order in which they
were asked, so that the study has the same bytes. A worker that dies has its cases solved again by another. Where no
worker is left, or the scheduler is gone, the command ends with a message, and nothing is written.
"""

import logging
import os
import pickle
import platform
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.errors import PlannerError, StoppedError
from planner.features.what_if.case_change import CaseChange
from planner.features.what_if.study import Answer, Progress, answer_alone
from planner.io.cache import source_digest
from planner.schema.case import Case
from planner.solver.find import Options
from planner.units import counted
from planner.versions import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from distributed import Client, Future

SCHEME = "dask://"
CONNECT_SECONDS = 15.0
GRACE_SECONDS = 30.0  # without a worker, or without the scheduler, before the command gives up
_FETCH_SECONDS = 5.0  # for one answer that is done; where its worker died, it is waited for with the others
_NAP_SECONDS = 0.2
_LIBRARIES = ("highspy", "numpy", "pandas")


@dataclass(frozen=True)
class Solved:
    """What a worker returns: an answer, or why there is none: an exception may not come back whole."""

    answer: Answer | None = None
    stopped: str = ""
    failed: str = ""


@dataclass(frozen=True)
class Cluster:
    """A Dask cluster, as what `what_if` takes for `elsewhere`: called with a case and its changes, it answers them.

    address : host:port of the scheduler.
    """

    address: str

    @classmethod
    def of(cls, text: str) -> "Cluster":
        """Read ``dask://HOST:PORT``.

        Raises
        ------
        PlannerError : it is no such address.
        """
        host, colon, port = text.removeprefix(SCHEME).rpartition(":")
        if not text.startswith(SCHEME) or not host or not colon or not port.isdecimal() or not 0 < int(port) < 65536:
            raise PlannerError(f"--on {text!r} is not the address of a Dask scheduler, such as {SCHEME}10.0.0.5:8786")
        return cls(f"{host}:{port}")

    def __call__(
        self, case: Case, changes: Sequence[CaseChange], options: Options, progress: Progress
    ) -> Mapping[str, Answer]:
        """Answer every change; one whose time ran out is left out.

        Raises
        ------
        PlannerError : the cluster cannot be reached, cannot run planner as it is here, or is gone before the end.
        """
        with self._connected() as client, progress(f"{len(changes)} cases on {SCHEME}{self.address}") as told:
            here = running()
            self._refuse_others(client, here)
            # a task of its own, not scattered data: where its worker dies, another restores it
            packed = client.submit(_restored, pickle.dumps(case), key=f"planner-case-{case.digest}", pure=False)
            seconds = options.until - time.monotonic()
            waiting: dict[Future, CaseChange] = {
                client.submit(_solved, packed, change, options.gap, options.workers or 1, seconds, here, pure=False,
                              key=f"planner-{os.getpid()}-{time.monotonic_ns()}-{k}"): change
                for k, change in enumerate(changes)
            }  # fmt: skip
            return self._gathered(client, waiting, options.until, told)

    def _gathered(
        self, client: "Client", waiting: "dict[Future, CaseChange]", until: float, told: Any
    ) -> Mapping[str, Answer]:
        found: dict[str, Answer] = {}
        count, alive = len(waiting), time.monotonic()
        try:
            while waiting and time.monotonic() < until:
                for future in [f for f in waiting if f.done()]:
                    change = waiting[future]
                    solved = self._result(future, change)
                    if solved is None:  # its worker died before the answer was fetched: it is being solved again
                        continue
                    del waiting[future]
                    if solved.answer is not None:
                        found[change.name] = solved.answer
                    if told is not None:
                        told(count - len(waiting), count)
                now = time.monotonic()
                if self._works(client):
                    alive = now
                elif now - alive > GRACE_SECONDS:
                    raise PlannerError(
                        f"{SCHEME}{self.address}: no worker has been there for "
                        f"{counted(GRACE_SECONDS, 'second', '.0f')}, with "
                        f"{len(waiting)} of {count} cases unanswered; nothing was written. Start workers and run again"
                    )
                if waiting:
                    time.sleep(_NAP_SECONDS)
        finally:
            with suppress(Exception):
                client.cancel(list(waiting))
        return found

    def _result(self, future: "Future", change: CaseChange) -> Solved | None:
        """Return the answer of a future that was done; None where it was lost with its worker and is not back yet."""
        from distributed import KilledWorker

        try:
            solved: Solved = future.result(timeout=_FETCH_SECONDS)
        except TimeoutError:
            return None
        except KilledWorker:
            raise PlannerError(
                f"{SCHEME}{self.address}: case {change.name!r}: every worker that took it died; is there enough memory "
                "on the workers? Nothing was written"
            ) from None
        except CancelledError:
            raise PlannerError(
                f"{SCHEME}{self.address}: the connection to the scheduler was lost before case {change.name!r} was "
                "answered; nothing was written. Run again once it is back"
            ) from None
        except Exception as error:
            raise PlannerError(
                f"{SCHEME}{self.address}: case {change.name!r}: the cluster gave no answer "
                f"({type(error).__name__}: {error}); nothing was written"
            ) from None
        if solved.failed:
            raise PlannerError(f"case {change.name!r}: {solved.failed}")
        return solved

    def _works(self, client: "Client") -> bool:
        """Whether the scheduler answers and has a worker."""
        if client.status != "running":
            return False
        try:
            return bool(client.scheduler_info(n_workers=-1)["workers"])
        except Exception:
            return False

    @contextmanager
    def _connected(self) -> "Iterator[Client]":
        try:
            from distributed import Client
        except ImportError:
            raise PlannerError(
                '--on needs Dask\'s distributed, which is not installed: pip install "llm-reservation-planner[dask]"'
            ) from None
        quiet = logging.root.manager.disable
        logging.disable(logging.CRITICAL)  # what happens to the connection is said in words, not in tracebacks
        try:
            try:
                client = Client(f"tcp://{self.address}", timeout=CONNECT_SECONDS, set_as_default=False)
            except (OSError, ValueError) as error:
                raise PlannerError(
                    f"{SCHEME}{self.address}: no Dask scheduler answers there ({error}); start one (`dask scheduler`) "
                    "and workers (`dask worker`)"
                ) from None
            try:
                yield client
            finally:
                with suppress(Exception):
                    client.close(timeout=2)
        finally:
            logging.disable(quiet)

    def _refuse_others(self, client: "Client", here: Mapping[str, str]) -> None:
        """Refuse workers that would not find the same bytes: another planner, Python or library.

        One that is lost just then, or comes later, is asked with its first case (`_solved`).
        """
        try:
            client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except Exception:
            raise PlannerError(f"{SCHEME}{self.address}: the cluster has no worker: start some (`dask worker "
                               f"{self.address}`)") from None  # fmt: skip
        try:
            there: dict[str, Any] = client.run(running, on_error="return")
        except OSError:
            there = {}
        told = []
        for worker, found in sorted(there.items()):
            if isinstance(found, Exception) and not isinstance(found, OSError):  # of a worker that is lost: OSError
                raise PlannerError(
                    f"{SCHEME}{self.address}: a worker cannot run planner ({type(found).__name__}: {found}); install "
                    f"planner {VERSION} on each worker"
                )
            told += [] if isinstance(found, Exception) else [f"  {worker}: {line}" for line in others(found, here)]
        if told:
            raise PlannerError(
                "\n".join([f"{SCHEME}{self.address}: workers run something else, so answers could differ:", *told])
            )


def running() -> dict[str, str]:
    """Say what an answer follows from: Python, planner's own code, libraries."""
    return {
        "Python": platform.python_version(),
        "planner": f"{VERSION}, code {source_digest('.')[:12]}",
        **{name: version(name) for name in _LIBRARIES},
    }


def others(there: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    """List what differs there from here."""
    return [f"{what} {there.get(what, 'none')}, here {ours}" for what, ours in here.items() if there.get(what) != ours]


def _restored(packed: bytes) -> Case:
    case: Case = pickle.loads(packed)
    return case


def _solved(
    case: Case, change: CaseChange, gap: float, workers: int, seconds: float, asked: Mapping[str, str]
) -> Solved:
    """Answer one change on a worker that runs what is asked for; what cases share is kept in its own directory."""
    from distributed import get_worker

    told = others(running(), asked)
    if told:
        return Solved(failed=f"worker {get_worker().address} runs something else: {'; '.join(told)}")
    place = Path(get_worker().local_directory) / "planner-answers"
    options = Options(gap, workers=workers, store=place)
    try:
        return Solved(answer_alone(case, change, replace(options, until=time.monotonic() + seconds)))
    except StoppedError as error:
        return Solved(stopped=str(error) or "stopped")
    except Exception as error:
        return Solved(failed=f"{type(error).__name__}: {error}" if not isinstance(error, PlannerError) else str(error))
