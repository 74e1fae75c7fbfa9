"""A mailbox is read to its end, whatever lies in it."""

from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import Session

from campaigns import Polled, answers, poll
from console.database import Database, Store
from deliverability import Arrived, MailboxCursor, Maildir
from tests.campaigns.answering import DESK, LATER, events, first, holds, inbox
from tests.campaigns.world import World, rows
from tests.deliverability.mails import complaint, reply, report

# --- polling


async def read_it(database: Database, box: Path, *, batch: int = 3) -> Polled:
    store = Store(database)
    try:
        return await poll(store, Maildir(box), DESK, now=LATER, batch=batch)
    finally:
        store.close()


async def test_a_mailbox_is_read_to_its_end_and_twice_brings_nothing(
    sent: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [row.rfc_message_id for row in rows(sent.database, sent.run_id)]
    mails = [reply(f"Yes {name}", to=name) for name in names]
    mails += [report(original=names[0]), b"garbage", complaint(original=names[1])]
    box = inbox(tmp_path, mails)
    polled = await read_it(sent.database, box)
    assert polled.new == 8
    assert polled.events == {"replied": 5, "bounced": 1, "complained": 1}
    assert polled.unmatched == 1
    again = await read_it(sent.database, box)
    assert (again.new, again.events) == (0, {})
    # Without its memory (a restored database row, another machine) nothing is doubled either.
    sent.database.write(lambda session: session.execute(update(MailboxCursor).values(position={})))
    assert (await read_it(sent.database, box)).events == {}
    assert len(events(sent.database, "replied")) == 5
    assert holds(sent)


async def test_a_mail_that_breaks_the_rules_does_not_stop_those_behind_it(
    sent: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = first(sent).rfc_message_id
    from campaigns import polling

    real = polling.take

    def breaks(session: Session, arrived: Arrived, *rest: object, **more: object) -> object:
        if arrived.raw == b"bad":
            raise ValueError("never seen")
        return real(session, arrived, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(polling, "take", breaks)
    polled = await read_it(sent.database, inbox(tmp_path, [b"bad", reply("Yes", to=name)]))
    assert polled.events == {"replied": 1}
    with sent.database.reading() as session:
        broken = [one for one in answers(session) if one.matched_by.startswith("not understood")]
    assert len(broken) == 1
    assert (await read_it(sent.database, tmp_path / "inbox")).new == 0
