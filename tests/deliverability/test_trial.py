"""Trying an identity: every step in words, and what to do about it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deliverability import (
    DkimKey,
    Identity,
    ImapServer,
    Mailbox,
    SmtpServer,
    Step,
    presets,
    try_identity,
)
from tests.deliverability.samples import ANNA, DATE
from tests.deliverability.scripted import Scripted


async def tried(identity: Identity, **changes: Any) -> dict[str, Step]:
    arguments: dict[str, Any] = {
        "to": "anna@example.com",
        "send": True,
        "now": DATE,
        "message_id": "test.1@example.com",
        "ehlo_name": "client.test",
    } | changes
    return {step.id: step async for step in try_identity(identity, **arguments)}


def maildir(path: Path, messages: int = 0) -> Mailbox:
    for name in ("cur", "new", "tmp"):
        (path / name).mkdir(parents=True)
    for i in range(messages):
        (path / "new" / str(i)).write_text("x")
    return Mailbox(maildir=path)


async def test_all_is_well(tmp_path: Path) -> None:
    async with Scripted() as server:
        identity = replace(ANNA, smtp=server.settings(), mailbox=maildir(tmp_path / "in", 2))
        steps = await tried(identity)
    assert [step.level for step in steps.values()] == ["ok", "ok", "ok"]
    assert list(steps) == ["connect", "send", "mailbox"]
    assert "on this machine" in steps["connect"].what
    assert "was accepted" in steps["send"].what
    assert "2 messages" in steps["mailbox"].what
    assert b"Test of the identity anna" in server.bodies[0]


async def test_without_sending_no_mail_leaves() -> None:
    async with Scripted() as server:
        steps = await tried(replace(ANNA, smtp=server.settings()), send=False)
    assert "send" not in steps
    assert not server.bodies
    assert steps["mailbox"].level == "warning"


@pytest.mark.parametrize(
    ("settings", "what", "do"),
    [
        ({"mail": "553 5.7.1 sender address rejected: not owned by user"}, "sender", "verify"),
        ({"rcpt": "550 5.1.1 no such user"}, "recipient anna@example.com", "--to"),
        ({"body": "554 5.7.1 spam message rejected"}, "was refused", "spam"),
        ({"rcpt": "450 4.2.0 greylisted"}, "recipient", "some minutes"),
        ({"body": "drop"}, "the line broke", "whether it came"),
        ({"rcpt": "drop"}, "the server closed", "try again"),
    ],
)
async def test_a_refused_mail_says_what_to_do(settings: Any, what: str, do: str) -> None:
    async with Scripted(**settings) as server:
        step = (await tried(replace(ANNA, smtp=server.settings())))["send"]
    assert step.level in ("error", "warning")
    assert what in step.what
    assert do in step.do


async def test_an_unreachable_server_leaves_the_mailbox_to_be_tried(tmp_path: Path) -> None:
    smtp = SmtpServer(host="127.0.0.1", port=1, tls="none", timeout=2)
    steps = await tried(replace(ANNA, smtp=smtp, mailbox=maildir(tmp_path / "in")))
    assert steps["connect"].level == "error"
    assert steps["connect"].do
    assert "send" not in steps
    assert steps["mailbox"].level == "ok"


async def test_no_maildir(tmp_path: Path) -> None:
    async with Scripted() as server:
        identity = replace(ANNA, smtp=server.settings(), mailbox=Mailbox(maildir=tmp_path / "no"))
        step = (await tried(identity, send=False))["mailbox"]
    assert step.level == "error"
    assert "is no Maildir" in step.what


async def test_a_key_that_cannot_be_read_is_a_step(tmp_path: Path) -> None:
    key = DkimKey(domain="example.com", selector="s", private_key=tmp_path / "absent.pem")
    async with Scripted() as server:
        steps = await tried(replace(ANNA, smtp=server.settings(), dkim=key))
    assert steps["sign"].level == "error"
    assert steps["send"].level == "error"
    assert not server.bodies


async def test_the_folder_transport(tmp_path: Path) -> None:
    steps = await tried(replace(ANNA, smtp=SmtpServer(outbox=tmp_path / "out")))
    assert steps["send"].level == "ok"
    assert len(list((tmp_path / "out").iterdir())) == 1


@asynccontextmanager
async def imap(*, login: str = "OK", examine: str = "OK") -> AsyncIterator[tuple[int, list[str]]]:
    """Just enough IMAP to log in and open a folder."""
    seen: list[str] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
        while line := await reader.readline():
            tag, _, rest = line.decode().rstrip().partition(" ")
            seen.append(rest)
            verb = rest.split()[0].upper()
            if verb == "CAPABILITY":
                writer.write(b"* CAPABILITY IMAP4rev1\r\n")
            if verb == "EXAMINE" and examine == "OK":
                writer.write(b"* 7 EXISTS\r\n")
            if verb == "LOGOUT":
                writer.write(b"* BYE\r\n")
            answer = {"LOGIN": login, "EXAMINE": examine}.get(verb, "OK")
            writer.write(f"{tag} {answer} done\r\n".encode())
            await writer.drain()
            if verb == "LOGOUT":
                break
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], seen
    finally:
        server.close()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("answers", "level", "words"),
    [
        ({}, "ok", "7 mails"),
        ({"login": "NO"}, "error", "does not accept the user 'anna'"),
        ({"examine": "NO"}, "error", "no folder 'INBOX'"),
    ],
)
async def test_the_imap_mailbox(answers: dict[str, str], level: str, words: str) -> None:
    async with imap(**answers) as (port, seen), Scripted() as server:
        box = ImapServer(host="127.0.0.1", port=port, tls="none", user="anna", password="x")
        identity = replace(ANNA, smtp=server.settings(), mailbox=Mailbox(imap=box))
        step = (await tried(identity, send=False))["mailbox"]
    assert step.level == level
    assert words in step.what
    assert not any(line.startswith("SELECT") for line in seen)


async def test_an_imap_server_that_is_not_there() -> None:
    box = ImapServer(host="127.0.0.1", port=1, tls="implicit", user="anna")
    async with Scripted() as server:
        identity = replace(ANNA, smtp=server.settings(), mailbox=Mailbox(imap=box))
        step = (await tried(identity, send=False))["mailbox"]
    assert step.level == "error"
    assert "cannot be reached" in step.what


def test_each_preset_can_be_used_as_it_stands() -> None:
    for preset in presets().values():
        assert preset.tls in ("starttls", "implicit") or preset.host == "127.0.0.1"
        assert 0 < preset.port < 65536
        assert preset.source and preset.note
