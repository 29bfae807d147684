"""Components on all cores: HiGHS lets go of Python's lock while it runs, so threads are enough."""

import os
import queue
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

Task = TypeVar("Task")
Answer = TypeVar("Answer")


def on_all_cores(
    work: Callable[[Task], Answer],
    tasks: Sequence[Task],
    workers: int | None = None,
    done: Callable[[], None] = lambda: None,
) -> list[Answer]:
    """Apply ``work`` to each task and return the answers in the order of the tasks; the first exception is raised."""
    count = min(workers or os.cpu_count() or 1, len(tasks))
    if count > 1:
        return _in_threads(work, tasks, count, done)
    answers = []
    for task in tasks:
        answers.append(work(task))
        done()
    return answers


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
            except BaseException as error:
                finished.put((k, None, error))

    for _ in range(count):
        threading.Thread(target=serve, daemon=True).start()
    found: dict[int, Answer] = {}
    try:
        while len(found) < len(tasks):
            try:
                k, answer, error = finished.get(timeout=0.2)
            except queue.Empty:
                continue
            if error is not None:
                raise error
            found[k] = answer  # type: ignore[assignment]
            done()
    finally:
        stop.set()
    return [found[k] for k in range(len(tasks))]
