"""The mail that asks at a new address leaves through a real server, and survives a crash."""

import re
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from campaigns import NEW_ADDRESS
from console.errors import Refused
from console.web.choices_page import words
from console.web.postman import Postman
from console.wiring import Workspace
from deliverability import read_token
from leads import AddressChange, Lead, ask_for_address, asked, parse_address, take_asking
from leads import address_key as key_of
from tests.templates.looking import ANNA, opened
from tests.templates.test_send_test import Server, folder, server  # noqa: F401

NEW = "anna.nowak@inna.example"


def ask(space: Workspace, *, language: str = "en") -> None:
    address = parse_address(NEW)
    now = space.now()

    def work(session: Session) -> None:
        lead = session.scalars(select(Lead).where(col(Lead.email) == ANNA)).one()
        key = key_of(address, space.keys.address)
        assert ask_for_address(
            session, lead, address, key, language=language, message_id=None, at=now, by="page"
        )

    space.database.write(work)


def change(space: Workspace) -> AddressChange:
    with space.database.reading() as session:
        return session.get_one(AddressChange, 1)


async def send(space: Workspace) -> list[str]:
    """Sends what waits; what was said about it."""
    said: list[str] = []
    await Postman(space, said.append).send_waiting()
    return said


@pytest.mark.parametrize("language", ["en", "pl"])
async def test_it_arrives_with_a_link_that_is_signed_for_this_change(
    folder: Path,  # noqa: F811
    server: Server,  # noqa: F811
    language: str,
) -> None:
    with closing(opened(folder)) as space:
        ask(space, language=language)
        assert await send(space) == []
        assert await send(space) == []
        assert [to for _, to, _ in server.taken] == [[NEW]]
        mail = server.mail()
        assert mail["Subject"] == words(language)["mail_subject"]
        text = mail.get_content()
        link = re.search(r"https://mail\.example\.com/a/(\S+)", text)
        assert link is not None
        ticket = read_token(tuple(reversed(space.keys.links)), NEW_ADDRESS, link[1])
        assert ticket is not None
        assert ticket.message_id == 1
        assert ANNA not in text
        assert "1 Your Street" in text
        assert change(space).due_at is None


async def test_a_server_that_says_later_is_tried_again_and_one_that_says_no_is_not(
    folder: Path,  # noqa: F811
    server: Server,  # noqa: F811
) -> None:
    with closing(opened(folder)) as space:
        ask(space)
        server.answer = "451 4.7.1 later"
        said = await send(space)
        assert "a mail that confirms a new address waits: " in said[0]
        waiting = change(space)
        assert waiting.due_at is not None
        assert waiting.due_at > space.now()
        later = space.now() + timedelta(minutes=2)
        again = space.database.write(lambda s: take_asking(s, now=later))
        assert again is not None, "whoever dies while sending leaves it to be sent"
        space.database.write(lambda s: asked(s, again.change_id, now=later, sent=False))
        assert change(space).due_at is None
        assert change(space).sent_at is None


async def test_without_anybody_to_send_it_waits_and_says_so(folder: Path) -> None:  # noqa: F811
    with closing(opened(folder)) as space:
        ask(space)
        object.__setattr__(space.settings, "identities", {})
        (said,) = await send(space)
        assert "waits" in said
        assert change(space).due_at is not None
        with pytest.raises(Refused):
            space.settings.sender("nobody")
