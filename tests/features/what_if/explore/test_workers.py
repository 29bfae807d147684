"""Processes of the page: who works for which page."""

import asyncio
from typing import Any

import pytest

from planner.features.what_if.explore import workers
from planner.features.what_if.explore.workers import Workshop
from planner.features.what_if.study import AS_IT_STANDS
from planner.solver.find import Options
from tests import builders


class Idle:
    """In place of a process: keeps what it is asked."""

    def __init__(self, *what: Any) -> None:
        self.heard: Any = None
        self.asked: list[Any] = []
        self.alive = True

    def ask(self, question: Any) -> None:
        self.asked.append(question)

    def end(self) -> None:
        self.alive = False


def test_a_process_stands_ready_before_the_first_page_and_outlives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "Worker", Idle)

    async def meetings() -> None:
        workshop = Workshop(builders.case(builders.two_regions()), Options())
        workshop.begin()
        first: Any = workshop.continuous()
        assert [asked.change for asked in first.asked] == [AS_IT_STANDS]  # it learns before anybody asks
        second: Any = workshop.continuous()
        assert second is not first
        first.heard = second.heard = print
        workshop.rest(first)
        workshop.rest(second)  # one that stands ready is enough
        assert (first.alive, second.alive) == (True, False)
        assert first.heard is not print  # its page hears nothing more
        assert workshop.continuous() is first
        numbers = [asked.number for asked in first.asked]
        assert len({*numbers, workshop.number()}) == len(numbers) + 1  # no answer can be taken for another page's
        first.alive = False
        third: Any = workshop.continuous()
        assert third is not first
        workshop.rest(third)
        workshop.close()
        assert not third.alive

    asyncio.run(meetings())
