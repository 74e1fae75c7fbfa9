"""The opt-out page of a workspace: opened before sending begins, served while it lasts."""

import asyncio
import socket
from dataclasses import dataclass

from fastapi import FastAPI

from console.web.app import create_app
from console.web.serving import listening, serve
from console.wiring import Workspace


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page that listens. Its socket is closed when `serve` ends."""

    app: FastAPI
    bound: socket.socket

    @property
    def address(self) -> str:
        """Where it listens: `127.0.0.1:8025`."""
        host, port = self.bound.getsockname()[:2]
        return f"{host}:{port}"

    async def serve(self, stop: asyncio.Event) -> None:
        """Answers until `stop` is set."""
        try:
            await serve(self.app, self.bound, stop)
        finally:
            await self.app.state.clicks.close()


def open_page(workspace: Workspace, *, listen: str | None = None) -> Page | None:
    """Binds the page; None when the settings want none. Raises Refused when the port is taken."""
    where = workspace.settings.web.listen if listen is None else listen
    if not where:
        return None
    bound = listening(where)
    # The file has the newest key first, the signer wants it last.
    keys = tuple(reversed(workspace.keys.links))
    return Page(app=create_app(workspace.database, keys, workspace.now), bound=bound)
