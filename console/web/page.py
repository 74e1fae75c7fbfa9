"""The pages for recipients of a workspace: opened before sending begins, served while it lasts."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import FastAPI

from console.web.app import create_app
from console.web.choices import Counter, add_choices
from console.web.postman import Postman
from console.web.serving import listening, serve
from console.web.signup import Gate, add_signup
from console.web.visitors import Visitors
from console.wiring import Workspace


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page that listens. Its socket is closed when `serve` ends."""

    app: FastAPI
    bound: socket.socket
    postman: Postman

    @property
    def address(self) -> str:
        """Where it listens: `127.0.0.1:8025`."""
        host, port = self.bound.getsockname()[:2]
        return f"{host}:{port}"

    async def serve(self, stop: asyncio.Event) -> None:
        """Answers until `stop` is set."""
        sending = asyncio.create_task(self.postman.work())
        try:
            await serve(self.app, self.bound, stop)
        finally:
            sending.cancel()
            await self.app.state.clicks.close()
            await self.app.state.opens.close()


def open_page(
    workspace: Workspace,
    *,
    listen: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Page | None:
    """Binds the page; None when the settings want none. Raises Refused when the port is taken.

    `say` hears of mails that cannot be sent for now.
    """
    where = workspace.settings.web.listen if listen is None else listen
    if not where:
        return None
    bound = listening(where)
    # The file has the newest key first, the signer wants it last.
    keys = tuple(reversed(workspace.keys.links))
    app = create_app(workspace.database, keys, workspace.now)
    postman = Postman(workspace, say)
    add_choices(
        app,
        Counter(
            database=workspace.database,
            keys=keys,
            address_key=workspace.keys.address,
            now=workspace.now,
            dice=workspace.random,
            zone=workspace.settings.time_zone,
            labels=workspace.settings.topics,
            on_asking=postman.call,
        ),
    )
    add_signup(app, _gate(workspace, keys, postman))
    return Page(app=app, bound=bound, postman=postman)


def _gate(workspace: Workspace, keys: tuple[bytes, ...], postman: Postman) -> Gate:
    settings = workspace.settings
    pipeline = next(iter(settings.pipelines.values()))
    return Gate(
        database=workspace.database,
        keys=keys,
        address_key=workspace.keys.address,
        now=workspace.now,
        dice=workspace.random,
        labels=settings.topics,
        open=settings.signup.open,
        identity=settings.signup.identity or next(iter(settings.identities), ""),
        senders={
            name: each.from_name or each.from_address for name, each in settings.identities.items()
        },
        place=(pipeline.name, pipeline.names[0]),
        visitors=Visitors(settings.signup.per_hour),
        on_asking=postman.call,
    )
