"""The server of the page: loopback only, behind a random token that is part of every address.

Whoever opens another page in the same browser must not reach this one. So every request, also the one that opens the
websocket, must have the token in its path, must name this server as its host (a name that was pointed at 127.0.0.1
does not), and where it tells its origin that must be this server. The page may load and call nothing else.
"""

import asyncio
import hmac
import secrets
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from planner.errors import PlannerError

HOST = "127.0.0.1"
TOKEN_BYTES = 24

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class Address:
    """Where the page is."""

    port: int
    token: str

    @property
    def url(self) -> str:
        """Address to open, with the token."""
        return f"http://{HOST}:{self.port}{self.prefix}/"

    @property
    def prefix(self) -> str:
        """What every path begins with."""
        return f"/{self.token}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """What a browser may call this server."""
        return f"{HOST}:{self.port}", f"localhost:{self.port}"

    @property
    def origins(self) -> tuple[str, ...]:
        """Pages that may ask."""
        return tuple(f"http://{host}" for host in self.hosts)


def policy_of(address: Address) -> str:
    """Content security policy: everything from this server alone; Vue compiles templates, hence unsafe-eval."""
    sockets = " ".join(f"ws://{host}" for host in address.hosts)
    return (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data:; font-src 'self' data:; connect-src 'self' {sockets}; frame-ancestors 'none'; "
        "form-action 'self'; base-uri 'self'; object-src 'none'"
    )


@dataclass(frozen=True)
class Guard:
    """Lets through only requests that know the token and come from this page."""

    app: App
    address: Address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        if not self._is_ours(scope):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
                return
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"Open the address that planner explore printed.\n"})
            return

        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"content-security-policy", policy_of(self.address).encode()),
                    (b"referrer-policy", b"no-referrer"),
                    (b"x-content-type-options", b"nosniff"),
                    (b"cross-origin-resource-policy", b"same-origin"),
                ]
            await send(message)

        await self.app(scope, receive, with_policy)

    def _is_ours(self, scope: Scope) -> bool:
        named: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            named.setdefault(bytes(name).lower(), []).append(bytes(value))
        hosts, origins = named.get(b"host", []), named.get(b"origin", [])
        path = str(scope["path"]).split("/", 2)[1].encode() if str(scope["path"]).startswith("/") else b""
        return (
            hmac.compare_digest(path, self.address.token.encode())
            and len(hosts) == 1
            and hosts[0].decode("latin-1") in self.address.hosts
            and all(origin.decode("latin-1") in self.address.origins for origin in origins)
            and (scope["type"] == "http" or bool(origins))  # a browser always tells where a websocket comes from
        )


def bound(port: int) -> tuple[socket.socket, Address]:
    """Take a port of the loopback (0: any that is free), and make its token.

    Raises
    ------
    PlannerError : the port is taken.
    """
    own = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        own.bind((HOST, port))
    except OSError as error:
        own.close()
        raise PlannerError(f"cannot listen on {HOST}:{port} ({error.strerror}): choose another with --port") from None
    return own, Address(own.getsockname()[1], secrets.token_urlsafe(TOKEN_BYTES))


def serve(app: App, own: socket.socket, address: Address, ready: Callable[[], None]) -> None:
    """Serve until Ctrl-C; ``ready`` is called once the page can be opened."""
    import uvicorn

    config = uvicorn.Config(
        Guard(app, address), log_level="error", access_log=False, server_header=False, ws_max_size=2**20,
        timeout_graceful_shutdown=2, lifespan="on",
    )  # fmt: skip
    server = uvicorn.Server(config)

    async def run() -> None:
        serving = asyncio.create_task(server.serve(sockets=[own]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.02)
        if server.started:
            ready()
        await serving

    with suppress(KeyboardInterrupt):
        asyncio.run(run())
