"""Files and directories are put in place whole: whatever stops the writer, whoever else writes, and is swept after."""

import errno
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from planner.errors import DiskFullError, PlannerError
from planner.io import directory as directories
from planner.io.atomic import undisturbed, write_text, written_beside
from planner.io.cache import Cache
from planner.io.directory import Kind, read_whole, recover, replaced

ROOT = Path(__file__).parents[2]
KIND = Kind(key="key", ours=frozenset({"key", "a", "b", "in"}), foreign=frozenset({"plan.yaml"}),
            signed=frozenset({"signed"}), what="a thing")  # fmt: skip


def fill(new: Path, word: str, names: str = "ab") -> None:
    for name in names:
        (new / name).write_text(word)
    (new / "in").mkdir()
    (new / "in" / "x").write_text(word)
    (new / "key").write_text(word)


def put(place: Path, word: str, names: str = "ab") -> None:
    with replaced(place, KIND) as new:
        fill(new, word, names)


def there(place: Path) -> dict[str, str]:
    return {p.relative_to(place).as_posix(): p.read_text() for p in sorted(place.rglob("*")) if p.is_file()}


def hidden(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.startswith(".") and name != ".planner.lock"]


WHOLE = {word: {"a": word, "b": word, "in/x": word, "key": word} for word in ("old", "new")}


def test_a_file_is_whole_or_as_it_was(tmp_path: Path) -> None:
    write_text(tmp_path / "f", "old")

    def stopped() -> None:
        with written_beside(tmp_path / "f") as beside:
            beside.write_text("ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert (tmp_path / "f").read_text() == "old"
    write_text(tmp_path / "f", "new")
    assert ((tmp_path / "f").read_text(), os.listdir(tmp_path)) == ("new", ["f"])


@pytest.fixture(params=[True, False])
def _with_and_without_exchange(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two directories change places at once, or, where the system cannot, one after the other."""
    if not request.param:
        monkeypatch.setattr(directories, "_exchanged", lambda one, other: False)


@pytest.mark.usefixtures("_with_and_without_exchange")
def test_a_full_disk_is_named_by_the_place_that_people_know(tmp_path: Path) -> None:
    """Found deep inside by a library with words of its own; what was there before stays."""
    put(tmp_path / "out", "old")
    before = there(tmp_path / "out")
    with (
        pytest.raises(DiskFullError, match=f"^{re.escape(str(tmp_path / 'out'))}: its disk is full"),
        replaced(tmp_path / "out", KIND) as new,
        written_beside(new / "a"),
    ):
        raise OSError(errno.ENOSPC, "Error writing bytes to file. Detail: [errno 28] No space left on device")
    assert there(tmp_path / "out") == before
    assert hidden(tmp_path) == []
    with pytest.raises(OSError, match="read-only"), written_beside(tmp_path / "x"):
        raise OSError(errno.EROFS, "read-only")
    Cache(tmp_path).put("k", {"a": Unwritable()})  # an answer for the next run is not worth a stop


class Unwritable:
    """An array that does not fit."""

    def __array__(self, dtype: object = None, copy: object = None) -> object:
        raise OSError(errno.ENOSPC, "full")


def test_a_directory_takes_the_place_of_the_older_one(tmp_path: Path) -> None:
    put(tmp_path / "q", "old")
    assert there(tmp_path / "q") == WHOLE["old"]
    (tmp_path / "q" / "in" / "stray").write_text("in what is ours")
    (tmp_path / "q" / ".b-abc.part").write_text("what planner 0.1.0 left when it was killed")
    put(tmp_path / "q", "new", "a")
    assert there(tmp_path / "q") == {k: v for k, v in WHOLE["new"].items() if k != "b"}
    assert hidden(tmp_path) == []


def test_what_others_put_there_stays(tmp_path: Path) -> None:
    put(tmp_path / "q", "old")
    (tmp_path / "q" / "notes.txt").write_text("mine")
    (tmp_path / "q" / "mine").mkdir()
    put(tmp_path / "q", "new")
    assert there(tmp_path / "q") == {**WHOLE["new"], "notes.txt": "mine"}
    assert (tmp_path / "q" / "mine").is_dir()


def test_where_we_stand_stays_the_same_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "q", "old")
    monkeypatch.chdir(tmp_path / "q")
    put(Path("."), "new")
    assert there(Path(".")) == there(tmp_path / "q") == WHOLE["new"]


@pytest.mark.parametrize(
    ("name", "words"), [("plan.yaml", "holds plan.yaml, so it is no place for a thing"), ("signed", "a signed plan")]
)
def test_what_must_stay_is_refused_before_and_after(tmp_path: Path, name: str, words: str) -> None:
    put(tmp_path / "q", "old")

    def late() -> None:
        with replaced(tmp_path / "q", KIND) as new:
            fill(new, "new")
            (tmp_path / "q" / name).write_text("came meanwhile")

    with pytest.raises(PlannerError, match=words):
        late()
    with pytest.raises(PlannerError, match=words), replaced(tmp_path / "q", KIND):
        raise AssertionError("begun")
    assert there(tmp_path / "q")["key"] == "old"


KILLED = """
import os, sys
from pathlib import Path
from planner.io import directory as directories
from tests.io.test_atomic import put
place, exchange, stop = Path(sys.argv[1]), sys.argv[2] == "True", int(sys.argv[3])
count = 0
def counted(call):
    def wrapped(*arguments, **options):
        global count
        count += 1
        if count == stop:
            os._exit(137)
        return call(*arguments, **options)
    return wrapped
for name in ("replace", "rename", "unlink", "mkdir", "write_text"):
    setattr(Path, name, counted(getattr(Path, name)))
if exchange:
    directories._exchanged = counted(directories._exchanged)
else:
    directories._exchanged = lambda one, other: False
put(place, "new")
"""


@pytest.mark.parametrize("exchange", [True, False])
def test_killed_at_any_step_it_is_the_older_the_new_or_nothing_that_counts(tmp_path: Path, exchange: bool) -> None:
    """At every step: the key file is there with everything of its own, or it is not there; never a mixture."""
    codes = []
    for stop in range(1, 30):
        place = tmp_path / str(stop) / "q"
        put(place, "old")
        words = [sys.executable, "-c", KILLED, str(place), str(exchange), str(stop)]
        codes.append(subprocess.run(words, cwd=ROOT, check=False).returncode)
        found = there(place)
        if "key" in found:
            assert found in WHOLE.values(), stop
        recover(place, KIND)
        assert there(place) in WHOLE.values(), stop
        put(place, "new")
        assert there(place) == WHOLE["new"]
        assert hidden(place.parent) == [], stop  # what the killed one left is swept
        if codes[-1] == 0:
            break
    assert codes[-1] == 0
    assert set(codes[:-1]) == {137}
    assert len(codes) >= 10


def test_of_two_at_once_one_wins_whole(tmp_path: Path) -> None:
    place = tmp_path / "q"
    script = "import sys; from pathlib import Path; from tests.io.test_atomic import put\n"
    script += "for k in range(15): put(Path(sys.argv[1]), sys.argv[2])"
    both = [subprocess.Popen([sys.executable, "-c", script, str(place), word], cwd=ROOT) for word in ("old", "new")]
    assert [process.wait() for process in both] == [0, 0]
    assert there(place) in WHOLE.values()
    assert hidden(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.usefixtures("_with_and_without_exchange")
def test_what_is_replaced_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    """A mixture of two is neither an answer nor a fault; what is wrong with one of them still is."""
    put(tmp_path / "p", "old")
    words = iter(["new", "new"])

    def read(place: Path) -> str:
        first = (place / "a").read_text()
        if word := next(words, None):
            put(place, word)
        if (place / "b").read_text() != first:
            raise PlannerError("b belongs to another plan")
        return first

    assert read_whole(tmp_path / "p", KIND, read) == "new"
    (tmp_path / "p" / "b").write_text("edited")
    with pytest.raises(PlannerError, match="belongs to another"):
        read_whole(tmp_path / "p", KIND, read)
    with pytest.raises(PlannerError, match="was replaced while it was read"):
        read_whole(tmp_path / "p", KIND, lambda place: put(place, "new"))


def test_a_stop_waits_until_what_belongs_together_is_done() -> None:
    done = []

    def stopped() -> None:
        with undisturbed():
            os.kill(os.getpid(), signal.SIGINT)
            done.append(True)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    try:
        with pytest.raises(KeyboardInterrupt):
            stopped()
        assert done == [True]
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
