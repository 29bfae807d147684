"""Seconds of solving a folder once it is read, no files written: `python -m benchmarks.solve_only FOLDER [STORE]`."""

import json
import sys
import time
from pathlib import Path

from planner.readers import load
from planner.solver.solve import solve


def main() -> None:
    """Read, solve (and audit), print one line of JSON."""
    store = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    case = load(Path(sys.argv[1]))
    start, used = time.perf_counter(), time.process_time()
    plan = solve(case, store=store)
    found = {"solve_s": time.perf_counter() - start, "solve_cpu_s": time.process_time() - used}
    found["usd"] = plan.totals.total_usd
    print(json.dumps(found))


if __name__ == "__main__":
    main()
