"""on_all_cores: answers in order, the first exception is raised, progress is told."""

import threading
import time

import pytest

from planner.solver.parallel import on_all_cores, put_back


@pytest.mark.parametrize("workers", [None, 1, 2, 9])
def test_answers_stand_in_the_order_of_the_tasks(workers: int | None) -> None:
    told: list[int] = []
    assert on_all_cores(lambda k: k * k, range(20), workers, lambda: told.append(1)) == [k * k for k in range(20)]
    assert len(told) == 20


def test_the_last_to_finish_may_be_the_first_task() -> None:
    later = threading.Event()

    def work(k: int) -> int:
        if k == 0:
            assert later.wait(10)
        else:
            later.set()
        return k

    assert on_all_cores(work, [0, 1], 2) == [0, 1]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_exception_is_raised_as_it_is(workers: int) -> None:
    def work(k: int) -> int:
        if k == 3:
            raise LookupError("task 3")
        return k

    with pytest.raises(LookupError, match="task 3"):
        on_all_cores(work, range(5), workers)


def test_an_exception_waits_until_no_task_is_at_work() -> None:
    """Out of time in one task, the caller puts programmes back that another still solved: it ended in a crash."""
    at_work, done = threading.Event(), threading.Event()

    def work(k: int) -> int:
        if k == 0:
            assert at_work.wait(10)
            raise LookupError("out of time")
        at_work.set()
        time.sleep(0.1)
        done.set()
        return k

    back = []
    with pytest.raises(LookupError), put_back(lambda: back.append(done.is_set())):
        on_all_cores(work, [0, 1], 2)
    assert back == [True]


def test_after_a_stop_by_the_user_nothing_is_put_back_for_tasks_go_on() -> None:
    back = []
    with pytest.raises(KeyboardInterrupt), put_back(lambda: back.append(1)):
        raise KeyboardInterrupt
    with put_back(lambda: back.append(2)):
        pass
    assert back == [2]


def test_no_tasks_no_answers() -> None:
    assert on_all_cores(lambda k: k, [], 2) == []
