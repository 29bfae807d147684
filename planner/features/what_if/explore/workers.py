"""Processes that work for a page: started, asked, listened to and ended from the page's own event loop."""

import asyncio
import itertools
import multiprocessing
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pandas

from planner.features.what_if.explore.drawing import drawing_worker
from planner.features.what_if.explore.solving import Asked, continuous_worker, whole_worker
from planner.features.what_if.study import AS_IT_STANDS
from planner.schema.case import Case
from planner.solver.find import Options

END_SECONDS = 2.0
SPARE_SECONDS = 1.0  # the next one is started after the first has begun
_SPAWN = multiprocessing.get_context("spawn")  # a fork would copy the server's threads and sockets


class Worker:
    """One process with a pipe; what it sends is handed to `heard`, in the event loop."""

    def __init__(self, work: Callable[..., None], arguments: tuple[Any, ...], loop: asyncio.AbstractEventLoop) -> None:
        self.heard: Callable[[Any], None] = lambda message: None
        self._pipe, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_run, args=(work, arguments, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self._loop = loop
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                message = self._pipe.recv()
            except (EOFError, OSError):
                return
            with suppress(RuntimeError):  # the loop is closed: nobody listens any more
                self._loop.call_soon_threadsafe(self._tell, message)

    def _tell(self, message: Any) -> None:
        self.heard(message)

    def ask(self, question: Any) -> None:
        """Hand a question to the process."""
        with suppress(OSError):  # it has died: whoever waits is told nothing, and the next question gets another one
            self._pipe.send(question)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.is_alive()

    def end(self) -> None:
        """End the process at once, whatever it does."""
        self.heard = lambda message: None
        self._process.terminate()
        threading.Thread(target=self._bury, daemon=True).start()

    def _bury(self) -> None:
        self._process.join(END_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(END_SECONDS)
        with suppress(OSError):
            self._pipe.close()


def _run(work: Callable[..., None], arguments: tuple[Any, ...], pipe: Any) -> None:
    """Work until nobody asks any more, and die with the process that asked; texts are kept as on the command line."""
    pandas.set_option("mode.string_storage", "python")  # `cli._light_strings`
    threading.Thread(target=_die_with_parent, daemon=True).start()
    with suppress(KeyboardInterrupt):  # Ctrl-C goes to all: the server ends us
        work(*arguments, pipe)


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


class Workshop:
    """Where a page gets its processes; one of each kind stands ready.

    That for continuous answers begins with the server, before a page is open, and learns what is likely to be asked; a
    page that closes leaves its own to the next. To end one that searches whole units costs no wait.
    """

    def __init__(self, case: Case, options: Options) -> None:
        self._case, self._options = case, options
        self._numbers = itertools.count(1)
        self._learned: Worker | None = None
        self._spare: Worker | None = None
        self._closed = False

    def number(self) -> int:
        """Return the number of a new question, whatever page asks: so no page takes another's answer for its own."""
        return next(self._numbers)

    def begin(self) -> None:
        """Have the folder as it stands answered, and what is likely to be asked, before the first page is open."""
        self.rest(self._continuous())

    def continuous(self) -> Worker:
        """Take the process for continuous answers that stands ready, or start one."""
        worker, self._learned = self._learned, None
        return worker if worker is not None and worker.alive else self._continuous()

    def rest(self, worker: Worker) -> None:
        """Let a process for continuous answers stand ready for the next page, unless one does."""
        worker.heard = lambda message: None
        if self._closed or self._learned is not None or not worker.alive:
            worker.end()
            return
        self._learned = worker
        worker.ask(Asked(self.number(), AS_IT_STANDS, {}))  # ends what its page asked last

    def _continuous(self) -> Worker:
        return Worker(continuous_worker, (self._case,), asyncio.get_running_loop())

    def whole(self) -> Worker:
        """Take the process for whole units that stands ready."""
        worker, self._spare = self._spare, None
        asyncio.get_running_loop().call_later(SPARE_SECONDS, self._make_ready)
        return worker if worker is not None and worker.alive else self._whole()

    def drawing(self) -> Worker:
        """Start a process that draws a trade-off curve."""
        return Worker(drawing_worker, (self._case, self._options), asyncio.get_running_loop())

    def _make_ready(self) -> None:
        if self._spare is None and not self._closed:
            self._spare = self._whole()

    def _whole(self) -> Worker:
        return Worker(whole_worker, (self._case, self._options), asyncio.get_running_loop())

    def close(self) -> None:
        """End the processes that stand ready."""
        self._closed = True
        for worker in (self._learned, self._spare):
            if worker is not None:
                worker.end()
        self._learned = self._spare = None
