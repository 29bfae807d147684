"""on_all_cores: answers in order, the first exception is raised, progress is told."""

import threading

import pytest

from planner.solver.parallel import on_all_cores


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


def test_no_tasks_no_answers() -> None:
    assert on_all_cores(lambda k: k, [], 2) == []
