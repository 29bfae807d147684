"""Answers kept for the next run: what cannot be read is as good as none."""

from pathlib import Path

import numpy as np
import pytest

from planner.io.cache import Cache


@pytest.mark.parametrize("error", [SystemError("AST constructor recursion depth mismatch"), ValueError("no header")])
def test_an_answer_that_cannot_be_read_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    kept = Cache(tmp_path)
    kept.put("k", {"a": np.arange(3.0)})
    assert kept.get("k")["a"].tolist() == [0.0, 1.0, 2.0]

    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(np, "load", fails)
    assert kept.get("k") is None


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    """The next run finds every answer that it needs, and so begins no file of its own there."""
    kept = Cache(tmp_path)
    kept.put("k", {"a": np.arange(3.0)})
    (tmp_path / ".k-abcd1234.part").mkdir()
    (tmp_path / ".k-abcd1234.part" / ".lock").touch()
    kept.tidy()
    assert [path.name for path in tmp_path.iterdir()] == ["k.npz"]
