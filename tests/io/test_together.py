"""Files of one folder that change together are never read as a mixture: not while they move, not after a kill."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from planner.errors import PlannerError
from planner.io import together
from planner.io.together import changed_together, finish, read_settled

ROOT = Path(__file__).parents[2]
OLD = {"a.csv": "old", "gone.csv": "old", "mine.csv": "mine"}
NEW = {"a.csv": "new", "b.csv": "new", "forecast/c.csv": "new", "mine.csv": "mine"}


def begin(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in OLD.items():
        (folder / name).write_text(text)
    return folder


def change(folder: Path) -> None:
    with changed_together(folder, "it", gone=["gone.csv", "a.csv"]) as new:
        (new / "forecast").mkdir()
        for name in ("a.csv", "b.csv", "forecast/c.csv"):
            (new / name).write_text("new")


def there(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files if path.parent.name[0] != "."}


def settled(folder: Path) -> dict[str, str]:
    return {name: text for name, text in read_settled(folder, lambda: there(folder)).items() if ".part" not in name}


KILLED = """
import os, sys
from pathlib import Path
from tests.io.test_together import change
left = [int(sys.argv[2])]
def counted(call):
    def wrapped(*arguments, **options):
        left[0] -= 1
        if left[0] == 0:
            os._exit(137)
        return call(*arguments, **options)
    return wrapped
for name in ("replace", "rename", "unlink"):
    setattr(Path, name, counted(getattr(Path, name)))
change(Path(sys.argv[1]))
"""


def test_killed_at_any_step_the_next_reader_finds_the_old_or_the_new(tmp_path: Path) -> None:
    found = []
    for step in range(1, 20):
        folder = begin(tmp_path / str(step))
        code = subprocess.run([sys.executable, "-c", KILLED, str(folder), str(step)], cwd=ROOT, check=False).returncode
        found.append(settled(folder))
        change(folder)
        assert (there(folder), [name for name in os.listdir(folder) if name[0] == "."]) == (NEW, []), step
        if code == 0:
            break
    assert code == 0
    assert found == [OLD, OLD, *[NEW] * 5]  # before it is marked, and while and after they moved


def test_what_fails_before_it_is_whole_changes_nothing(tmp_path: Path) -> None:
    folder = begin(tmp_path / "f")
    (folder / "b.csv").mkdir()
    with pytest.raises(PlannerError, match=r"b\.csv is a directory"):
        change(folder)
    (folder / "b.csv").rmdir()
    assert (settled(folder), sorted(os.listdir(folder))) == (OLD, sorted(OLD))


def test_what_changes_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    folder, changes = begin(tmp_path / "f"), [change]

    def read() -> str:
        first = (folder / "a.csv").read_text()
        if changes:
            changes.pop()(folder)
        return first + ("b" if (folder / "b.csv").exists() else "")

    assert read_settled(folder, read) == "newb"


def test_a_mixture_that_cannot_be_finished_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = begin(tmp_path / "f")
    subprocess.run([sys.executable, "-c", KILLED, str(folder), "4"], cwd=ROOT, check=False)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", lambda self, target: (_ for _ in ()).throw(PermissionError(13, "denied")))
        with pytest.raises(PlannerError, match="cannot be put in place now"):
            finish(folder)
    finish(folder)
    assert there(folder) == NEW


def test_two_readers_that_finish_at_once_are_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = begin(tmp_path / "f")
    subprocess.run([sys.executable, "-c", KILLED, str(folder), "4"], cwd=ROOT, check=False)
    move = together._move

    def too_late(beside: Path, target: Path) -> None:
        move(beside, target)
        shutil.rmtree(beside)  # as the other reader does
        move(beside, target)

    monkeypatch.setattr(together, "_move", too_late)
    finish(folder)
    assert there(folder) == NEW


def test_a_folder_that_somebody_else_made_meanwhile_stays(tmp_path: Path) -> None:
    def late() -> None:
        with changed_together(tmp_path / "f", "it") as new:
            (new / "a.csv").write_text("new")
            begin(tmp_path / "f")

    with pytest.raises(PlannerError, match="made by another process meanwhile"):
        late()
    assert (there(tmp_path / "f"), os.listdir(tmp_path)) == (OLD, ["f"])
