"""The console script's end: it never waits for a thread that is still inside the solver."""

import subprocess
import sys
import textwrap

import pytest

from planner.cli import main

CODE = """
    import threading, time
    import planner.cli
    planner.cli.main = lambda: 3
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    planner.cli.entry()
"""


def test_a_busy_thread_does_not_keep_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(CODE)], timeout=30, check=False)
    assert done.returncode == 3


def test_the_exit_code_is_the_commands() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "planner.cli", "solve", "no-such-folder"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "no-such-folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_mistyped_command_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slove", "data"]) == 1
    assert "no command 'slove'; did you mean 'solve'?" in capsys.readouterr().err
    assert main(["xyzzyx"]) == 1
    assert "lists them" in capsys.readouterr().err


def test_planner_alone_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "commands:" in capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_shell_completes_commands_and_options(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for word in ("solve", "--no-workbook", "breakeven"):
        assert word in script
