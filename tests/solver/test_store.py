"""Answers that are kept: used for what did not change, never for what did, and never trusted when unreadable."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from planner.model.index_tables import sets_of
from planner.model.reduce.components import split
from planner.schema.case import Case
from planner.solver.find import Options, find_plan
from planner.solver.store import Store, key_of
from tests import builders


@pytest.fixture
def case() -> Case:
    return builders.case(builders.two_regions())


def louder(case: Case, factor: float) -> Case:
    """The same case with all demand times a factor."""
    return replace(case, demand=case.demand.assign(requests_per_hour=case.demand["requests_per_hour"] * factor))


def test_a_second_run_reads_the_answer(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = find_plan(case, Options(store=tmp_path))
    assert list(tmp_path.glob("*.npz"))

    def refuse(*_: object) -> None:
        raise AssertionError("solved again")

    monkeypatch.setattr("planner.solver.begun.begin_component", refuse)
    second = find_plan(case, Options(store=tmp_path))
    assert second.totals == first.totals
    assert second.proof == first.proof
    for name in ("purchases", "deployments", "dispatch", "rents", "stress_rents", "stress_slots", "stress_dispatch"):
        a, b = getattr(first, name), getattr(second, name)
        assert a.astype(object).equals(b.astype(object)), name
    assert np.array_equal(first.certificate["price"], second.certificate["price"])


def test_changed_demand_is_another_key(case: Case, tmp_path: Path) -> None:
    find_plan(case, Options(store=tmp_path))
    more = find_plan(louder(case, 1.1), Options(store=tmp_path))
    assert more.totals == find_plan(louder(case, 1.1)).totals
    keys = {key_of(part) for c in (case, louder(case, 1.1)) for part in split(sets_of(c))}
    assert len(keys) == 2 * len(split(sets_of(case)))


def test_the_gap_asked_is_part_of_the_key(case: Case) -> None:
    part = split(sets_of(case))[0]
    assert key_of(part, 1e-4, "highs") != key_of(part, 1e-3, "highs")
    assert key_of(part, 1e-4, "highs") == key_of(split(sets_of(case))[0], 1e-4, "highs")


@pytest.mark.parametrize("garbage", [b"", b"PK\x03\x04 not an archive", b"\x93NUMPY"])
def test_an_unreadable_answer_is_solved_anew(case: Case, tmp_path: Path, garbage: bytes) -> None:
    expected = find_plan(case, Options(store=tmp_path)).totals
    for path in tmp_path.glob("*.npz"):
        path.write_bytes(garbage)
    assert find_plan(case, Options(store=tmp_path)).totals == expected


def test_a_folder_that_cannot_be_made_does_no_harm(case: Case, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert find_plan(case, Options(store=tmp_path / "file")).totals == find_plan(case).totals


def test_tidy_drops_the_oldest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setattr("planner.io.cache.MOST_FILES", 2)
    import time

    now = time.time()
    for age, name in enumerate("abc"):
        path = tmp_path / f"{name}.npz"
        path.write_bytes(b"x")
        os.utime(path, (now - 60 * age, now - 60 * age))
    Store(tmp_path).tidy()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.npz", "b.npz"]
