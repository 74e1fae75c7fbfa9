"""A lane's connections: opened when a message will need one, and never more than allowed."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from campaigns.delivery import Delivery
from campaigns.finish import refuse_identity
from campaigns.slots import Slots
from campaigns.worker_state import Shared
from deliverability import Cause, ConnectError, Connection, Outcome, Pacer, Phase, Verdict

Dial = Callable[[], Awaitable[Connection]]


class Connections:
    """Opens what is missing and allowed."""

    def __init__(
        self,
        shared: Shared,
        delivery: Delivery,
        *,
        lane_id: int,
        identity: str,
        dial: Dial,
        slots: Slots,
        most: int,
        pacer: Pacer | None,
        block: Callable[[datetime, str], None],
        on_trouble: Callable[[str], None],
    ) -> None:
        self._shared = shared
        self._delivery = delivery
        self._lane_id = lane_id
        self._identity = identity
        self._dial = dial
        self._slots = slots
        self._most = most
        self._pacer = pacer
        self._block = block
        self._on_trouble = on_trouble

    async def ready(self) -> bool:
        """Whether a message claimed now finds a connection.

        Paced, one free connection is enough. At full speed all that the limits allow are opened,
        since what is claimed waits in line for them.
        """
        if self._pacer is not None:
            return self._delivery.free > 0 or (self._may_open() and await self._open())
        while self._may_open():
            if not await self._open():
                break
        return bool(self._delivery.connections)

    def _may_open(self) -> bool:
        return len(self._delivery.connections) < self._most and self._slots.may_open(self._lane_id)

    async def _open(self) -> bool:
        await self._slots.take(self._lane_id)
        try:
            connection = await self._dial()
        except ConnectError as error:
            self._release()
            await self._not_let_in(error)
            if error.cause is Cause.AUTHENTICATION and not error.temporary:
                await self._refused(error.sentence)
            return False
        except BaseException:
            self._release()
            raise
        self._delivery.add(connection, self._release)
        return True

    def _release(self) -> None:
        self._slots.give(self._lane_id)

    async def _not_let_in(self, error: ConnectError) -> None:
        """A server that says "too fast" before it lets us in means the lane's pace."""
        now = self._shared.clock.now()
        if self._pacer is not None and error.cause is Cause.RATE:
            self._pacer.on_outcome(
                now,
                Outcome(
                    verdict=Verdict.DEFERRED,
                    phase=Phase.CONNECT,
                    cause=Cause.RATE,
                    code=error.code,
                    reply=str(error),
                ),
            )
            await self._delivery.keep_pace()
        if self._pacer is not None and self._pacer.paused(now):
            until, why = self._pacer.pause
            self._block(until or now, why)
        else:
            self._on_trouble(str(error))

    async def _refused(self, words: str) -> None:
        """The login is refused for good: more tries would lock the account."""
        now, identity = self._shared.clock.now(), self._identity
        await self._shared.store.write(
            lambda session: refuse_identity(session, identity, words, now=now)
        )
