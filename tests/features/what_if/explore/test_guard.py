"""Who may talk to the page: only whoever knows its address, from the page itself."""

import asyncio
import socket
from typing import Any

import pytest

from planner.errors import PlannerError
from planner.features.what_if.explore.server import HOST, Address, Guard, bound, policy_of

ADDRESS = Address(8600, "secret-token")
HERE = [(b"host", b"127.0.0.1:8600")]


async def _hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


def asked(path: str, headers: list[tuple[bytes, bytes]], kind: str = "http") -> list[Any]:
    """What the guard sends to a request."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    asyncio.run(Guard(_hello, ADDRESS)({"type": kind, "path": path, "headers": headers}, receive, send))
    return sent


def passes(path: str, headers: list[tuple[bytes, bytes]], kind: str = "http") -> bool:
    return bool(asked(path, headers, kind)[0].get("status") == 200)


def test_the_address_that_was_printed_passes() -> None:
    assert passes("/secret-token/", HERE)
    assert passes("/secret-token/_nicegui/x.js", [(b"host", b"localhost:8600")])
    assert passes("/secret-token/", [*HERE, (b"origin", b"http://127.0.0.1:8600")])


@pytest.mark.parametrize("path", ["/", "", "/secret", "/secret-token2/", "/x/secret-token/", "//secret-token/"])
def test_without_the_token_nothing_passes(path: str) -> None:
    assert asked(path, HERE)[0]["status"] == 403


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"host", b"evil.example:8600")],  # a name that was pointed at 127.0.0.1
        [(b"host", b"127.0.0.1:8601")],
        [*HERE, (b"host", b"evil.example")],
        [*HERE, (b"origin", b"http://evil.example")],
        [*HERE, (b"origin", b"null")],
        [*HERE, (b"origin", b"http://127.0.0.1:8601")],
    ],
)
def test_other_hosts_and_origins_do_not_pass(headers: list[tuple[bytes, bytes]]) -> None:
    assert asked("/secret-token/", headers)[0]["status"] == 403
    assert asked("/secret-token/_nicegui_ws/socket.io", headers, "websocket")[0] == {
        "type": "websocket.close",
        "code": 1008,
    }


def test_a_websocket_tells_where_it_comes_from() -> None:
    path = "/secret-token/_nicegui_ws/socket.io/"
    assert not passes(path, HERE, "websocket")
    assert passes(path, [*HERE, (b"origin", b"http://127.0.0.1:8600")], "websocket")


def test_the_page_may_load_nothing_from_elsewhere() -> None:
    headers = dict(asked("/secret-token/", HERE)[0]["headers"])
    assert headers[b"content-security-policy"] == policy_of(ADDRESS).encode()
    assert headers[b"referrer-policy"] == b"no-referrer"  # the token is in the address
    assert "default-src 'self'" in policy_of(ADDRESS)


def test_a_port_that_is_taken_is_said(tmp_path: object) -> None:
    own, address = bound(0)
    with own:
        assert own.getsockname() == (HOST, address.port)
        assert len(address.token) >= 32
        own.listen()
        with pytest.raises(PlannerError, match="--port"):
            bound(address.port)
    other, again = bound(0)
    with other:
        assert isinstance(other, socket.socket)
        assert again.token != address.token
