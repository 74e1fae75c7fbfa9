"""What comes back moves the right message, once."""

import pytest
from sqlalchemy import func, select, update
from sqlmodel import col

from campaigns import Run, Taken, answers, latest_run, status_of
from console.database import Database
from deliverability import Inbound, InboundKind, Verdict
from tests.campaigns.answering import NOT_OURS, bring, events, first, holds, send_all, suppressed
from tests.campaigns.world import World, apply_campaign, rows, small_world, start
from tests.conftest import NOW
from tests.deliverability.mails import complaint, reply, report


def test_a_reply_is_on_the_timeline_once(sent: World) -> None:
    message = first(sent)
    taken = bring(sent.database, reply("Yes!", to=message.rfc_message_id), times=3)
    assert taken == Taken(
        kind=InboundKind.HUMAN, event="replied", lead_id=message.lead_id, matched_by="in_reply_to"
    )
    (event,) = events(sent.database, "replied")
    assert (event.lead_id, event.campaign, event.message_id) == (
        message.lead_id,
        "hello",
        message.id,
    )
    assert event.template == "hello"
    assert event.data["subject"] == "Re: A word, Ala1?"
    # Its Date lies before our mail left: nobody answers before that.
    assert event.at == NOW
    assert suppressed(sent.database) == {}
    assert holds(sent)


def _be(database: Database, world: World, state: str) -> None:
    database.write(
        lambda session: session.execute(
            update(Run).where(col(Run.id) == world.run_id).values(state=state)
        )
    )


def test_a_reply_stops_what_waits_for_that_lead_in_that_campaign_only(database: Database) -> None:
    world = small_world(database, 3)
    database.write(lambda session: apply_campaign(session, name="other"))
    other = start(database, name="other", token="fedcba987654")
    _be(database, world, "finished")
    again = start(database, token="aaaaaaaaaaaa", again=True)
    _be(database, world, "running")
    send_all(world, limit=1)
    message = first(world)
    bring(database, reply("Yes!", to=message.rfc_message_id))
    assert world.states() == {"accepted": 1, "planned": 2}
    assert other.states() == {"planned": 3}
    mine = [row for row in rows(database, again.run_id) if row.lead_id == message.lead_id]
    assert [(row.state, row.reason) for row in mine] == [("skipped", "replied")]
    assert holds(world) and holds(again)


def test_an_automatic_answer_stops_nothing(sent: World) -> None:
    taken = bring(
        sent.database,
        reply("Away", to=first(sent).rfc_message_id, subject="Automatic reply: A word"),
        times=2,
    )
    assert taken is not None and taken.event == "autoreplied"
    assert len(events(sent.database, "autoreplied")) == 1
    assert events(sent.database, "replied") == []


def test_a_hard_bounce_suppresses_the_address_it_names(sent: World) -> None:
    message = first(sent)
    taken = bring(sent.database, report(original=message.rfc_message_id), times=2)
    assert taken is not None and taken.event == "bounced"
    (event,) = events(sent.database, "bounced")
    assert event.data["hard"] is True
    assert event.data["cause"] == "address"
    assert event.data["status"] == "5.1.1"
    assert suppressed(sent.database) == {"l1@d1.example": "hard_bounce"}
    assert holds(sent)


def test_a_bounce_behind_a_forward_does_not_suppress_the_lead(sent: World) -> None:
    raw = report(original=first(sent).rfc_message_id, recipient="somebody@else.example")
    taken = bring(sent.database, raw)
    assert taken is not None and taken.event == "bounced"
    assert events(sent.database, "bounced")[0].data["names_the_lead"] is False
    assert suppressed(sent.database) == {}


def test_a_soft_bounce_is_told_and_suppresses_nobody(sent: World) -> None:
    raw = report(original=first(sent).rfc_message_id, status="5.2.2", said="smtp; mailbox full")
    bring(sent.database, raw)
    assert events(sent.database, "bounced")[0].data["hard"] is False
    assert suppressed(sent.database) == {}


def test_a_delay_is_written_down_and_no_more(sent: World) -> None:
    raw = report(original=first(sent).rfc_message_id, action="delayed", status="4.4.1", said="x")
    taken = bring(sent.database, raw)
    assert taken is not None and taken.event == ""
    assert events(sent.database, "bounced") == []


def test_a_complaint_suppresses(sent: World) -> None:
    bring(sent.database, complaint(original=first(sent).rfc_message_id), times=2)
    assert len(events(sent.database, "complained")) == 1
    assert suppressed(sent.database) == {"l1@d1.example": "complaint"}
    assert holds(sent)


def test_a_report_that_knows_only_the_relays_id_is_matched(sent: World) -> None:
    message = first(sent)
    assert message.relay_id is not None
    taken = bring(sent.database, report(original="", queue_id=message.relay_id))
    assert taken is not None
    assert (taken.lead_id, taken.matched_by) == (message.lead_id, "relay_id")


def test_our_message_id_is_found_wherever_it_stands(sent: World) -> None:
    raw = reply(f"I forward this:\n> Message-ID: <{first(sent).rfc_message_id.upper()}>", to="")
    taken = bring(sent.database, raw)
    assert taken is not None and taken.matched_by == "enclosed"


def test_sender_and_subject_are_a_guess_that_stops_and_never_suppresses(sent: World) -> None:
    taken = bring(sent.database, reply("Yes", to="", subject="Odp: A word, Ala1?"))
    assert taken is not None
    assert (taken.event, taken.matched_by) == ("replied", "sender and subject")
    unknown = bring(sent.database, reply("Yes", to="", subject="Something else"))
    assert unknown is not None and unknown.event == ""


def test_copies_of_our_own_mail_are_no_answers(sent: World) -> None:
    raw = reply("Hello", to=first(sent).rfc_message_id, sender="Anna Nowak <anna@sender.example>")
    taken = bring(sent.database, raw)
    assert taken is not None and taken.event == ""
    assert events(sent.database, "replied") == []


def test_mail_about_nothing_of_ours_is_kept_and_changes_nothing(sent: World) -> None:
    before = sent.states()
    for raw in (
        report(original=NOT_OURS),
        complaint(original=NOT_OURS),
        reply("Hi", to=NOT_OURS, sender="a@b.example"),
        b"\0\xff garbage",
    ):
        taken = bring(sent.database, raw, times=2)
        assert taken is not None and taken.event == ""
    assert sent.states() == before
    assert suppressed(sent.database) == {}
    with sent.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Inbound)) == 4
        assert len(answers(session)) == 4


# --- evidence settles doubt


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        ("reply", "replied"),
        ("autoreply", "autoreplied"),
        ("bounce", "bounced"),
        ("complaint", "complained"),
        ("wish", "opted_out"),
    ],
)
def test_whoever_answers_had_the_message(database: Database, kind: str, event: str) -> None:
    world = small_world(database, 2)
    send_all(world, verdict=Verdict.IN_DOUBT)
    assert world.states() == {"in_doubt": 2}
    name = first(world).rfc_message_id
    raw = {
        "reply": reply("Yes", to=name),
        "autoreply": reply("Away", to=name, subject="Automatic reply: x"),
        "bounce": report(original=name),
        "complaint": complaint(original=name),
        "wish": reply("unsubscribe", to=name),
    }[kind]
    taken = bring(database, raw, times=2)
    assert taken is not None and taken.event == event
    assert world.states() == {"accepted": 1, "in_doubt": 1}
    message = first(world)
    assert message.reason.startswith("settled by ")
    assert len(events(database, "sent")) == 1
    assert len(events(database, event)) == 1
    assert holds(world)


def test_a_guess_settles_no_doubt(database: Database) -> None:
    world = small_world(database, 1)
    send_all(world, verdict=Verdict.IN_DOUBT)
    bring(database, reply("Yes", to=""))
    assert world.states() == {"in_doubt": 1}


def test_status_counts_what_came_back(sent: World) -> None:
    names = [row.rfc_message_id for row in rows(sent.database, sent.run_id)]
    bring(sent.database, reply("Yes", to=names[0]))
    bring(sent.database, reply("And another thing", to=names[0]))
    bring(sent.database, report(original=names[1], recipient="l2@d2.example"))
    with sent.database.reading() as session:
        run = latest_run(session, "hello")
        assert run is not None
        counted = status_of(session, run).events
    assert (counted["replied"], counted["bounced"]) == (1, 1)
