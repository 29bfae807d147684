"""A Prometheus server as a source: the counters that a format needs are asked for, and kept as files to be read.

Only ``/api/v1/label/__name__/values`` and ``/api/v1/query_range`` are used, hour by hour, a month a call.
"""

import base64
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from planner.errors import Fault, InputError
from planner.features.demand.engine import check_address, redact
from planner.features.demand.source_files import SourceFile, look_into
from planner.io.shown import redacted_answer

STEP_SECONDS, CALL_SECONDS, TIMEOUT_SECONDS = 3600, 30 * 86400, 120
DEFAULT_DAYS = 90


def is_server(source: str) -> bool:
    """Tell a server's address from a file or a database."""
    return source.startswith(("http://", "https://"))


def fetch(
    server: str, counters: Mapping[str, frozenset[str]], since: float, until: float, folder: Path
) -> tuple[str, list[SourceFile]]:
    """Ask for the counters of one format between two moments [s since 1970].

    Parameters
    ----------
    counters : format name -> names of its counters, without ``_total``.
    folder : where the answers are kept while they are read.

    Returns
    -------
    The format that the server has counters of, and the answers as files.
    """
    check_address(server)
    names = _ask(server, "label/__name__/values", {})
    there = {
        format: [name for name in names if name.removesuffix("_total") in wanted] for format, wanted in counters.items()
    }
    found = {format: mine for format, mine in there.items() if mine}
    if len(found) != 1:
        told = "has counters of " + " and ".join(found) if found else "has none of the counters that can be read"
        raise InputError([Fault(redact(server), f"{told}; name one format", allowed=", ".join(counters))])
    ((format, mine),) = found.items()
    files: list[SourceFile] = []
    for name in mine:
        for start, end in _spans(since, until):
            answer = _ask(server, "query_range", {"query": name, "start": start, "end": end, "step": STEP_SECONDS})
            if answer["result"]:
                path = folder / f"{len(files):05d}.json"
                path.write_text(json.dumps({"status": "success", "data": answer}), encoding="utf-8")
                files.append(look_into(path))
    if not files:
        raise InputError([Fault(redact(server), "has no samples of these counters in that time; try --since")])
    return format, files


def _spans(since: float, until: float) -> Iterator[tuple[float, float]]:
    start = since // STEP_SECONDS * STEP_SECONDS
    while start < until:
        end = min(start + CALL_SECONDS, until)
        yield start, end
        start += CALL_SECONDS


def _request(server: str, path: str, parameters: Mapping[str, Any]) -> urllib.request.Request:
    """Return the request of a page; the user and password of an address go into a header, and not on to other hosts."""
    parts = urllib.parse.urlsplit(server)
    login, at, host = parts.netloc.rpartition("@")
    bare = urllib.parse.urlunsplit(parts._replace(netloc=host)).rstrip("/")
    request = urllib.request.Request(f"{bare}/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
    if at:
        user, _, password = login.partition(":")
        plain = f"{urllib.parse.unquote(user)}:{urllib.parse.unquote(password)}".encode()
        request.add_unredirected_header("Authorization", f"Basic {base64.b64encode(plain).decode()}")
    return request


def _ask(server: str, path: str, parameters: Mapping[str, Any]) -> Any:
    try:
        with urllib.request.urlopen(_request(server, path, parameters), timeout=TIMEOUT_SECONDS) as response:
            answer = json.load(response)
    except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
        said = redacted_answer(str(error), server)
        raise InputError([Fault(redact(server), f"does not answer as Prometheus does: {said}")]) from None
    if not isinstance(answer, dict) or answer.get("status") != "success" or "data" not in answer:
        reason = answer.get("error") if isinstance(answer, dict) else answer
        raise InputError([Fault(redact(server), f"Prometheus refused: {redacted_answer(str(reason), server)}")])
    return answer["data"]
