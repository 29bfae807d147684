"""Components on all cores: HiGHS lets go of Python's lock while it runs, so threads are enough."""

import ctypes
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

NAP_SECONDS = 0.2  # after which the caller hears Ctrl-C
SELDOM_SECONDS = 1.0  # between two times that memory is given back
Task = TypeVar("Task")
Answer = TypeVar("Answer")
_given_back_at = [0.0]


def give_memory_back() -> None:
    """Hand freed memory back to the system, where the C library can (glibc keeps most of it, of each thread's own).

    Large parts one after another then take less: 1.5 GB in place of 1.9 GB for eight of a million columns (measured).
    """
    now = time.monotonic()
    if now - _given_back_at[0] < SELDOM_SECONDS:
        return
    _given_back_at[0] = now
    with suppress(OSError, TypeError, AttributeError):  # another C library has no such function
        ctypes.CDLL(None).malloc_trim(0)


def on_all_cores(
    work: Callable[[Task], Answer],
    tasks: Sequence[Task],
    workers: int | None = None,
    done: Callable[[], None] = lambda: None,
) -> list[Answer]:
    """Apply ``work`` to each task and return the answers in the order of the tasks.

    The first exception is raised once no task is at work any more: what the tasks share, above all the programmes that
    are open in HiGHS, is then the caller's again. A stop by the user (KeyboardInterrupt) is raised at once, while tasks
    go on: see `put_back`.
    """
    count = at_once(len(tasks), workers)
    if count > 1:
        return _in_threads(work, tasks, count, done)
    answers = []
    for task in tasks:
        answers.append(work(task))
        give_memory_back()
        done()
    return answers


def at_once(tasks: int, workers: int | None = None) -> int:
    """Return how many of some tasks are worked on at a time."""
    return min(workers or os.cpu_count() or 1, tasks)


@contextmanager
def put_back(*works: Callable[[], object]) -> Iterator[None]:
    """Put back what tasks share when they are done or have failed, not when the user stops: they are still at work."""
    try:
        yield
    except Exception:
        for work in works:
            work()
        raise
    for work in works:
        work()


def interruptible(work: Callable[[], Answer]) -> Answer:
    """Do work beside the caller, so that Ctrl-C is heard at once while HiGHS runs."""
    return _in_threads(lambda _: work(), [None], 1, lambda: None)[0]


def _in_threads(
    work: Callable[[Task], Answer], tasks: Sequence[Task], count: int, done: Callable[[], None]
) -> list[Answer]:
    """Threads are daemons and the caller waits in short naps, so that Ctrl-C is heard at once."""
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for k in range(len(tasks)):
        waiting.put(k)
    finished: queue.SimpleQueue[tuple[int, Answer | None, BaseException | None]] = queue.SimpleQueue()
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                k = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                finished.put((k, work(tasks[k]), None))
                give_memory_back()
            except BaseException as error:
                finished.put((k, None, error))

    threads = [threading.Thread(target=serve, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    found: dict[int, Answer] = {}
    try:
        while len(found) < len(tasks):
            try:
                k, answer, error = finished.get(timeout=NAP_SECONDS)
            except queue.Empty:
                continue
            if error is not None:
                stop.set()
                for thread in threads:
                    while thread.is_alive():
                        thread.join(NAP_SECONDS)
                raise error
            found[k] = answer  # type: ignore[assignment]
            done()
    finally:
        stop.set()
    return [found[k] for k in range(len(tasks))]
