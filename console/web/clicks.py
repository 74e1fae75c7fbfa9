"""`GET /c/TOKEN`: on to the page a tracked link leads to, and the visit written down afterwards.

This GET writes. It may (RFC 9110 9.2.1): what it adds is a line about a request that was made, like
a server's log; no permission, preference or stage changes, whoever asks and however often. HEAD
answers the same and writes nothing.

People go on at once, whatever the database does: the token says where to. Visits wait in memory
until the database takes them.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import Protocol
from urllib.parse import quote, urlsplit, urlunsplit

from fastapi import FastAPI, Request, Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

from campaigns import note_click
from console.database import Database
from deliverability import FollowedLink, Visit, click_headers, read_click

#: Visits that wait while the database is busy; the oldest are forgotten beyond it.
MOST_WAITING = 10_000
#: Seconds between two tries.
PAUSE = 2.0
#: Seconds a visit waits for the others of its sweep: written one right after the other, the first
#: is hardly ever seen as a person's click, and no sequence begins with it.
HOLD = 3.0

_HEADERS = {
    # The token names the lead: the page behind the link must not see it.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
}


class Note(Protocol):
    """Writes one visit down: `campaigns.note_click` and its like."""

    def __call__(
        self, session: Session, link: FollowedLink, visit: Visit, *, now: datetime
    ) -> object: ...


class ClickBook:
    """Visits on their way into the database, one transaction each, in the order they came."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        *,
        note: Note = note_click,
        pause: float = PAUSE,
        hold: float = HOLD,
    ) -> None:
        self._database = database
        self._now = now
        self._note = note
        self._pause = pause
        self._hold = hold
        self._waiting: deque[tuple[FollowedLink, Visit]] = deque(maxlen=MOST_WAITING)
        # A thread of its own: while the database is locked the pages keep theirs.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="potok-clicks")
        self._writing: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    def note(self, link: FollowedLink, visit: Visit) -> None:
        """Takes a visit down and returns at once; `visit.at` says when it was.

        While one waits, the same once more says nothing new: who presses a link a thousand times
        costs one transaction.
        """
        same = (link, visit.agent)
        if any((kept, seen.agent) == same for kept, seen in islice(reversed(self._waiting), 100)):
            return
        self._waiting.append((link, visit))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())

    async def settled(self) -> None:
        """Until nothing waits."""
        while self._writing is not None and not self._writing.done():
            await self._writing

    async def close(self) -> None:
        """Writes what waits, once more without patience, and ends."""
        self._closing.set()
        await self.settled()
        self._thread.shutdown()

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            link, visit = self._waiting[0]
            await self._wait(self._hold - abs((self._now() - visit.at).total_seconds()))
            try:
                await loop.run_in_executor(self._thread, self._one, link, visit)
            except (DBAPIError, PoolTimeout):
                # Locked or away for now. What was taken down in the meantime may have pushed this
                # one out; the next round looks again.
                if self._closing.is_set():
                    return
                await self._wait(self._pause)
                continue
            except Exception as error:  # one that cannot be written keeps no other from it
                what = "a visit could not be written down"
                loop.call_exception_handler({"message": what, "exception": error})
            self._done(link, visit)

    async def _wait(self, seconds: float) -> None:
        """So long, or until everything is to end."""
        if seconds > 0 and not self._closing.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), seconds)

    def _one(self, link: FollowedLink, visit: Visit) -> None:
        self._database.write(lambda session: self._note(session, link, visit, now=self._now()))

    def _done(self, link: FollowedLink, visit: Visit) -> None:
        if self._waiting and self._waiting[0] == (link, visit):
            self._waiting.popleft()


def add_clicks(
    app: FastAPI,
    keys: Sequence[bytes],
    now: Callable[[], datetime],
    book: ClickBook,
    broken: Callable[[Request], Response],
) -> None:
    """Puts the address into the application. `broken` answers a token that we did not make."""

    @app.api_route("/c/{token}", methods=["GET", "HEAD"])
    async def follow(token: str, request: Request) -> Response:
        link = read_click(keys, token)
        if link is None:
            return broken(request)
        if request.method == "GET":
            book.note(link, visit_of(request.headers, link, now()))
        return Response(status_code=302, headers={**_HEADERS, "Location": location_of(link.target)})


def visit_of(headers: Mapping[str, str], link: FollowedLink, at: datetime) -> Visit:
    """What is looked at of a request. No address: nobody's whereabouts are kept or weighed."""
    return Visit(
        at=at,
        target=link.target,
        agent=headers.get("user-agent", ""),
        headers={name: headers[name] for name in click_headers() if name in headers},
        trap=link.trap,
    )


def location_of(target: str) -> str:
    """The target as a header field may hold it: ASCII, and one line (RFC 3986 2, RFC 5890)."""
    try:
        parts = urlsplit(target)
        if not parts.netloc.isascii():
            user, at, host = parts.netloc.rpartition("@")
            name, colon, port = host.partition(":")
            host = f"{user}{at}{name.encode('idna').decode()}{colon}{port}"
            target = urlunsplit(parts._replace(netloc=host))
    except (ValueError, UnicodeError):
        pass  # a browser will say what is wrong with it
    return quote(target, safe="%:/?#[]@!$&'()*+,;=~-._")
