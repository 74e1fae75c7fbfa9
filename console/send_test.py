"""Mails to oneself, handed to the identity's server like any other."""

import asyncio
from collections.abc import Sequence

from console.errors import Refused
from deliverability import Envelope, Identity, Outcome, Verdict, connect


def deliver(sender: Identity, envelopes: Sequence[Envelope]) -> list[str]:
    """The server's words for each mail, all over one connection.

    Raises Refused with its words at the first that it did not take, deliverability.ConnectError.
    """

    async def work() -> list[Outcome]:
        connection = await connect(sender.smtp, ehlo_name=sender.domain)
        outcomes = []
        try:
            for envelope in envelopes:
                outcomes.append(await connection.send(envelope))
                if outcomes[-1].verdict is not Verdict.ACCEPTED:
                    break
        finally:
            await connection.close()
        return outcomes

    outcomes = asyncio.run(work())
    if (last := outcomes[-1]).verdict is not Verdict.ACCEPTED:
        said = " ".join(str(each) for each in (last.code, last.reply) if each)
        to = envelopes[len(outcomes) - 1].recipient
        where = sender.smtp.host or "the folder"
        raise Refused(f"{where} did not take the mail to {to}: {said or last.cause}")
    return [each.reply for each in outcomes]
