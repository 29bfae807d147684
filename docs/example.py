"""Make the example that is kept with the code: the quickstart's whole output, in reports/example.

    python docs/example.py

Solves data/quickstart into reports/example, with the web page, and keeps what the terminal prints beside it, in
reports/example-terminal.txt.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = Path("reports") / "example"
COMMAND = ("solve", "data/quickstart", "-o", FOLDER.as_posix(), "--html", "--fresh")
TERMINAL = Path("reports") / "example-terminal.txt"  # a file more in a plan's directory is a fault


def main() -> None:
    """Solve and keep."""
    done = subprocess.run(
        [sys.executable, "-m", "planner.cli", *COMMAND], check=True, capture_output=True, text=True, cwd=ROOT
    )
    lines = [f"$ planner {' '.join(COMMAND)}", *(line.rstrip() for line in done.stdout.splitlines())]
    (ROOT / TERMINAL).write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
