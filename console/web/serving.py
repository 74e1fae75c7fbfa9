"""The web part at work, inside `potok run`: one socket, ended with the sender."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from console.errors import Refused


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: `potok run` has some, and decides when to end."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


#: What to do when the opt-out page finds its port taken.
_ANOTHER = (
    "end the program that does, or write another address at [web] listen in potok.toml "
    '("" switches the page off)'
)


def listening(listen: str, *, what: str = "The opt-out page", do: str = _ANOTHER) -> socket.socket:
    """A socket bound to `host:port`. Raises Refused when that cannot be had.

    Port 0 takes any free one.
    """
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    try:
        found = socket.getaddrinfo(
            host or "127.0.0.1", int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, protocol, _, address = found[0]
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
        except BaseException:
            bound.close()
            raise
    except (OSError, ValueError, OverflowError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise Refused(f"{what} cannot listen on {listen} ({why}): {do}") from error
    return bound


async def serve(app: FastAPI, bound: socket.socket, stop: asyncio.Event) -> None:
    """Answers requests on the socket until `stop` is set, then finishes those under way."""
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            # A small page for people: more at once is somebody trying.
            limit_concurrency=200,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=5,
        )
    )

    async def end() -> None:
        await stop.wait()
        server.should_exit = True

    ending = asyncio.create_task(end())
    try:
        await server.serve(sockets=[bound])
    finally:
        ending.cancel()
        bound.close()
