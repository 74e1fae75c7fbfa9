"""A Maildir is read completely, in order, and left as it was."""

import asyncio
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deliverability import Batch, MailboxError, Maildir, fingerprint


@pytest.fixture
def box(tmp_path: Path) -> Path:
    path = tmp_path / "inbox"
    for part in ("tmp", "new", "cur"):
        (path / part).mkdir(parents=True)
    return path


def put(box: Path, name: str, text: str, *, part: str = "new", days_old: float = 0) -> Path:
    path = box / part / name
    (box / "tmp" / name).write_bytes(text.encode())
    (box / "tmp" / name).rename(path)
    if days_old:
        then = time.time() - days_old * 86400
        os.utime(path, (then, then))
    return path


async def read_all(reader: Maildir, position: object = None, limit: int = 50) -> list[Batch]:
    batches = []
    more = True
    while more:
        batch = await reader.read(position, now=datetime.now(UTC), limit=limit)  # type: ignore[arg-type]
        batches.append(batch)
        position, more = batch.position, batch.more
    return batches


def texts(batches: list[Batch]) -> list[str]:
    return [mail.raw.decode() for batch in batches for mail in batch.mails]


async def test_mails_come_once_in_order_from_new_and_cur(box: Path) -> None:
    put(box, "1.a.host", "one")
    await asyncio.sleep(0.02)
    put(box, "2.b.host:2,S", "two", part="cur")
    await asyncio.sleep(0.02)
    put(box, "3.c.host", "three")
    reader = Maildir(box)
    batches = await read_all(reader, limit=2)
    assert texts(batches) == ["one", "two", "three"]
    assert [len(batch.mails) for batch in batches] == [2, 1]
    assert batches[0].mails[0].sha256 == fingerprint(b"one")
    later = await read_all(reader, batches[-1].position)
    assert texts(later) == []
    put(box, "4.d.host", "four")
    assert texts(await read_all(reader, later[-1].position)) == ["four"]


async def test_nothing_in_the_mailbox_changes(box: Path) -> None:
    put(box, "1.a", "one")
    put(box, "2.b:2,", "two", part="cur")

    def picture() -> list[tuple[str, int, bytes]]:
        return [
            (str(p.relative_to(box)), p.stat().st_mtime_ns, p.read_bytes())
            for p in sorted(box.rglob("*"))
            if p.is_file()
        ]

    before = picture()
    await read_all(Maildir(box))
    assert picture() == before


async def test_the_first_reading_begins_a_week_ago(box: Path) -> None:
    put(box, "1.old", "old", days_old=8)
    put(box, "2.young", "young", days_old=6)
    assert texts(await read_all(Maildir(box))) == ["young"]


async def test_a_mail_that_a_laptop_fetched_late_is_not_missed(box: Path) -> None:
    """Synchronising programs set the time of arrival, which may lie before what was read."""
    reader = Maildir(box)
    put(box, "1.a", "one")
    first = await read_all(reader)
    put(box, "2.b", "late", days_old=3)
    assert texts(await read_all(reader, first[-1].position)) == ["late"]
    # Another process, knowing only the position, sees it too.
    assert "late" in texts(await read_all(Maildir(box), first[-1].position))


async def test_reading_elsewhere_and_flags_do_not_bring_a_mail_again(box: Path) -> None:
    reader = Maildir(box)
    path = put(box, "1.a.host", "one")
    position = (await read_all(reader))[-1].position
    path.rename(box / "cur" / "1.a.host:2,S")
    assert texts(await read_all(reader, position)) == []


async def test_what_was_given_but_not_kept_is_given_again(box: Path) -> None:
    """The position did not move: whoever asked could not write down what it was given."""
    put(box, "1.a", "one")
    reader = Maildir(box)
    assert texts([await reader.read(None, now=datetime.now(UTC), limit=9)]) == ["one"]
    assert texts([await reader.read(None, now=datetime.now(UTC), limit=9)]) == ["one"]


async def test_files_that_vanish_are_no_error(box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = put(box, "1.a", "one")
    put(box, "2.b", "two")
    reader = Maildir(box)
    files = reader._files

    def then_one_goes() -> object:
        found = files()
        gone.unlink(missing_ok=True)
        return found

    monkeypatch.setattr(reader, "_files", then_one_goes)
    assert texts(await read_all(reader)) == ["two"]


async def test_only_files_are_mails(box: Path) -> None:
    (box / "new" / "folder").mkdir()
    (box / "new" / ".hidden").write_text("x")
    (box / "new" / "link").symlink_to("/etc/passwd")
    os.mkfifo(box / "new" / "pipe")
    put(box, "1.a", "one")
    assert texts(await read_all(Maildir(box))) == ["one"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything: run as a user")
async def test_a_file_we_may_not_read_is_named_and_tried_again(box: Path) -> None:
    path = put(box, "1.a", "one")
    path.chmod(0)
    reader = Maildir(box)
    batch = await reader.read(None, now=datetime.now(UTC), limit=9)
    assert "1.a" in batch.unreadable[0]
    path.chmod(0o600)
    assert texts(await read_all(reader, batch.position)) == ["one"]


async def test_no_mailbox_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(MailboxError, match="does not exist"):
        await Maildir(tmp_path / "nowhere").read(None, now=datetime.now(UTC), limit=9)
    (tmp_path / "plain").mkdir()
    with pytest.raises(MailboxError, match="no folders new and cur"):
        await Maildir(tmp_path / "plain").read(None, now=datetime.now(UTC), limit=9)


async def test_a_clock_that_was_set_back_hides_no_mail(box: Path) -> None:
    put(box, "1.a", "one")
    ahead = {"begin": 0.0, "read_to": time.time() + 86400, "last": ""}
    assert texts(await read_all(Maildir(box), ahead)) == ["one"]


async def test_old_mail_does_not_stall_the_start(box: Path) -> None:
    for number in range(3000):
        put(box, f"{number}.old", "old", part="cur", days_old=30)
    put(box, "new.1", "one")
    reader = Maildir(box)
    began = time.perf_counter()
    batches = await read_all(reader)
    assert texts(batches) == ["one"]
    assert time.perf_counter() - began < 2.0


async def test_a_huge_mail_is_kept_in_part_and_known_by_all_of_it(box: Path) -> None:
    text = "Subject: x\n\n" + "y" * 12_000_000
    put(box, "1.a", text)
    (batch,) = await read_all(Maildir(box))
    assert len(batch.mails[0].raw) == 10_000_000
    assert batch.mails[0].sha256 == fingerprint(text.encode())
    assert batch.mails[0].at > datetime.now(UTC) - timedelta(minutes=5)
