"""The engines that read and aggregate: DuckDB in this process, or the database in which the logs lie.

Both are reached through Ibis, so the aggregation is stated once (aggregate.py) and runs where the rows are: DuckDB for
files of any size, Postgres for LiteLLM's own database, and any warehouse or Spark that Ibis knows. DuckDB's own
connectors are the alternative; they download extensions at run time, which fails offline and in CI.
"""

import re
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from planner.errors import Fault, InputError, PlannerError
from planner.features.demand import spark
from planner.features.demand.source_files import SourceFile, fail
from planner.io.shown import redacted, redacted_answer
from planner.units import counted


@cache
def own_function(name: str, kinds: tuple[str, ...], returns: str) -> Any:
    """Return a function that the engine has and Ibis does not know, once: Ibis keeps all that it was told of."""
    import ibis

    bodies: dict[int, Callable[..., None]] = {1: lambda value: None, 2: lambda first, second: None}
    # Ibis counts the parameters; the engine has the body
    return ibis.udf.scalar.builtin(bodies[len(kinds)], name=name, signature=(kinds, returns))


_FILES = ("duckdb", "sqlite")  # schemes of files
ENGINE_ERRORS = ("duckdb", "psycopg", "sqlite", "pyspark", "py4j")
MEMORY_LIMIT = "1GB"  # of DuckDB's buffers; what does not fit goes to temporary files


def require(module: str) -> None:
    """Say which extra to install where an engine is absent."""
    import importlib.util

    if importlib.util.find_spec(module) is None:
        raise PlannerError(f'this needs the package {module}; in the folder of planner, run: pip install ".[demand]"')


@contextmanager
def embedded(time_zone: str = "UTC") -> Iterator[Any]:
    """Open an in-memory DuckDB that spills to a temporary folder; times without an offset are read in ``time_zone``."""
    require("duckdb")
    require("ibis")
    with tempfile.TemporaryDirectory(prefix="planner-") as spill, calm():
        import ibis

        engine = ibis.duckdb.connect(memory_limit=MEMORY_LIMIT, temp_directory=spill, preserve_insertion_order=False)
        try:
            engine.raw_sql(f"SET GLOBAL TimeZone = '{time_zone}'; SET TimeZone = '{time_zone}'")
            yield engine
        finally:
            engine.disconnect()


@contextmanager
def remote(url: str) -> Iterator[Any]:
    """Connect to a database by its URL, such as ``postgresql://user@host/litellm``, or to Spark (spark.py)."""
    require("ibis")
    check_address(url)
    with calm():
        import ibis

        if spark.is_spark(url):
            with spark.connected(url, redact(url)) as engine:
                yield engine
            return
        try:
            engine = _of_file(url) or ibis.connect(url)
        except InputError:
            raise
        except Exception as error:  # not its cause: a traceback would show the driver's words
            raise InputError([Fault(redact(url), f"cannot be reached: {_first_line(error, url)}")]) from None
        try:
            yield engine
        finally:
            engine.disconnect()


def _of_file(url: str) -> Any:
    """Open a DuckDB or SQLite file so that nothing can be written to it; None where the URL names no file.

    Raises
    ------
    InputError : there is no such file: it would be made.
    """
    found = re.match(r"(duckdb|sqlite)://([^?]+)", url, re.IGNORECASE)
    if found is None or found[2].startswith((":", "md:")):
        return None
    import ibis

    path = Path(found[2])
    if not path.is_file():
        raise InputError([Fault(redact(url), "there is no such file")])
    if found[1].lower() == "sqlite":
        engine = ibis.sqlite.connect(str(path))
        engine.raw_sql("PRAGMA query_only = ON")
        return engine
    engine = ibis.duckdb.connect()  # ours, in memory: views that we make are made here, and theirs are only read
    name = str(path).replace("'", "''")
    engine.raw_sql(f"ATTACH '{name}' AS source (READ_ONLY)")
    listed = "SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = 'source'"
    for schema, table in engine.raw_sql(listed).fetchall():
        there = ".".join('"' + part.replace('"', '""') + '"' for part in (schema, table))
        engine.raw_sql(f"CREATE SCHEMA IF NOT EXISTS {there.rsplit('.', 1)[0]}")
        engine.raw_sql(f"CREATE VIEW {there} AS SELECT * FROM source.{there}")
    return engine


@contextmanager
def calm() -> Iterator[None]:
    """Keep what the libraries say to each other (deprecations inside Ibis) from our users."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", UserWarning)
        yield


def is_url(argument: str) -> bool:
    """Tell a database URL from a path."""
    return re.match(r"^(jdbc:)?[a-z][a-z0-9+.-]*://", argument, re.IGNORECASE) is not None


def redact(url: str) -> str:
    """Hide the password or token of a URL: nothing secret reaches a message or a report."""
    return redacted(url)


def check_address(url: str) -> None:
    """Refuse an address of which two parsers could make two hosts: a / ? # in its password would cut it short.

    An @ after the first of these marks may end a password, or belong to a path or an option. It is taken for the latter
    only where no password can stand before it: in an option's value, after a host without a port.

    Raises
    ------
    InputError : a character must be percent-encoded.
    """
    scheme, _, rest = url.partition("://")
    if scheme.lower() in _FILES:  # no host is asked
        return
    place = re.split(r"[/?#]", rest, maxsplit=1)[0]
    later, login = rest[len(place) :], place.rpartition("@")[0]
    path, _, options = later.partition("?")
    plain = ":" not in place and "@" not in place and "@" not in path and "#" not in options
    plain &= all("=" in option.partition("@")[0] for option in options.split("&") if "@" in option)
    if re.search(r"[\[\]\s]", login) or ("@" in later and not plain):
        allowed = ", ".join(f"%{ord(mark):02X} for {mark}" for mark in "/?#[]@") + ", %20 for a space"
        message = "the user name or password, or what follows the host, has a character that must be percent-encoded"
        raise InputError([Fault(redact(url), message, allowed=allowed)])


def _first_line(error: Exception, url: str = "") -> str:
    noise = ("An error occurred while calling", "Original Line")  # of py4j; of DuckDB, a line as long as it likes
    lines = [line.strip(" :") for line in redacted_answer(str(error), url).splitlines()]
    told = [line for line in lines if line and not line.startswith(noise)]
    shown = told[: 2 if told and "CSV Error on Line" in told[0] else 1]  # the reason is on the next one
    return ": ".join(shown) or type(error).__name__


@contextmanager
def explained(place: str) -> Iterator[None]:
    """Turn an engine's error about the data into one of ours, which names the source."""
    try:
        yield
    except PlannerError:
        raise
    except Exception as error:
        origin = f"{type(error).__module__}.{type(error).__qualname__}"
        if "InterruptException" in origin or str(error) == "Query interrupted":  # DuckDB's words for Ctrl-C
            raise KeyboardInterrupt from error
        if "TableNotFound" in origin:
            raise InputError([Fault(place, "has no such table", value=_first_line(error))]) from error
        if any(name in origin for name in ENGINE_ERRORS):
            raise InputError([Fault(place, f"cannot be read: {_first_line(error)}")]) from error
        raise


def tabular(engine: Any, files: list[SourceFile], name: str = "export") -> Any:
    """Open tabular files of one kind as one lazy table; ``filename`` tells them apart where there are several.

    CSV is read as text: whatever a cell holds, its row is judged by our rules and not by a guessed type.
    """
    kinds = {file.kind for file in files}
    if len(kinds) > 1:
        raise fail(files[0].path, f"files of several kinds ({', '.join(sorted(kinds))}) cannot be one table")
    kind = kinds.pop()
    if kind == "text":
        raise fail(files[0].path, "is Prometheus text, no table", allowed="CSV, JSON lines, JSON or Parquet")
    if kind == "csv":  # one by one: DuckDB keeps rejected lines only of files that are not united by name
        options = "all_varchar = true, store_rejects = true, header = true, max_line_size = 8388608, filename = true"
        query = " UNION ALL BY NAME ".join(f"SELECT * FROM read_csv({_quoted(file)}, {options})" for file in files)
    else:
        reader = {"jsonl": "read_ndjson_auto", "json": "read_json_auto", "parquet": "read_parquet"}[kind]
        paths = ", ".join(_quoted(file) for file in files)
        apart = ", union_by_name = true, filename = true" if len(files) > 1 else ""
        query = f"SELECT * FROM {reader}([{paths}]{apart})"
    place = str(files[0].path) if len(files) == 1 else f"{files[0].path} and {len(files) - 1} more"
    with explained(place):
        engine.raw_sql(f"CREATE OR REPLACE VIEW {name} AS {query}")
        table = engine.table(name)
        if "filename" in table.columns and len(files) == 1:
            table = table.drop("filename")
        return table


def in_order(engine: Any, file: SourceFile) -> pd.DataFrame:
    """Read a tabular file whole, its rows in their order, so that a fault can name one.

    Raises
    ------
    InputError
        Lines of it cannot be read.
    """
    if engine.name == "duckdb":
        engine.raw_sql("SET preserve_insertion_order = true")
    frame: pd.DataFrame = tabular(engine, [file]).to_pandas()
    count, lines = rejected_lines(engine)
    if count:
        raise fail(file.path, f"has {counted(count, 'line')} without the header's columns", value=lines[0])
    return frame


def columns_of(engine: Any, file: SourceFile) -> list[str]:
    """Return the names of a tabular file's columns; of Parquet, from its footer alone."""
    if file.kind == "parquet":
        from pyarrow import ArrowException
        from pyarrow.parquet import read_schema

        with suppress(ArrowException, OSError):  # what it cannot read, DuckDB explains below
            return list(read_schema(file.path).names)
    return list(tabular(engine, [file], "sample").columns)


def settled(table: Any, name: str = "settled") -> Any:
    """Return an expression that several questions follow, as a view: DuckDB then plans each from the view's name.

    A database in which we are guests gets no views of ours.
    """
    engine = table.get_backend()
    if engine.name != "duckdb":
        return table
    from ibis.expr.operations import DatabaseTable

    name = f"planner_{name}"  # theirs may have the plain one
    engine.raw_sql(f"CREATE OR REPLACE VIEW {name} AS {engine.compile(table)}")
    # its columns are known: DuckDB need not be asked for them
    return DatabaseTable(name, table.schema(), engine).to_expr()


def tables_of(engine: Any) -> list[str]:
    """Name the tables of a database; of DuckDB by its own catalog, for Ibis asks it in a way that its newest lacks."""
    if engine.name != "duckdb":
        return list(engine.list_tables())
    query = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main' AND table_catalog = 'memory'"
    return [name for (name,) in engine.con.execute(query).fetchall()]


def fetched(expression: Any) -> pd.DataFrame:
    """Run an expression and return its rows."""
    frame: pd.DataFrame = expression.to_pyarrow().to_pandas()
    return frame


def fetched_together(questions: Iterable[tuple[str, Any]]) -> dict[str, pd.DataFrame]:
    """Run named expressions on one engine and return the rows of each.

    DuckDB answers them at the same time, and from when each is known: a later one may still be thought out.
    """
    answers: dict[str, pd.DataFrame] = {}
    running: dict[str, Future[pd.DataFrame]] = {}
    cursors: list[Any] = []

    def answer(cursor: Any, statement: str) -> pd.DataFrame:
        frame: pd.DataFrame = cursor.execute(statement).to_arrow_table().to_pandas()
        return frame

    with ThreadPoolExecutor() as pool:
        try:
            for name, expression in questions:
                engine = expression.get_backend()
                if engine.name == "duckdb":
                    cursors.append(engine.con.cursor())
                    running[name] = pool.submit(answer, cursors[-1], engine.compile(expression))
                else:
                    answers[name] = fetched(expression)
            return answers | {name: future.result() for name, future in running.items()}
        except BaseException:  # one failed, or the user stopped: the others need not end
            for cursor in cursors:
                cursor.interrupt()
            raise
        finally:
            pool.shutdown()
            for cursor in cursors:
                cursor.close()


def _quoted(file: SourceFile) -> str:
    """Return a file's name as DuckDB reads it: of this file alone, whatever patterns its name looks like."""
    name = re.sub(r"([*?\[])", r"[\1]", str(file.path))
    name = f"./{name}" if name.startswith("~") else name
    return "'" + name.replace("'", "''") + "'"


def rejected_lines(engine: Any) -> tuple[int, tuple[str, ...]]:
    """Count the CSV lines that could not be read, with a few of them."""
    try:
        rows = engine.raw_sql(
            "SELECT DISTINCT line, csv_line, error_type FROM reject_errors ORDER BY line LIMIT 1000000"
        ).fetchall()
    except Exception:  # the table exists only once something was rejected
        return 0, ()
    lines = {line: f"line {line}: {kind.lower()}: {text[:60]}" for line, text, kind in rows}
    return len(lines), tuple(list(lines.values())[:5])
