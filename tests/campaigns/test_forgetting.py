"""What comes back after somebody was erased is not kept either."""

from random import Random

from sqlalchemy import select
from sqlmodel import Session, col

from campaigns import forget
from console.database import Database
from deliverability import Inbound
from leads import erase
from tests.campaigns.answering import bring, events, first, holds, send_all
from tests.campaigns.world import small_world
from tests.conftest import NOW
from tests.deliverability.mails import reply


def test_a_late_answer_of_an_erased_lead_leaves_only_its_hash(database: Database) -> None:
    world = small_world(database, 2)
    send_all(world)
    message = first(world)

    def gone(session: Session) -> None:
        forget(session, [message.lead_id], now=NOW, by="ewa")
        erase(session, [message.lead_id], dice=Random(7), at=NOW, by="ewa")

    database.write(gone)
    bring(database, reply("It is Ala here", to=message.rfc_message_id), times=2)
    with database.reading() as session:
        (row,) = session.scalars(select(Inbound).order_by(col(Inbound.id)))
    assert (row.from_address, row.subject, bytes(row.raw), row.lead_id) == ("", "", b"", None)
    assert len(row.sha256) == 64
    assert list(events(database, "replied")) == []
    assert holds(world)
