"""Whoever asks by mail to get no more is obeyed, and nobody else."""

from dataclasses import replace

import pytest

from campaigns import UNSUBSCRIBE, opt_out
from deliverability import Ticket, make_token
from leads import Lead
from tests.campaigns.answering import LATER, LINKS, bring, events, first, holds, suppressed
from tests.campaigns.world import World
from tests.deliverability.mails import reply

# --- opting out by mail


def token_for(world: World) -> str:
    message = first(world)
    assert message.id is not None
    with world.database.reading() as session:
        lead = session.get_one(Lead, message.lead_id)
    return make_token(LINKS, UNSUBSCRIBE, lead.token, message.id)


def test_the_mailto_link_is_obeyed_from_any_address(sent: World) -> None:
    raw = reply("", to="", sender="x@private.example", subject=f"unsubscribe {token_for(sent)}")
    taken = bring(sent.database, raw, times=2)
    assert taken is not None and taken.event == "opted_out"
    (event,) = events(sent.database, "opted_out")
    assert (event.campaign, event.message_id, event.by) == ("hello", first(sent).id, "mail")
    assert suppressed(sent.database) == {"l1@d1.example": "opted_out"}
    assert holds(sent)


def test_a_forged_token_opens_nothing(sent: World) -> None:
    forged = token_for(sent)[:-3] + "xyz"
    raw = reply("", to="", sender="x@private.example", subject=f"unsubscribe {forged}")
    taken = bring(sent.database, raw)
    assert taken is not None and taken.event == ""
    assert suppressed(sent.database) == {}


@pytest.mark.parametrize("answers_ours", [True, False])
def test_a_lead_who_writes_unsubscribe_is_obeyed(sent: World, answers_ours: bool) -> None:
    raw = reply("Unsubscribe", to=first(sent).rfc_message_id if answers_ours else "")
    taken = bring(sent.database, raw)
    assert taken is not None and taken.event == "opted_out"
    assert suppressed(sent.database) == {"l1@d1.example": "opted_out"}


def test_a_stranger_who_writes_unsubscribe_removes_nobody(sent: World) -> None:
    bring(sent.database, reply("unsubscribe", to="", sender="stranger@else.example"))
    assert suppressed(sent.database) == {}


def test_pressing_the_link_twice_is_one_wish(sent: World) -> None:
    message = first(sent)
    with sent.database.reading() as session:
        token = session.get_one(Lead, message.lead_id).token
    ticket = Ticket(purpose=UNSUBSCRIBE, lead_token=token, message_id=message.id or 0)
    for _ in range(3):
        asked = sent.database.write(lambda s: opt_out(s, ticket, now=LATER, by="link"))
        assert asked is not None and asked.done
        assert asked.sender == "Anna Nowak"
    assert len(events(sent.database, "opted_out")) == 1
    # A ticket whose message is somebody else's keeps the wish and names no message.
    strange = replace(ticket, message_id=(message.id or 0) + 1)
    sent.database.write(lambda s: opt_out(s, strange, now=LATER, by="link"))
    assert len(events(sent.database, "opted_out")) == 1
