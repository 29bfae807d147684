"""The ledger: every edit, cut, insertion and swap shows; appending loses nothing, whoever writes at once or dies."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from planner.errors import DiskFullError, PlannerError
from planner.features.ledger.chain import START, Entry, opened, parse, read_ledger
from tests.builders.ledger_entries import entry

ROOT = Path(__file__).parents[3]


def chain(count: int) -> list[Entry]:
    entries: list[Entry] = []
    for k in range(count):
        entries.append(entry(k + 1, entries[-1].sha256 if entries else START, by=f"person {k}"))
    return entries


def lines(entries: list[Entry]) -> list[bytes]:
    return [e.line().encode() + b"\n" for e in entries]


def test_a_chain_holds_and_its_head_is_the_last_hash() -> None:
    entries = chain(4)
    ledger = parse(b"".join(lines(entries)))
    assert ledger.whole
    assert ledger.entries == tuple(entries)
    assert ledger.head == entries[-1].sha256
    assert parse(b"").whole
    assert parse(b"").head == START


def test_the_hash_is_that_of_the_line_without_it() -> None:
    import hashlib

    line = chain(1)[0].line()
    before, stated = line.rsplit(', "sha256": "', 1)
    assert hashlib.sha256((before + "}").encode()).hexdigest() == stated.removesuffix('"}')


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda ls: [ls[0].replace(b"100.5", b"100.6"), *ls[1:]], ["line 1, entry 1: was edited"]),
        (lambda ls: [*ls[:3], ls[3].replace(b"person 3", b"person 9")], ["line 4, entry 4: was edited"]),
        (lambda ls: [ls[0], ls[2], ls[3]], ["line 2, entry 3: does not follow", "line 2, entry 3: should be entry 2"]),
        (lambda ls: ls[1:], ["line 1, entry 2: does not follow the first", "line 1, entry 2: should be entry 1"]),
        (lambda ls: [ls[0], ls[2], ls[1], ls[3]], ["line 2, entry 3: does not follow", "line 3, entry 2: does not"]),
        (lambda ls: [ls[0], ls[1], ls[1], ls[2], ls[3]], ["line 3, entry 2: does not follow", "should be entry 3"]),
        (lambda ls: [ls[0], b"\n", *ls[1:]], ["line 2: is not an entry"]),
        (lambda ls: [ls[0], b"{}\n", *ls[1:]], ["line 2: is not an entry"]),
        (lambda ls: [ls[0], b"[" * 9999 + b"\n", *ls[1:]], ["line 2: is not an entry"]),
        (lambda ls: [ls[0].replace(b'"by": ', b'"by":  '), *ls[1:]], ["line 1, entry 1: was rewritten"]),
        (lambda ls: [ls[0].replace(b'{"entry"', b'{"extra": 2, "entry"'), *ls[1:]], ["line 1: is not an entry: extra"]),
        (lambda ls: [ls[0].replace(b"\n", b"\r\n"), *ls[1:]], ["line 1, entry 1: was rewritten"]),
    ],
)  # fmt: skip
def test_every_change_shows(change, told) -> None:
    ledger = parse(b"".join(change(lines(chain(4)))))
    assert not ledger.whole
    for text in told:
        assert any(text in fault for fault in ledger.faults), ledger.faults


def test_an_edit_hashed_anew_breaks_the_next_entry_and_changes_the_head_where_all_are() -> None:
    entries = chain(3)
    forged = entries[1].model_copy(update={"total_usd": 1.0})
    once = parse(b"".join(lines([entries[0], forged, entries[2]])))
    assert [fault[:15] for fault in once.faults] == ["line 3, entry 3"]
    last = entries[2].model_copy(update={"previous": forged.sha256})
    every = parse(b"".join(lines([entries[0], forged, last])))
    assert every.whole  # the chain alone cannot show it ...
    assert every.find(entries[2].sha256) is None  # ... the head noted elsewhere does
    cut = parse(b"".join(lines(entries[:2])))
    assert cut.whole
    assert cut.find(entries[2].sha256) is None
    assert cut.find(entries[1].sha256[:12]) == entries[1]


def test_a_torn_line_is_told_and_nothing_is_written_on_top(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    whole = lines(chain(3))
    for cut in (1, 5, len(whole[2]) // 2, len(whole[2]) - 2):
        path.write_bytes(b"".join(whole[:2]) + whole[2][:cut])
        ledger = read_ledger(path)
        assert ledger.torn == whole[2][:cut].decode()
        assert len(ledger.entries) == 2
        with pytest.raises(PlannerError, match="after entry 2, is incomplete"), opened(path):
            pass
        assert path.read_bytes() == b"".join(whole[:2]) + whole[2][:cut]


def test_a_last_line_that_lacks_only_its_end_is_an_entry(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    entries = chain(3)
    path.write_bytes(b"".join(lines(entries[:2]))[:-1])
    with opened(path) as book:
        book.append(entries[2])
    assert read_ledger(path).whole
    assert path.read_bytes() == b"".join(lines(entries))


def test_a_broken_ledger_gets_no_entry(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(lines(chain(1))[0].replace(b"Ada", b"Eve").replace(b"person 0", b"Eve"))
    with pytest.raises(PlannerError, match="was edited"), opened(path):
        pass


def test_a_full_disk_leaves_the_ledger_as_it_was(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "ledger.jsonl"
    entries = chain(2)
    path.write_bytes(lines(entries)[0])

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("planner.features.ledger.chain.os.fsync", full)
    with pytest.raises(DiskFullError, match="disk is full"), opened(path) as book:
        book.append(entries[1])
    assert path.read_bytes() == lines(entries)[0]


def test_a_ledger_that_was_begun_in_vain_is_not_left_behind(tmp_path: Path, monkeypatch) -> None:
    """An empty file would be called a ledger with 0 entries, where "what was there before is as it was"."""
    path = tmp_path / "ledger.jsonl"

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("planner.features.ledger.chain.os.fsync", full)
    with pytest.raises(DiskFullError, match="disk is full"), opened(path) as book:
        book.append(chain(1)[0])
    assert not path.exists()
    path.mkdir()
    with pytest.raises(PlannerError, match="is not a file"), opened(path):
        pass
    path.rmdir()
    path.touch()  # one that was there stays
    with pytest.raises(DiskFullError, match="disk is full"), opened(path) as book:
        book.append(chain(1)[0])
    assert path.read_bytes() == b""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process")
def test_what_did_not_fit_is_not_written_when_the_file_is_closed(tmp_path: Path) -> None:
    import resource

    path = tmp_path / "ledger.jsonl"
    entries = chain(2)
    path.write_bytes(lines(entries)[0])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def refused() -> None:
        with opened(path) as book:
            resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 10, limits[1]))
            try:
                book.append(entries[1])
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)  # there is room again before the file is closed

    with pytest.raises(DiskFullError, match="may not become so large"):
        refused()
    assert path.read_bytes() == lines(entries)[0]


WRITER = """
import sys
from pathlib import Path
from planner.features.ledger.chain import opened
from tests.builders.ledger_entries import entry
for k in range(int(sys.argv[3])):
    with opened(Path(sys.argv[1])) as book:
        ledger = book.ledger
        book.append(entry(len(ledger.entries) + 1, ledger.head, by=f"{sys.argv[2]}.{k}"))
"""


def test_many_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    path, each = tmp_path / "ledger.jsonl", 6
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(k), str(each)], cwd=ROOT) for k in range(8)
    ]
    assert [w.wait() for w in writers] == [0] * 8
    ledger = read_ledger(path)
    assert ledger.whole
    assert sorted(e.by for e in ledger.entries) == sorted(f"{k}.{n}" for k in range(8) for n in range(each))


KILLED = """
import os, signal, sys
from pathlib import Path
from planner.features.ledger.chain import opened
from tests.builders.ledger_entries import entry
with opened(Path(sys.argv[1])) as book:
    line = entry(len(book.ledger.entries) + 1, book.ledger.head).line().encode()
    book.file.write(line[: len(line) // 2])
    book.file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_process_killed_half_way_leaves_no_lock_and_a_torn_line_that_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(lines(chain(1))[0])
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=ROOT, check=False)
    assert done.returncode == -9
    with pytest.raises(PlannerError, match="incomplete"), opened(path):
        pass
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"\n") + 1])  # what the message says to do
    with opened(path) as book:
        book.append(entry(2, book.ledger.head))
    assert read_ledger(path).whole


def test_a_lock_that_is_not_to_be_had_is_told(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "ledger.jsonl"
    monkeypatch.setattr("planner.io.atomic.WAIT_SECONDS", 0.0)
    with opened(path), pytest.raises(PlannerError, match="another process"), opened(path):
        pass


def test_a_line_is_json(tmp_path: Path) -> None:
    content = json.loads(chain(1)[0].line())
    assert content["entry"] == 1
    assert list(content)[-1] == "sha256"
