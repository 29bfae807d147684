"""Ingest against the bare DuckDB query on the same request log, side by side; and the memory that ingest takes.

    python benchmarks/demand.py                  # 10 million rows
    python benchmarks/demand.py --rows 100000000 --runs 1

The logs are made here: 30 days, 3 regions, 4 workloads, 2 models, in order of time: a plain one, one with request ids,
and LiteLLM's request log, with a failure in every hundred and the cached tokens in its JSON. The bare query is what a
person would type: hour, the names, count and sums. Ingest does that, judges every row, looks for duplicated ids,
measures the peak minute, and writes the history with its report.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

TIME = "TIMESTAMP '2026-03-02' + to_microseconds(i * {step} + (random() * {step})::BIGINT)"
PLAIN = """
    {time} AS time, 'region-' || (random() * 3)::INT AS region, 'workload-' || (random() * 4)::INT AS workload,
    'model-' || (random() * 2)::INT AS model, 1000 + (random() * 3000)::INT AS input_tokens,
    (random() * 900)::INT AS cached_tokens, (random() * 400)::INT AS output_tokens
"""
LITELLM = """
    uuid()::VARCHAR AS request_id, {time} AS "startTime", 'model-' || (random() * 2)::INT AS model,
    'group-' || (random() * 4)::INT AS model_group, 'https://region-' || (random() * 3)::INT AS api_base,
    1000 + (random() * 3000)::INT AS prompt_tokens, (random() * 400)::INT AS completion_tokens,
    CASE WHEN random() < 0.01 THEN 'failure' ELSE 'success' END AS status, 'False' AS cache_hit,
    to_json({{user_api_key: i, usage_object: {{prompt_tokens_details: {{cached_tokens: (random() * 900)::INT}}}}}})
        ::VARCHAR AS metadata
"""
MAKE = "COPY (SELECT {columns} FROM range({rows}) t(i)) TO '{path}' (FORMAT parquet)"
BARE = """
SELECT date_trunc('hour', time) AS hour, region, workload, model, count(*) AS requests,
    sum(input_tokens) AS input_tokens,
    sum(cached_tokens) AS cached_tokens, sum(output_tokens) AS output_tokens FROM '{path}' GROUP BY ALL
"""
BARE_LITELLM = """
SELECT date_trunc('hour', "startTime") AS hour, api_base, model_group, model, count(*) AS requests,
    sum(prompt_tokens) AS input_tokens, sum(completion_tokens) AS output_tokens,
    sum((metadata->>'$.usage_object.prompt_tokens_details.cached_tokens')::BIGINT) AS cached_tokens
    FROM '{path}' WHERE status <> 'failure' GROUP BY ALL
"""
# what is asked about: the log's columns, the bare query, the format that ingest reads
LOGS = {
    "without ids": (PLAIN, BARE, "table"),
    "with ids": ("uuid()::VARCHAR AS request_id, " + PLAIN, BARE, "table"),
    "of LiteLLM": (LITELLM, BARE_LITELLM, "litellm_spendlogs"),
}
MICROSECONDS = 30 * 86400 * 10**6


class Run(NamedTuple):
    """One run of one task."""

    wall_seconds: float
    cpu_seconds: float
    rows: int
    peak_memory_gb: float


def make(path: Path, rows: int, log: str) -> None:
    import duckdb

    columns = LOGS[log][0].format(time=TIME.format(step=max(1, MICROSECONDS // rows)))
    with duckdb.connect() as engine:
        engine.execute(MAKE.format(columns=columns, rows=rows, path=path))


def bare(path: Path, log: str, _: Path) -> int:
    import duckdb

    with duckdb.connect() as engine:
        return len(engine.execute(LOGS[log][1].format(path=path)).df())


def ingest(path: Path, log: str, folder: Path) -> int:
    from planner.features.demand.history import save_history
    from planner.features.demand.ingest import ingest

    history = ingest([str(path)], LOGS[log][2])
    save_history(history, folder)
    return len(history.rows)


def _timed(task: str, log: str, small: Path, path: Path, folder: Path, answer: "multiprocessing.Queue[Run]") -> None:
    """Run in a process of its own; a small log first, so that the clocks do not count the loading of libraries."""
    work = {"bare": bare, "ingest": ingest}[task]
    work(small, log, folder)
    start, cpu = time.perf_counter(), time.process_time()
    rows = work(path, log, folder)
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    answer.put(Run(wall, cpu, rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2))


def measure(task: str, log: str, small: Path, path: Path, folder: Path) -> Run:
    context = multiprocessing.get_context("spawn")
    answer: multiprocessing.Queue[Run] = context.Queue()
    process = context.Process(target=_timed, args=(task, log, small, path, folder, answer))
    process.start()
    result = answer.get()
    process.join()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=5, help="pairs, one after the other (default: 5)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="planner-benchmark-") as scratch:
        folder = Path(scratch) / "history"
        for log in LOGS:
            path, small = Path(scratch) / "log.parquet", Path(scratch) / "small.parquet"
            make(path, arguments.rows, log)
            make(small, 10_000, log)
            tasks = ("bare", "ingest")
            pairs = [tuple(measure(t, log, small, path, folder) for t in tasks) for _ in range(arguments.runs)]
            wall = median(after.wall_seconds / before.wall_seconds for before, after in pairs)
            cpu = median(after.cpu_seconds / before.cpu_seconds for before, after in pairs)
            base, ours = (min(pair[k].cpu_seconds for pair in pairs) for k in (0, 1))
            print(
                f"{arguments.rows:,} rows {log}: {wall:.2f} x the bare query's time, "
                f"{cpu:.2f} x its processor time (medians of {len(pairs)} pairs; at best {base:.2f} s and {ours:.2f} s "
                f"of processor), {pairs[0][1].rows:,} history rows, peak memory "
                f"{max(pair[1].peak_memory_gb for pair in pairs):.2f} GB"
            )
            path.unlink()


if __name__ == "__main__":
    main()
