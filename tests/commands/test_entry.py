"""The console script's end: it never waits for a thread that is still inside the solver."""

import argparse
import signal
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pandas as pd
import pytest

import planner
from planner.cli import main
from tests import builders

CODE = """
    import threading, time
    import planner.cli
    planner.cli.main = lambda begun: 3
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    planner.cli.entry()
"""


def test_a_busy_thread_does_not_keep_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(CODE)], timeout=30, check=False)
    assert done.returncode == 3


STUCK = """
    import argparse, hashlib, os, signal, threading
    from planner import cli

    def main(begun):
        begun(argparse.Namespace(written=()))
        threading.Timer(0.1, os.kill, (os.getpid(), signal.{signal})).start()
        inside = {{"__name__": "{module}", "hashlib": hashlib}}
        exec("for _ in range(4): hashlib.pbkdf2_hmac('sha256', b'', b'', {turns})", inside)
        return 7

    cli.main, cli.ANSWER_SECONDS = main, 0.1
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    cli.entry()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_stop_is_heard_inside_the_solver(name: str) -> None:
    """Where C code does not come back, the process ends with the same word as anywhere."""
    code = STUCK.format(signal=name, module="planner.solver.highs", turns=10**9)
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], timeout=60, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (3, "interrupted; nothing was written\n")


SWALLOWED = """
    import argparse, os, signal, threading, time
    from planner import cli

    def main(begun):
        begun(argparse.Namespace(written=()))
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
        exec("try: time.sleep(9)\\nexcept BaseException: time.sleep(9)", {"__name__": "planner.solver.x", "time": time})
        return 7

    cli.main, cli.ANSWER_SECONDS = main, 0.1
    cli.entry()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows")
def test_a_stop_that_something_in_the_solver_kept_to_itself_ends_it_all_the_same() -> None:
    """Python raised the interrupt, a library caught it, and the search went on: the process ends, 7 is not reached."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SWALLOWED)], timeout=60, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (3, "interrupted; nothing was written\n")


def test_a_stop_elsewhere_waits_for_what_runs() -> None:
    """Files are put in place first: the stop is heard as soon as Python goes on, and unwinds as ever."""
    code = STUCK.format(signal="SIGTERM", module="planner.io.directory", turns=10**6)
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], timeout=60, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (3, "interrupted; nothing was written\n")


LOADING = """
    import argparse, os, signal
    from planner import cli

    def loads(name):
        os.kill(os.getpid(), signal.SIGTERM)
        {then}

    cli.importlib.import_module = loads
    cli.entry()
"""


@pytest.mark.parametrize("then", ["return argparse", "raise ImportError('initialization failed')"])
def test_a_stop_while_a_command_loads_has_the_same_words(then: str) -> None:
    """Also where the library that is loading turns it into an error of its own."""
    code = "import sys; sys.argv = ['planner', 'review', 'a', 'b']\n" + textwrap.dedent(LOADING).format(then=then)
    done = subprocess.run([sys.executable, "-c", code], timeout=30, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (3, "interrupted; nothing was written\n")


EARLY = """
    import builtins, os, signal, sys
    from planner import starting
    from planner.errors import EXIT_STOPPED
    assert EXIT_STOPPED == 3
    del sys.modules["planner.errors"]
    loads = builtins.__import__

    def interrupted(name, *rest, **more):
        if name == "planner.errors":
            os.kill(os.getpid(), signal.{signal})
        return loads(name, *rest, **more)

    builtins.__import__ = interrupted
    starting.entry()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_stop_before_anything_is_loaded_has_a_word_and_no_traceback(name: str) -> None:
    code = textwrap.dedent(EARLY).format(signal=name)
    done = subprocess.run([sys.executable, "-c", code], timeout=30, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (3, "interrupted; nothing was written\n")


def test_the_console_script_takes_stops_before_it_loads_anything() -> None:
    """All that is imported first is what Python and the usual console script load themselves."""
    code = (
        "import re, signal, sys; before = set(sys.modules); import planner.starting; print(set(sys.modules) - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], timeout=30, capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ("{'planner', 'planner.starting'}", "{'planner.starting', 'planner'}")
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["scripts"] == {"planner": "planner.starting:entry"}


def ended(code: str) -> "subprocess.CompletedProcess[str]":
    """Run some Python in a process of its own, to its end."""
    run = [sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.run(run, timeout=30, capture_output=True, text=True, check=False)


DROPPED = """
    import argparse, os, signal, time, weakref
    from planner import cli

    class Held:
        pass

    def stop(_):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(9)

    def main(begun):
        begun(argparse.Namespace(written=()))
        held = Held()
        watch = weakref.ref(held, stop)
        del held
        time.sleep(9)
        return 7

    cli.main = main
    cli.entry()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows")
def test_a_stop_that_python_drops_while_objects_are_cleared_away_comes_once_more() -> None:
    """Python ignores what a weak reference's call raises: the command went on to its end, 7, with exit 0 before."""
    done = ended(DROPPED)
    assert (done.returncode, done.stderr) == (3, "interrupted; nothing was written\n")


TWICE = """
    import argparse, os, signal
    from planner import cli

    def main(begun):
        begun(argparse.Namespace(written=()))
        os.kill(os.getpid(), signal.SIGINT)

    def told(arguments):
        os.kill(os.getpid(), signal.SIGINT)
        return "told"

    cli.main, cli._interrupted = main, told
    signal.signal(signal.SIGINT, signal.default_int_handler)
    cli.entry()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows")
def test_who_presses_ctrl_c_twice_is_told_once() -> None:
    done = ended(TWICE)
    assert (done.returncode, done.stderr) == (3, "told\n")


ENDED = """
    import os, signal
    from planner import cli
    cli.main = lambda begun: 0
    cli.gc.freeze = lambda: os.kill(os.getpid(), signal.SIGTERM)
    cli.entry()
"""


def test_a_stop_after_the_end_changes_nothing() -> None:
    done = ended(ENDED)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_exit_code_is_the_commands() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "planner.cli", "solve", "no-such-folder"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "no-such-folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_a_library_makes_of_a_stop_is_a_stop(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stop while a library is being loaded comes out of it as an ImportError."""

    def stopped(arguments: argparse.Namespace) -> int:
        arguments.stopped = True
        raise ImportError("initialization failed")

    monkeypatch.setattr("planner.commands.check.run", stopped)
    assert main(["check", "x"]) == 3
    assert capsys.readouterr().err.startswith("interrupted")


def test_a_mistyped_command_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slove", "data"]) == 1
    assert "no command 'slove'; did you mean 'solve'?" in capsys.readouterr().err
    for words, said in (
        (["offers", "lst"], "planner offers: there is no command 'lst'; did you mean 'list'?\n"),
        (["offers", "xyz"], "planner offers: there is no command 'xyz'; choose from list, show, build, "),
        (["demand", "nw"], "planner demand: there is no command 'nw'; did you mean 'new'?\n"),
        (["solve", "x", "--format", "cvs"], "; did you mean 'csv'?\n"),
    ):
        with pytest.raises(SystemExit) as stopped:
            main(words)
        assert stopped.value.code == 1
        assert said in capsys.readouterr().err
    assert main(["xyzzyx"]) == 1
    assert "lists them" in capsys.readouterr().err


def test_planner_alone_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "commands:" in capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_commands_and_options(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for word in ("solve", "no-workbook", "breakeven"):
        assert word in script


def test_fish_completes_what_stands_where_the_cursor_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "fish"]) == 0
    lines = [line.split(" -d ")[0] for line in capsys.readouterr().out.splitlines()]
    start = "complete -c planner -n '__fish_planner"
    assert f"{start}_next' -a solve" in lines
    assert f"{start}_at solve' -F" in lines  # the folder
    assert f"{start}_at solve' -s o -l output -r -F" in lines
    assert f"{start}_at solve' -l format -x -a 'csv parquet'" in lines
    assert f"{start}_at solve' -l json" in lines  # takes no value
    assert f"{start}_next offers' -a breakeven" in lines


def test_a_plan_does_not_depend_on_how_pandas_keeps_texts(tmp_path: Path) -> None:
    """The command keeps them as Python's strings, the library as pandas is set: one plan."""
    folder = builders.write_folder(builders.tables(), tmp_path / "in")
    assert main(["solve", str(folder), "-o", str(tmp_path / "out"), "--fresh", "--no-workbook"]) == 0
    with pd.option_context("mode.string_storage", "pyarrow"):
        plan = planner.solve(planner.load(folder))
        written = planner.load_plan(tmp_path / "out").plan
        assert plan.totals == written.totals
        pd.testing.assert_frame_equal(plan.dispatch, written.dispatch)
