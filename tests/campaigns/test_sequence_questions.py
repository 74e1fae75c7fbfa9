"""What the template of a sequence's step asks about a segment is answered for each mail anew."""

from datetime import UTC, datetime
from email import message_from_bytes, policy

from sqlalchemy import select, update
from sqlmodel import Session, col

from campaigns import Message, show, verify
from campaigns.tables import Enrolment
from console.database import Database
from console.demo.process import ReceiverProcess
from leads import Lead
from segments import read_definition
from tests.campaigns.stroll import stroll
from tests.campaigns.test_worker import send
from tests.campaigns.world import ANNA

HOT = read_definition("hot", {"rule": "score > 5"}).body()
TEXT = """\
{% if lead in segment("hot") %}You are hot.{% else %}You are not.{% endif %}
{{ sender.postal_address }} {{ links.unsubscribe }}
"""
STEPS = [
    {"name": "hello", "send": "first"},
    {"name": "pause", "wait": "2 days"},
    {"name": "more", "send": "second"},
]


def told(session: Session) -> dict[tuple[int, str], str]:
    """(lead, step) -> the first line of the mail, shown again as it was sent."""
    found = {}
    for row in session.scalars(select(Message)):
        shown = show(session, str(row.id), identities={"anna": ANNA})
        assert shown is not None and shown.mail is not None
        mail = message_from_bytes(shown.mail, policy=policy.default)
        body = mail.get_body(("plain",))
        assert body is not None
        found[row.lead_id, row.step] = body.get_content().splitlines()[0]
    return found


def test_a_segment_is_asked_about_when_the_mail_leaves(
    database: Database, receiver: ReceiverProcess
) -> None:
    walk = stroll(database, leads=2, step=STEPS, text=TEXT, segments={"hot": HOT})
    one, two = walk.leads

    def heat(session: Session, lead_id: int) -> None:
        session.execute(update(Lead).values(score=0.0))
        session.execute(update(Lead).where(col(Lead.id) == lead_id).values(score=9.0))

    database.write(lambda s: heat(s, one))
    walk.now = datetime.now(UTC)
    walk.to("demo")
    send(database, receiver.port, patience=0.0)
    database.write(lambda s: heat(s, two))
    database.write(lambda s: s.execute(update(Enrolment).values(due_at=datetime.now(UTC))))
    send(database, receiver.port)
    # What became of the leads since then changes nothing about the mails they got.
    database.write(lambda s: heat(s, one))
    assert [state for state, _, _ in walk.stands()] == ["done", "done"]
    with database.reading() as session:
        assert told(session) == {
            (one, "hello"): "You are hot.",
            (two, "hello"): "You are not.",
            (one, "more"): "You are not.",
            (two, "more"): "You are hot.",
        }
        for run in walk.runs():
            assert verify(session, run.id or 0) == []
