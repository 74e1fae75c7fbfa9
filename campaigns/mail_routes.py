"""DNS asked beside the sender: who takes the mail of the domains that messages wait for.

A walk over planned messages finds domains nobody asked about, or whose answer is old; a few are
asked at a time; what is learnt decides the lane. Whatever DNS does, it takes nothing from sending:
no claim waits for an answer, and an answer that does not come changes nothing.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from campaigns.moving import lanes_to_walk, move_planned, waiting_domains
from campaigns.store import Clock, Store
from deliverability import MailRoute, Resolver, Route, is_special, mail_route, note_route

#: Domains asked side by side, and written down in one transaction.
_TOGETHER = 10
#: Seconds between two walks, and between two pages of one.
_EVERY, _REST = 60.0, 0.05
#: How long one domain with mail servers proves that DNS can be believed when it denies others.
_PROVES = timedelta(hours=1)


@dataclass(kw_only=True)
class LookedUp:
    """What one walk found out."""

    asked: int = 0
    #: Domains whose mail goes nowhere.
    closed: int = 0
    moved: int = 0
    #: DNS answered for none of several: the walk was broken off.
    silent: bool = False
    #: Domains that belong to another provider than was thought.
    providers: dict[str, str] = field(default_factory=dict)


class RouteLookups:
    """Looks MX records up for as long as it works."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        resolver: Resolver,
        *,
        identities: frozenset[str],
        provider_of: Callable[[tuple[str, ...]], str],
        per_second: float,
        special: bool,
        say: Callable[[str], None],
    ) -> None:
        """`identities` are those whose messages count; `special` asks about names that public DNS
        does not hold, for a DNS of one's own; `per_second` bounds the domains asked about."""
        self._store = store
        self._clock = clock
        self._resolver = resolver
        self._identities = identities
        self._provider_of = provider_of
        self._gap = 1.0 / per_second
        self._special = special
        self._say = say
        self._proved_at: datetime | None = None

    async def work(self) -> None:
        """Walks again and again until it is cancelled."""
        silent = 0
        while True:
            began = self._clock.now()
            found = await self.walk()
            silent = silent + 1 if found.silent else 0
            self._tell(found, first_silent=silent == 1)
            # Of its time it rests nine parts, so a long queue is no load on the database.
            took = (self._clock.now() - began).total_seconds()
            rest = _EVERY * min(2**silent, 10) if silent else max(_EVERY, 9 * min(took, 60.0))
            await self._clock.sleep(rest)

    def _tell(self, found: LookedUp, *, first_silent: bool) -> None:
        if found.silent and first_silent:
            self._say("DNS does not answer; who takes the mail is asked again later")
        if found.moved or found.closed:
            told = f"DNS was asked about {_many(found.asked, 'domain')}"
            if found.moved:
                told += f"; {_many(found.moved, 'message')} moved to the provider's own lane"
            if found.closed:
                told += f"; no mail is taken at {found.closed}, so nothing is sent there"
            self._say(told)

    async def walk(self) -> LookedUp:
        """Once over all that waits."""
        found = LookedUp()
        read = self._store.read
        for run_id, lane_id in await read(lambda session: lanes_to_walk(session, self._identities)):
            after: tuple[datetime, int] | None = None
            while True:
                now = self._clock.now()
                page = await read(
                    partial(waiting_domains, run_id=run_id, lane_id=lane_id, after=after, now=now)
                )
                for name in page.misplaced:
                    found.moved += await self._move(name)
                if not await self._ask(page.to_ask, found):
                    return found
                after = page.last
                if after is None:
                    break
                await self._clock.sleep(_REST)
        return found

    async def _ask(self, names: Sequence[str], found: LookedUp) -> bool:
        """Whether it is worth going on."""
        wanted = [name for name in names if self._special or not is_special(name)]
        for start in range(0, len(wanted), _TOGETHER):
            some = wanted[start : start + _TOGETHER]
            routes = await asyncio.gather(
                *(self._route(name, number) for number, name in enumerate(some))
            )
            believed = self._believed(routes)
            work = partial(self._note, named=list(zip(some, believed, strict=True)))
            changed = await self._store.write(work)
            found.asked += len(some)
            found.closed += sum(each.route.closed for each in believed)
            found.providers |= changed
            for name in changed:
                found.moved += await self._move(name)
            if len(some) > 1 and all(each.route is Route.UNKNOWN for each in routes):
                found.silent = True
                return False
        return True

    async def _route(self, name: str, number: int) -> MailRoute:
        await self._clock.sleep(number * self._gap)
        return await mail_route(self._resolver, name)

    def _believed(self, routes: Sequence[MailRoute]) -> list[MailRoute]:
        """A "does not exist" counts only where DNS knows somebody: in a hotel it knows nobody, and
        says so with a straight face."""
        now = self._clock.now()
        if any(each.route in (Route.MX, Route.NULL_MX) for each in routes):
            self._proved_at = now
        if self._proved_at is not None and now - self._proved_at < _PROVES:
            return list(routes)
        doubtful = MailRoute(route=Route.UNKNOWN)
        return [doubtful if each.route is Route.NOTHING else each for each in routes]

    def _note(self, session: Session, named: Sequence[tuple[str, MailRoute]]) -> dict[str, str]:
        """Domain -> provider of those that changed it."""
        now = self._clock.now()
        changed = {}
        for name, route in named:
            provider = note_route(session, name, route, provider_of=self._provider_of, now=now)
            if provider is not None:
                changed[name] = provider
        return changed

    async def _move(self, domain: str) -> int:
        moved, after = 0, 0
        while True:
            some, more = await self._store.write(partial(move_planned, domain=domain, after=after))
            moved += some
            if more is None:
                return moved
            after = more


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
