"""Digests are of what was written: an older planner's files hold when the schema has learnt a column."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from planner.io.digest import read_json, seal_of, sealed, sha256_of_text
from tests.builders import tables, write_folder

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_sealed_text_states_the_digest_of_itself_without_it(indent: int | None) -> None:
    text = json.dumps({"a": 1, "b": {"c": [1, 2]}}, indent=indent)
    told = sealed(text)
    assert json.loads(told) == {"a": 1, "b": {"c": [1, 2]}, "sha256": sha256_of_text(text)}
    assert seal_of(told) == (sha256_of_text(text),) * 2
    found = seal_of(told.replace("1", "9", 1))
    assert found is not None
    assert found[0] != found[1]
    assert seal_of(text) is None


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', '{"a": NaN}', '{"a": -Infinity}', "[" * 5000])
def test_json_is_read_as_strictly_as_it_is_written(text: str) -> None:
    with pytest.raises(ValueError, match=r"twice|no number|too deep"):
        read_json(text)


def edited_copy(folder: Path, file: str, old: str, new: str) -> Path:
    """A copy of the package with one edit; returns the folder that holds it."""
    shutil.copytree(ROOT / "planner", folder / "planner", ignore=shutil.ignore_patterns("__pycache__"))
    path = folder / "planner" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


def run(package: Path, folder: Path, *words: str) -> str:
    script = f"import sys; sys.path.insert(0, {str(package)!r}); from planner.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", script, *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_column_more_in_the_schema_changes_no_plan_and_no_ledger(tmp_path: Path) -> None:
    later = edited_copy(
        tmp_path / "later", "schema/capacity.py", "    product: str | None",
        "    colour: str | None = column(None, meaning=\"of the box\")\n    product: str | None",
    )  # fmt: skip
    write_folder(tables(), tmp_path / "in")
    run(ROOT, tmp_path, "solve", "in", "-o", "reports/q", "--no-workbook")
    run(ROOT, tmp_path, "accept", "reports/q", "--by", "Ada")
    assert "every rule is kept" in run(later, tmp_path, "verify", "in", "reports/q")
    assert "as signed" in run(later, tmp_path, "ledger")


def test_an_answer_is_kept_for_the_code_that_found_it(tmp_path: Path) -> None:
    """The objective is edited so that on demand costs nothing: the kept answer of the true one must not be told."""
    folder = write_folder(tables(), tmp_path / "in")
    words = ("solve", str(folder), "-o", "reports/q", "--no-workbook", "--json")
    true = json.loads(run(ROOT, tmp_path, *words))
    other = edited_copy(tmp_path / "other", "model/index_tables.py", '"""', '"""Edited. ')
    script = "from planner.solver.store import _versions; print(_versions())"
    keys = {
        subprocess.run([sys.executable, "-c", f"import sys; sys.path.insert(0, {str(p)!r}); {script}"], cwd=tmp_path,
                       capture_output=True, text=True, check=True).stdout
        for p in (ROOT, other)
    }  # fmt: skip
    assert len(keys) == 2
    assert true["total_usd"] == 7440
