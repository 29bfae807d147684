"""Run a command and tell its wall time, processor time and peak memory."""

import datetime as dt
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGES = ("highspy", "pulp", "linopy", "pandas", "numpy", "xlsxwriter")


@dataclass(frozen=True)
class Run:
    """What a command took. Processor seconds add up all threads, and other work on the machine hardly moves them."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    printed: str

    def answer(self) -> dict[str, Any]:
        """The JSON object on the last line that was printed."""
        found: dict[str, Any] = json.loads(self.printed.strip().splitlines()[-1])
        return found


def run(command: Sequence[str], repeats: int = 1) -> Run:
    """Run a command of Python (`-m ...`); of several runs, the least of each figure."""
    runs = [_once([sys.executable, *command]) for _ in range(repeats)]
    return Run(*(min(getattr(r, name) for r in runs) for name in ("wall_s", "cpu_s", "peak_mb")), runs[-1].printed)


def _once(command: Sequence[str]) -> Run:
    with tempfile.TemporaryFile("w+") as out:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        printed = out.read()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{printed}")
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, printed)


def solve_command(folder: Path, output: Path, *options: str) -> list[str]:
    """Spell `planner solve FOLDER -o OUTPUT`, as the installed command runs it."""
    return ["-m", "planner.cli", "solve", str(folder), "-o", str(output), *options]


def total_usd(output: Path) -> float:
    """Total of a finished plan."""
    return float(json.loads((output / "plan.json").read_text(encoding="utf-8"))["total_usd"])


def assert_equal(name: str, ours: float, theirs: float, tolerance: float = 1e-6) -> None:
    """Stop unless two optima are equal."""
    if abs(ours - theirs) > tolerance * max(abs(ours), abs(theirs), 1.0):
        raise AssertionError(f"{name}: planner found {ours!r}, the other model {theirs!r}")


def machine() -> str:
    """Name the machine and the versions."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0] if names else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"no {package}")
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, {platform.system()}; {', '.join(versions)}."


def stamp() -> str:
    """When, and how busy the machine is."""
    return f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC, load average {os.getloadavg()[0]:.1f}"
