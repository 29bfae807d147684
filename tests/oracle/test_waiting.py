"""Work that can wait against the literal oracle, which has a flow for each hour of arrival and hour that serves it."""

from pathlib import Path

import pytest

from tests.oracle.generate import generate
from tests.oracle.reference import disagreements

FOLDERS = [
    (1, ("batch",)),
    (11, ("batch", "quota", "mix", "guaranteed", "egress")),
    (22, ("batch", "whole", "pools", "quota")),
    (7, ("batch", "scenarios", "meters", "unreserved")),
    (63, ("batch", "prices", "quota", "mix")),
]


@pytest.mark.parametrize(("seed", "features"), FOLDERS, ids=["batch", "shares", "whole", "scenarios", "prices"])
def test_random_folder(seed: int, features: tuple[str, ...], tmp_path: Path) -> None:
    generate(tmp_path / "in", seed, regions=2, workloads=2, models=2, features=features)
    assert disagreements(tmp_path / "in", tmp_path / "out") == []
