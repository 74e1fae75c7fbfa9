"""Mails that ask: at a new address, or whether we may write; sent while the page is served.

What is to be sent stands in the database, so a mail asked for just before a crash leaves after it;
at worst, when somebody pulls the plug between sending and writing that down, it arrives twice.
"""

import asyncio
from collections.abc import Callable

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from campaigns import CONFIRM, NEW_ADDRESS, identity_of
from console.errors import Refused, SettingsError
from console.settings import Settings
from console.web.choices_page import words
from console.web.signup_page import mail_texts
from console.wiring import Workspace
from deliverability import (
    DeliverabilityError,
    Envelope,
    Identity,
    Outcome,
    Verdict,
    compose,
    connect,
    make_token,
)
from leads import Asking, ConsentMail, asked, request_sent, take_asking, take_request

#: Seconds between two looks when nobody calls.
LOOK = 30.0


class Postman:
    """Sends what waits, one mail at a time."""

    def __init__(self, workspace: Workspace, say: Callable[[str], None]) -> None:
        self._workspace = workspace
        self._say = say
        self._called = asyncio.Event()

    def call(self) -> None:
        """There is a mail to send."""
        self._called.set()

    async def work(self) -> None:
        """Sends until it is cancelled."""
        while True:
            self._called.clear()
            await self.send_waiting()
            try:
                await asyncio.wait_for(self._called.wait(), LOOK)
            except TimeoutError:
                continue

    async def send_waiting(self) -> None:
        """Sends what is due now."""
        try:
            while await self._send_one() or await self._ask_one():
                pass
        except (DBAPIError, PoolTimeout):
            pass  # the database is busy or away; what waits stays there

    async def _send_one(self) -> bool:
        """Whether there was one."""
        workspace = self._workspace
        asking = await asyncio.to_thread(
            workspace.database.write, lambda session: take_asking(session, now=workspace.now())
        )
        if asking is None:
            return False
        try:
            sender = await asyncio.to_thread(self._sender, asking)
            outcome = await _hand_over(sender, asking_mail(workspace, sender, asking))
        except (Refused, SettingsError, DeliverabilityError, OSError) as error:
            self._say(f"a mail that confirms a new address waits: {error}")
            return True
        if outcome.verdict in (Verdict.ACCEPTED, Verdict.REJECTED):
            sent = outcome.verdict is Verdict.ACCEPTED
            await asyncio.to_thread(
                workspace.database.write,
                lambda s: asked(s, asking.change_id, now=workspace.now(), sent=sent),
            )
        else:
            self._say(f"a mail that confirms a new address waits: {outcome.reply or outcome.cause}")
        return True

    async def _ask_one(self) -> bool:
        """Whether there was one that asks whether we may write."""
        workspace = self._workspace
        mail = await asyncio.to_thread(
            workspace.database.write, lambda session: take_request(session, now=workspace.now())
        )
        if mail is None:
            return False
        try:
            sender = asking_identity(workspace.settings, mail.identity)
            outcome = await _hand_over(sender, consent_mail(workspace, sender, mail))
        except (Refused, SettingsError, DeliverabilityError, OSError) as error:
            self._say(f"a mail that asks to confirm waits: {error}")
            return True
        if outcome.verdict in (Verdict.ACCEPTED, Verdict.REJECTED):
            sent = outcome.verdict is Verdict.ACCEPTED
            await asyncio.to_thread(
                workspace.database.write,
                lambda s: request_sent(s, mail.request_id, now=workspace.now(), sent=sent),
            )
        else:
            self._say(f"a mail that asks to confirm waits: {outcome.reply or outcome.cause}")
        return True

    def _sender(self, asking: Asking) -> Identity:
        """Who sent the mail that led to the page, else whoever is there. Raises Refused."""
        workspace = self._workspace
        with workspace.database.reading() as session:
            name = identity_of(session, asking.message_id)
        known = workspace.settings.identities
        if name is None or name not in known:
            name = next(iter(known), "")
        return workspace.settings.sender(name)


def asking_mail(workspace: Workspace, sender: Identity, asking: Asking) -> Envelope:
    """The mail that asks at the new address. Raises DeliverabilityError."""
    text = words(asking.language)
    keys = tuple(reversed(workspace.keys.links))
    token = make_token(keys, NEW_ADDRESS, asking.lead_token, asking.change_id)
    name = workspace.random.getrandbits(64)
    return compose(
        sender,
        to_address=asking.email,
        to_name="",
        subject=text["mail_subject"],
        text=text["mail_text"]
        .strip()
        .format(
            sender=sender.from_name or sender.from_address,
            link=f"{workspace.settings.web.base_url.rstrip('/')}/a/{token}",
            postal_address=sender.postal_address,
        )
        + "\n",
        html=None,
        message_id=f"address.{name:016x}@{sender.domain}",
        date=workspace.now(),
        list_id=None,
    )


def asking_identity(settings: Settings, name: str) -> Identity:
    """Who asks to confirm: `name` when there is one, else `[signup] identity`, else the first.

    Raises Refused, SettingsError.
    """
    known = settings.identities
    wanted = name if name in known else settings.signup.identity or next(iter(known), "")
    return settings.sender(wanted)


def consent_mail(workspace: Workspace, sender: Identity, mail: ConsentMail) -> Envelope:
    """The mail that asks whether we may write. Raises DeliverabilityError."""
    settings = workspace.settings
    keys = tuple(reversed(workspace.keys.links))
    token = make_token(keys, CONFIRM, mail.lead_token, mail.request_id)
    subject, text = mail_texts(
        mail.language,
        sender.from_name or sender.from_address,
        mail.topics,
        settings.topics,
        link=f"{settings.web.base_url.rstrip('/')}/y/{token}",
        postal_address=sender.postal_address,
    )
    return compose(
        sender,
        to_address=mail.email,
        to_name="",
        subject=subject,
        text=text,
        html=None,
        message_id=f"consent.{workspace.random.getrandbits(64):016x}@{sender.domain}",
        date=workspace.now(),
        list_id=None,
    )


async def _hand_over(sender: Identity, envelope: Envelope) -> Outcome:
    connection = await connect(sender.smtp, ehlo_name=sender.domain)
    try:
        return await connection.send(envelope)
    finally:
        await connection.close()
