"""The pace before a real server on a real line, which answers 451 4.7.0 above a rate of its own.

Only the lane's clock runs faster (`console/demo/lapse.py`), or its first pause would take longer
than the whole test.
"""

import asyncio
import time
from datetime import UTC, datetime

from benchmarks.hidden_limit import LeakyBucket
from console.demo.lapse import HurriedPacer
from deliverability import Cause, PaceSettings, Verdict, connect
from tests.deliverability.samples import mail
from tests.deliverability.scripted import Scripted

#: Messages per second, of the real clock.
HIDDEN = 60.0


async def test_a_lane_slows_down_to_what_a_real_server_takes() -> None:
    bucket, began = LeakyBucket(lambda _: HIDDEN, burst=5), time.monotonic()

    def rcpt(_message: int) -> str:
        fits = bucket.takes(time.monotonic() - began)
        return "250 ok" if fits else "451 4.7.0 Your rate limit is reached, slow down"

    start = datetime.now(UTC)
    # Begins at 120 a second of the real clock.
    pacer = HurriedPacer(
        PaceSettings(per_minute=120, at_most_per_minute=120, jitter=0.1), seed="x", since=start
    )
    outcomes = []
    async with Scripted(rcpt=rcpt) as server:
        connection = await connect(server.settings(), ehlo_name="client.test")
        for number in range(60):
            now = datetime.now(UTC)
            await asyncio.sleep((pacer.next_slot(now) - now).total_seconds())
            pacer.took(datetime.now(UTC), key=str(number))
            outcome = await connection.send(mail())
            pacer.on_outcome(datetime.now(UTC), outcome)
            outcomes.append((outcome.verdict, outcome.cause))
        await connection.close()
    refused = [cause for verdict, cause in outcomes if verdict is Verdict.DEFERRED]
    assert refused and set(refused) == {Cause.RATE}
    # One refusal an episode: it never hammers on a closed door.
    assert len(refused) <= 4
    assert pacer.rate < 120
    assert len(server.bodies) == len(outcomes) - len(refused)
