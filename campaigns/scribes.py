"""Messages written by other processes while this one claims, talks to servers and keeps the books.

Rendering, composing and signing are CPU alone and half of what a message costs, and one Python
process computes on one core. Worth it at full speed only: a paced worker writes its own.
"""

import asyncio
import pickle
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace

from campaigns.queue import Claimed
from campaigns.writing import Office, Written, write_message
from deliverability import EnvelopeError, SigningError, SmtpServer
from templates import Compiled, RenderError

#: Messages handed over at a time: what a journey between processes costs is shared by them.
PAGE = 10
#: Pages that may wait at the scribes'; what goes beyond is written here meanwhile.
AHEAD = 4
#: A claim of fewer messages does not come from a worker at full speed.
WORTH_IT = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Unwritten:
    """A message that could not be written, and why."""

    why: str
    #: Our key is at fault, not this lead.
    ours: bool


def write_or_say(claimed: Claimed, compiled: Compiled, office: Office) -> Written | Unwritten:
    """The message; or why there is none."""
    try:
        return write_message(claimed, compiled, office)
    except (RenderError, EnvelopeError) as error:
        return Unwritten(why=str(error), ours=False)
    except SigningError as error:
        return Unwritten(why=str(error), ours=True)


#: What comes of a page's message; None when this process has to write it after all.
Draft = asyncio.Future[Written | Unwritten | None]


class Scribes:
    """Begins the writing of claimed messages elsewhere, as far as somebody there has time.

    `start` makes the processes; it is called when the first large claim comes, and messages are
    written here until they have begun. When they end unasked, everything is written here again.
    """

    def __init__(self, start: Callable[[], Executor]) -> None:
        self._start = start
        self._pool: Executor | None = None
        #: Done when the processes have begun; None before they are started.
        self.starting: asyncio.Future[None] | None = None
        self._ready = False
        self._waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(
        self, batch: Sequence[Claimed], compiled: Compiled, office: Office
    ) -> dict[int, Draft]:
        """{message id: what will come of it} for those that are written elsewhere."""
        drafts: dict[int, Draft] = {}
        if len(batch) < WORTH_IT or not self._open():
            return drafts
        loop = asyncio.get_running_loop()
        for start in range(0, len(batch), PAGE):
            if self._waiting >= AHEAD:
                break
            page = batch[start : start + PAGE]
            its = [loop.create_future() for _ in page]
            drafts |= {each.message_id: draft for each, draft in zip(page, its, strict=True)}
            self._waiting += 1
            task = loop.create_task(self._page(page, its, compiled, office))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return drafts

    def close(self) -> None:
        """Ends the processes. What they were writing is not waited for."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool, self._ready = None, False

    def _open(self) -> bool:
        if self._pool is None and self.starting is None:
            self.starting = asyncio.get_running_loop().create_future()
            try:
                self._pool = self._start()
            except (OSError, RuntimeError):
                return False  # no memory or no right to start one: this process writes
            self.starting = asyncio.wrap_future(self._pool.submit(_begin))
            self.starting.add_done_callback(self._begun)
        return self._ready

    def _begun(self, done: asyncio.Future[None]) -> None:
        self._ready = not done.cancelled() and done.exception() is None

    async def _page(
        self, page: Sequence[Claimed], drafts: Sequence[Draft], compiled: Compiled, office: Office
    ) -> None:
        made: Sequence[Written | Unwritten | None] = [None] * len(page)
        try:
            made = await self._written(page, compiled, office)
        except (BrokenProcessPool, RuntimeError, pickle.PicklingError):
            self._ready = False
        finally:
            self._waiting -= 1
            for draft, one in zip(drafts, made, strict=True):
                if not draft.done():
                    draft.set_result(one)

    async def _written(
        self, page: Sequence[Claimed], compiled: Compiled, office: Office
    ) -> Sequence[Written | Unwritten]:
        loop, pool = asyncio.get_running_loop(), self._pool
        key = (page[0].template_version_id, office.identity_version_id)
        done = await loop.run_in_executor(pool, _write, key, None, page)
        if done is None:
            introduced = pickle.dumps((compiled, _bare(office)))
            done = await loop.run_in_executor(pool, _write, key, introduced, page)
        assert done is not None  # noqa: S101 - it was told what it asked for
        return done


def _bare(office: Office) -> Office:
    """The office without its passwords: who only writes needs none."""
    identity = replace(office.identity, smtp=SmtpServer(), mailbox=None)
    return replace(office, identity=identity)


# What runs in the other processes.

#: Template and office by their versions, as they were introduced.
_known: dict[tuple[int, int], tuple[Compiled, Office]] = {}


def _begin() -> None:
    """Answers when the process has imported everything."""


def _write(
    key: tuple[int, int], introduced: bytes | None, page: Sequence[Claimed]
) -> list[Written | Unwritten] | None:
    """The page's messages; None when template and office of this key were never introduced."""
    if introduced is not None:
        _known[key] = pickle.loads(introduced)  # noqa: S301 - our own process wrote it
    if key not in _known:
        return None
    compiled, office = _known[key]
    return [write_or_say(each, compiled, office) for each in page]
