"""Spark: the same expressions on a cluster, or on the cores of one machine.

=============================  =====================================================================================
``pyspark://``                 the session that is active, else a new one as ``spark-defaults.conf`` has it (local)
``pyspark://?key=value``       a new one with these settings, such as ``spark.sql.catalogImplementation=hive``
``pyspark:///path``            a new one with this ``spark.sql.warehouse.dir`` (as Ibis spells it)
``spark://host:7077``          a standalone master
``sc://host:15002``            Spark Connect: the server has the Java, none is needed here
=============================  =====================================================================================

What Spark's Java says while it starts and works goes to a file and not to the terminal; its end is shown where Spark
does not start.
"""

import importlib.util
import os
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qsl, urlsplit

from planner.errors import Fault, InputError, PlannerError

SCHEMES = ("pyspark", "spark", "sc")
QUIET = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}
DEFAULT_PORT = {"spark": 7077, "sc": 15002}
ANSWER_SECONDS = 10.0
TIME_ZONE = "spark.sql.session.timeZone"


def is_spark(url: str) -> bool:
    """Tell a URL of Spark from one of another engine."""
    return url.partition("://")[0] in SCHEMES


@contextmanager
def connected(url: str, place: str) -> Iterator[Any]:
    """Yield Ibis's engine on a Spark session; a session that was there before stays as it was.

    Parameters
    ----------
    url : one of the above.
    place : what a message calls it: the URL without its secrets.

    Raises
    ------
    PlannerError
        PySpark or Java is not installed.
    InputError
        Spark does not start, or the server does not answer.
    """
    if importlib.util.find_spec("pyspark") is None:
        raise PlannerError('this needs the package pyspark; in the folder of planner, run: pip install ".[spark]"')
    import ibis
    from pyspark.sql import SparkSession

    there = SparkSession.getActiveSession()
    try:
        served = urlsplit(url).scheme in DEFAULT_PORT
    except ValueError:
        raise InputError([Fault(place, "is no address", allowed="such as sc://HOST:15002")]) from None
    if served:
        _need_answer(url, place)
        if there is not None:
            raise InputError([Fault(place, "another Spark session is active here; use it (pyspark://), or stop it")])
    zone = "UTC" if there is None else str(there.conf.get(TIME_ZONE))
    default, had_default = Path("spark-warehouse"), Path("spark-warehouse").exists()
    interrupt = signal.getsignal(signal.SIGINT)
    session = there if there is not None else _started(url, place)
    engine = ibis.pyspark.connect(session)
    try:
        yield engine
    finally:
        if there is None:
            session.stop()
            if threading.current_thread() is threading.main_thread():  # Spark's own calls a context that is gone
                signal.signal(signal.SIGINT, interrupt)
            if not had_default:
                with suppress(OSError):  # Spark makes an empty one wherever it starts
                    default.rmdir()
        else:
            there.conf.set(TIME_ZONE, zone)


def _started(url: str, place: str) -> Any:
    """Start a session."""
    from pyspark.sql import SparkSession

    parts = urlsplit(url)
    builder = SparkSession.builder.appName("planner ingest")
    if parts.scheme == "sc":
        builder = builder.remote(url)
    else:
        _need_java(place)
        settings = {**QUIET, **dict(parse_qsl(parts.query))}
        if parts.path.strip("/"):
            settings["spark.sql.warehouse.dir"] = parts.path
        if parts.scheme == "spark":
            builder = builder.master(f"spark://{parts.netloc}")
        for key, value in settings.items():
            builder = builder.config(key, value)
    with tempfile.TemporaryFile() as log:
        try:
            with _errors_into(log):
                return builder.getOrCreate()
        except Exception as error:
            log.seek(0)
            said = [line for line in log.read().decode("utf-8", "replace").splitlines() if "WARN" not in line]
            reason = "; ".join(line.strip() for line in said[-20:] if line.startswith(("Error", "Exception", "java.")))
            raise InputError(
                [Fault(place, f"Spark does not start: {reason or str(error).strip().splitlines()[0]}")]
            ) from error


def _need_answer(url: str, place: str) -> None:
    """Refuse at once a server that Spark would go on calling for minutes."""
    parts = urlsplit(url)
    try:
        host, port = parts.hostname or "", parts.port or DEFAULT_PORT[parts.scheme]
    except ValueError:
        raise InputError([Fault(place, "the port is not a number", allowed="such as sc://HOST:15002")]) from None
    try:
        socket.create_connection((host, port), ANSWER_SECONDS).close()
    except OSError as error:
        raise InputError([Fault(place, f"cannot be reached: {host}:{port}: {error.strerror or error}")]) from error


def _need_java(place: str) -> None:
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=os.path.join(home, "bin") if home else None)
    if found is None:
        where = f"JAVA_HOME ({home}) has no bin/java" if home else "there is no java on this machine"
        raise InputError(
            [Fault(place, f"Spark runs on Java, and {where}", allowed="Java 17 or 21; or sc://HOST:15002")]
        )


@contextmanager
def _errors_into(log: IO[bytes]) -> Iterator[None]:
    """Send what processes that are started meanwhile write to standard error into a file, as long as they live."""
    kept = os.dup(2)
    os.dup2(log.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
