"""A suppression belongs to the address, is lifted only by hand and with a reason."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlmodel import Session

from console.database import Database
from leads import (
    LeadError,
    Permission,
    count_suppressed,
    list_suppressed,
    mailable,
    suppress,
    suppress_all,
    suppression_of,
    unsuppress,
)
from leads.tables import Lead
from tests.conftest import NOW
from tests.leads.people import add, events, key_of

ANNA = "anna@firma.example"
LATER = NOW + timedelta(days=1)


def reachable(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Lead).where(mailable(Permission()))) or 0


def test_it_is_new_once_and_an_event_once(database: Database) -> None:
    with database.writing() as session:
        lead = add(session)
        assert suppress(session, key_of(ANNA), reason="manual", at=NOW, by="jan")
        assert not suppress(session, key_of(ANNA), reason="manual", at=LATER, by="jan")
        assert events(session, lead) == [("suppressed", {"reason": "manual", "before": None})]
        assert reachable(session) == 0


def test_a_stronger_reason_replaces_a_weaker_one_and_never_the_other_way(
    database: Database,
) -> None:
    with database.writing() as session:
        lead = add(session)
        suppress(session, key_of(ANNA), reason="imported", at=NOW, by="file")
        assert not suppress(session, key_of(ANNA), reason="opted_out", at=LATER, by="anna")
        assert not suppress(session, key_of(ANNA), reason="hard_bounce", at=LATER, by="server")
        assert [data for _, data in events(session, lead)] == [
            {"reason": "imported", "before": None},
            {"reason": "opted_out", "before": "imported"},
        ]
    with database.reading() as session:
        held = suppression_of(session, key_of(ANNA))
        assert held is not None
        assert (held.reason, held.at, held.by) == ("opted_out", LATER, "anna")


def test_lifting_wants_a_reason_and_leaves_a_trace(database: Database) -> None:
    with database.writing() as session:
        lead = add(session)
        suppress(session, key_of(ANNA), reason="manual", at=NOW, by="jan")
        with pytest.raises(LeadError, match="--why"):
            unsuppress(session, key_of(ANNA), at=LATER, by="jan", why=" ")
        assert unsuppress(session, key_of(ANNA), at=LATER, by="jan", why="asked by phone")
        assert not unsuppress(session, key_of(ANNA), at=LATER, by="jan", why="asked by phone")
        assert events(session, lead)[-1] == (
            "unsuppressed",
            {"why": "asked by phone", "reason": "manual"},
        )
        assert reachable(session) == 1


def test_letter_case_does_not_matter_and_plus_tags_do(database: Database) -> None:
    with database.writing() as session:
        add(session)
        suppress(session, key_of("ANNA@FIRMA.example"), reason="manual", at=NOW, by="jan")
        assert reachable(session) == 0
        add(session, "anna+news@firma.example")
        assert reachable(session) == 1


def test_many_at_once_count_only_the_new_and_tell_the_leads(database: Database) -> None:
    with database.writing() as session:
        lead = add(session)
        suppress(session, key_of("b@firma.example"), reason="opted_out", at=NOW, by="b")
        keys = [key_of(each) for each in (ANNA, "b@firma.example", "c@firma.example", ANNA)]
        for expected in (2, 0):
            done = suppress_all(session, keys, reason="imported", at=LATER, by="jan, list.csv")
            assert done == expected
        assert events(session, lead) == [("suppressed", {"reason": "imported", "before": None})]
        suppress_all(session, keys, reason="hard_bounce", at=LATER, by="server")
        assert events(session, lead)[1:] == [
            ("suppressed", {"reason": "hard_bounce", "before": "imported"})
        ]
        assert count_suppressed(session) == {"hard_bounce": 2, "opted_out": 1}
        newest = list_suppressed(session, most=2)
        assert {row.email for row in newest} == {ANNA, ""}
        [out] = list_suppressed(session, reason="opted_out", most=9)
        assert out.at == NOW
