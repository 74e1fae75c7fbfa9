"""What goes on beside the sender in `potok run`: mailboxes are read, the opt-out page is served,
DNS is asked who takes the mail."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from campaigns import Store
from console.answers import mailboxes, poll_all
from console.dns import route_lookups
from console.web import open_page
from console.wiring import Workspace

#: Seconds between two looks into the mailboxes.
POLL_SECONDS = 30.0


@asynccontextmanager
async def attending(
    workspace: Workspace,
    store: Store,
    *,
    say: Callable[[str], None],
    every: float = POLL_SECONDS,
) -> AsyncIterator[None]:
    """Mailboxes are read once before the block, so that a reply stops its lead's next message,
    and again every `every` seconds during it; the page answers and DNS is asked until it ends.

    Raises Refused when the page's address is taken.
    """
    stop = asyncio.Event()
    boxes = mailboxes(workspace)
    page = open_page(workspace, say=say)
    if boxes:
        await poll_all(store, boxes, workspace, say=say)

    async def read_on() -> None:
        while not stop.is_set():
            try:
                await asyncio.wait_for(stop.wait(), every)
            except TimeoutError:
                for identity, came in (await poll_all(store, boxes, workspace, say=say)).items():
                    if came.events:
                        told = ", ".join(f"{n} {kind}" for kind, n in came.events.items())
                        say(f"answers to {identity}: {told}")

    tasks: list[asyncio.Task[None]] = []
    if boxes:
        tasks.append(asyncio.create_task(read_on()))
    if page is not None:
        say(f"the opt-out page listens on http://{page.address}/")
        tasks.append(asyncio.create_task(page.serve(stop)))
    lookups = route_lookups(workspace, store, say=say)
    beside = [asyncio.create_task(lookups)] if lookups is not None else []
    try:
        yield
    finally:
        stop.set()
        for task in beside:
            task.cancel()
        await asyncio.gather(*tasks)
        await asyncio.gather(*beside, return_exceptions=True)
