"""Seconds of reading and of solving a folder, without files: `python -m benchmarks.solve_only FOLDER [STORE]`."""

import json
import sys
import time
from pathlib import Path

from planner.readers import load
from planner.studies.solve import solve


def main() -> None:
    """Read, solve (and audit), print one line of JSON."""
    store = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    start = time.perf_counter()
    case = load(Path(sys.argv[1]))
    read = time.perf_counter()
    plan = solve(case, store=store)
    found = {"read_s": read - start, "solve_s": time.perf_counter() - read, "usd": plan.totals.total_usd}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
