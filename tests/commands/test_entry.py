"""The console script's end: it never waits for a thread that is still inside the solver."""

import subprocess
import sys
import textwrap

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
