"""Looking into the demo's mailbox while messages leave, and telling the view what came."""

import asyncio

from sqlalchemy import select
from sqlmodel import Session, col

from campaigns import Store
from console.answers import mailboxes, poll_all
from console.demo.tally import Tally
from console.wiring import Workspace
from deliverability import Inbound
from leads import Lead

#: Seconds between two looks.
EVERY = 0.3

#: Kind of mail -> kind of the event it writes.
EVENTS = {
    "human": "replied",
    "autoreply": "autoreplied",
    "bounce": "bounced",
    "unsubscribe": "opted_out",
}


class Inbox:
    """The workspace's mailboxes, read again and again with the reader that `potok run` uses."""

    def __init__(self, workspace: Workspace, store: Store, tally: Tally) -> None:
        self._workspace = workspace
        self._store = store
        self._tally = tally
        self._boxes = mailboxes(workspace)
        self._last = 0

    async def look(self) -> None:
        """Reads everything that is new."""
        came = await poll_all(self._store, self._boxes, self._workspace, say=self._tally.said)
        if any(each.new for each in came.values()):
            for number, kind, name, email in await self._store.read(self._since):
                self._last = number
                self._tally.answered(EVENTS.get(kind, kind), name=name or "", email=email or "")

    async def read_on(self, stop: asyncio.Event) -> None:
        """Looks again and again until `stop`."""
        while not stop.is_set():
            await self.look()
            try:
                await asyncio.wait_for(stop.wait(), EVERY)
            except TimeoutError:
                continue

    def _since(self, session: Session) -> list[tuple[int, str, str | None, str | None]]:
        rows = session.execute(
            select(col(Inbound.id), col(Inbound.kind), col(Lead.name), col(Lead.email))
            .outerjoin(Lead, col(Lead.id) == col(Inbound.lead_id))
            .where(col(Inbound.id) > self._last)
            .order_by(col(Inbound.id))
        )
        return [(number or 0, kind, name, email) for number, kind, name, email in rows]
