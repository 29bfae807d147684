"""The house's rules: lint, format, types, floors. What pre-commit and CI run."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
FLOORS = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
CHECKS = {
    "lint": ["-m", "ruff", "check", "."],
    "format": ["-m", "ruff", "format", "--check", "."],
    "types": ["-m", "mypy"],
    "floors": ["-c", FLOORS],
}


@pytest.mark.parametrize("name", CHECKS)
def test_check(name):
    done = subprocess.run([sys.executable, *CHECKS[name]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_files_are_short():
    """About 100 lines a file, none over 400."""
    long = [str(path) for path in (ROOT / "planner").rglob("*.py") if len(path.read_text("utf-8").splitlines()) > 400]
    assert long == []


def test_no_path_of_a_machine():
    """Nothing in the project names a directory of the machine that it was made on."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git clone")
    texts = [
        ROOT / name for name in listed.stdout.split("\0") if name.endswith((".py", ".md", ".toml", ".yaml", ".csv"))
    ]
    roots = [f"/{word}/" for word in ("work", "farm", "home", "Users")]
    named = [str(path) for path in texts if path.is_file() and any(root in path.read_text("utf-8") for root in roots)]
    assert named == []
