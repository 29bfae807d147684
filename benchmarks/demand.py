"""Ingest against the bare DuckDB query on the same request log, side by side; and the memory that ingest takes.

    python benchmarks/demand.py                  # 10 million rows
    python benchmarks/demand.py --rows 100000000 --runs 1

The log is made here: 30 days, 3 regions, 4 workloads, 2 models, in order of time, without and with request ids. The
bare query is what a person would type: hour, the three names, count and sums. Ingest does that, judges every row,
looks for duplicated ids, measures the peak minute, and writes the history with its report.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

MAKE = """
COPY (SELECT {identity} TIMESTAMP '2026-03-02' + to_microseconds(i * {step} + (random() * {step})::BIGINT) AS time,
    'region-' || (random() * 3)::INT AS region, 'workload-' || (random() * 4)::INT AS workload,
    'model-' || (random() * 2)::INT AS model, 1000 + (random() * 3000)::INT AS input_tokens,
    (random() * 900)::INT AS cached_tokens, (random() * 400)::INT AS output_tokens
    FROM range({rows}) t(i)) TO '{path}' (FORMAT parquet)
"""
BARE = """
SELECT date_trunc('hour', time) AS hour, region, workload, model, count(*) AS requests,
    sum(input_tokens) AS input_tokens,
    sum(cached_tokens) AS cached_tokens, sum(output_tokens) AS output_tokens FROM '{path}' GROUP BY ALL
"""
MICROSECONDS = 30 * 86400 * 10**6


def make(path: Path, rows: int, with_ids: bool) -> None:
    import duckdb

    identity = "uuid()::VARCHAR AS request_id," if with_ids else ""
    with duckdb.connect() as engine:
        engine.execute(MAKE.format(identity=identity, rows=rows, path=path, step=max(1, MICROSECONDS // rows)))


def bare(path: Path, _: Path) -> int:
    import duckdb

    with duckdb.connect() as engine:
        return len(engine.execute(BARE.format(path=path)).df())


def ingest(path: Path, folder: Path) -> int:
    from planner.demand.history import save_history
    from planner.demand.ingest import ingest

    history = ingest([str(path)], "table")
    save_history(history, folder)
    return len(history.rows)


def _timed(task: str, path: Path, folder: Path, answer: "multiprocessing.Queue[tuple[float, int, float]]") -> None:
    """Run in a process of its own: libraries are loaded first, the clock runs for the work."""
    import duckdb
    import pandas as pd

    if task == "ingest":
        import ibis

        import planner.demand.history
        import planner.demand.ingest

        ibis.duckdb.connect().disconnect()
        del planner
    del duckdb, pd
    start = time.perf_counter()
    rows = {"bare": bare, "ingest": ingest}[task](path, folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    answer.put((time.perf_counter() - start, rows, peak))


def measure(task: str, path: Path, folder: Path) -> tuple[float, int, float]:
    context = multiprocessing.get_context("spawn")
    answer: multiprocessing.Queue[tuple[float, int, float]] = context.Queue()
    process = context.Process(target=_timed, args=(task, path, folder, answer))
    process.start()
    result = answer.get()
    process.join()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="planner-benchmark-") as scratch:
        for with_ids in (False, True):
            path = Path(scratch) / f"log-{with_ids}.parquet"
            make(path, arguments.rows, with_ids)
            best: dict[str, tuple[float, int, float]] = {}
            for _ in range(arguments.runs):
                for task in ("bare", "ingest"):
                    result = measure(task, path, Path(scratch) / "history")
                    best[task] = min(best.get(task, result), result)
            ratio = best["ingest"][0] / best["bare"][0]
            name = "with request ids" if with_ids else "without ids"
            print(
                f"{arguments.rows:,} rows {name}: bare {best['bare'][0]:.2f} s, ingest {best['ingest'][0]:.2f} s "
                f"({ratio:.2f} x), {best['ingest'][1]:,} history rows, peak memory {best['ingest'][2]:.2f} GB"
            )
            path.unlink()


if __name__ == "__main__":
    main()
