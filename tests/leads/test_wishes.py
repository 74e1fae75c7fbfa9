"""What a lead chose itself is obeyed, kept with its evidence, and overwritten by nobody."""

from datetime import timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import Session, col

from console.database import Database
from leads import (
    PAUSE,
    AddressChange,
    BarredTopic,
    Choice,
    Evidence,
    FieldError,
    Lead,
    Permission,
    UnknownLead,
    Wish,
    barred_topics,
    choose,
    consents,
    erase,
    give_consent,
    mailable,
    merge,
    profile,
    set_fields,
    suppress,
    suppression_of,
    unwanted_topics,
    who_paused,
    who_withdrew,
    why_left_out_of,
    wish_of,
)
from tests.conftest import NOW
from tests.leads.people import add, events, key_of

ANNA, JAN = "anna@firma.example", "jan@firma.example"
LATER = NOW + timedelta(days=1)
PAGE = Evidence(source="preference page", text="en 3f2a9c41", campaign="hello", message_id=7)


def say(session: Session, lead: int, choice: Choice, *, at=NOW, by: str = "page") -> dict:  # type: ignore[no-untyped-def, type-arg]
    return choose(session, lead, choice, PAGE, at=at, by=by)


def reached(session: Session, topic: str) -> set[int]:
    """Who may be written to about it, asked in all three ways."""
    permission = Permission(topic=topic)
    one = set(session.scalars(select(col(Lead.id)).where(mailable(permission))))
    many = set(session.scalars(select(col(Lead.id)).where(why_left_out_of(permission).is_(None))))
    ranged = why_left_out_of(permission, 0, 1_000_000).is_(None)
    assert one == many == set(session.scalars(select(col(Lead.id)).where(ranged)))
    assert not one & set(session.scalars(who_withdrew(permission)))
    return {number for number in one if number is not None}


def test_a_topic_switched_off_bars_that_topic_alone(database: Database) -> None:
    with database.writing() as session:
        lead, other = add(session), add(session, JAN)
        told = say(session, lead, Choice(topics={"news": False, "prices": True}))
        assert told["topics"] == {"news": False}
        assert reached(session, "news") == {other}
        assert reached(session, "prices") == reached(session, "") == {lead, other}
        assert set(barred_topics(session, key_of(ANNA))) == {"news"}
        (held,) = consents(session, lead)
        assert (held.topic, held.state) == ("news", "withdrawn")
        assert held.source == "preference page, text en 3f2a9c41"
        kinds = [kind for kind, _ in events(session, lead)]
        assert kinds == ["consent", "chose"]
        _, data = events(session, lead)[-1]
        assert data == {
            "topics": {"news": False},
            "source": "preference page",
            "text": "en 3f2a9c41",
            "campaign": "hello",
            "message_id": 7,
        }


def test_switching_it_on_again_lifts_what_the_person_barred_and_no_suppression(
    database: Database,
) -> None:
    with database.writing() as session:
        lead = add(session)
        suppress(session, key_of(ANNA), reason="complaint", at=NOW, by="x")
        say(session, lead, Choice(topics={"news": False}))
        say(session, lead, Choice(topics={"news": True}), at=LATER)
        assert barred_topics(session, key_of(ANNA)) == {}
        assert [(c.topic, c.state, c.at) for c in consents(session, lead)] == [
            ("news", "given", LATER)
        ]
        held = suppression_of(session, key_of(ANNA))
        assert held is not None
        assert held.reason == "complaint"
        assert reached(session, "news") == set()


def test_a_yes_somebody_writes_down_does_not_lift_a_bar(database: Database) -> None:
    with database.writing() as session:
        lead = add(session)
        say(session, lead, Choice(topics={"news": False}))
        give_consent(session, lead, topic="news", source="a fair", at=LATER, by="jan")
        assert reached(session, "news") == set()
        assert unwanted_topics(session, session.get_one(Lead, lead)) == {"news"}


def test_saying_it_again_writes_nothing(database: Database) -> None:
    choice = Choice(topics={"news": False}, frequency="weekly", pause="begin", language="pl")
    with database.writing() as session:
        lead = add(session, language="en")
        assert say(session, lead, choice).keys() == {
            *("topics", "per_week", "paused_until", "language", "source", "text")
        }
        before = events(session, lead)
        assert say(session, lead, choice, at=LATER) == {}
        assert events(session, lead) == before
        wish = wish_of(session, lead)
        assert wish is not None
        assert (wish.per_week, wish.paused_until, wish.language) == (1, NOW + PAUSE, "pl")


def test_a_pause_ends_by_itself_and_can_begin_again(database: Database) -> None:
    with database.writing() as session:
        lead = add(session)
        say(session, lead, Choice(pause="begin"))
        assert session.scalars(who_paused(LATER)).all() == [lead]
        after = NOW + PAUSE + timedelta(seconds=1)
        assert session.scalars(who_paused(after)).all() == []
        assert say(session, lead, Choice(pause="end"), at=after) == {}
        told = say(session, lead, Choice(pause="begin"), at=after)
        assert told["paused_until"][0] is None
        assert say(session, lead, Choice(pause="end"), at=after)["paused_until"][1] is None
        assert session.scalars(who_paused(after)).all() == []


def test_nobody_changes_a_language_the_lead_chose(database: Database) -> None:
    with database.writing() as session:
        lead = add(session, language="en")
        say(session, lead, Choice(language="pl"))
        with pytest.raises(FieldError, match=r'chose the language "pl" itself on 2026-03-10'):
            set_fields(session, lead, {"language": "de"}, at=LATER, by="jan")
        assert set_fields(
            session, lead, {"company": "Kos", "language": "pl"}, at=LATER, by="jan"
        ), "the same language is no change"
        say(session, lead, Choice(language="de"), at=LATER)
        assert session.get_one(Lead, lead).language == "de"


def test_a_language_left_as_it_was_is_nobodys_choice(database: Database) -> None:
    with database.writing() as session:
        lead = add(session, language="en")
        assert say(session, lead, Choice(language="en")) == {}
        assert wish_of(session, lead) is None
        with pytest.raises(FieldError):
            say(session, lead, Choice(language="no such"))


def test_two_records_that_become_one_keep_the_stricter_wish(database: Database) -> None:
    with database.writing() as session:
        keep, other = add(session), add(session, JAN)
        say(session, keep, Choice(topics={"prices": False}))
        say(session, other, Choice(topics={"news": False}, frequency="weekly", pause="begin"))
        merge(session, keep, other, at=LATER, by="jan")
        assert set(barred_topics(session, key_of(ANNA))) == {"news", "prices"}
        assert reached(session, "news") == set()
        wish = wish_of(session, keep)
        assert wish is not None
        assert (wish.per_week, wish.paused_until) == (1, NOW + PAUSE)
        assert wish_of(session, other) is None
        assert ("topics", ["news"]) in events(session, keep)[-1][1].items()


def test_erasing_leaves_the_bar_of_the_address_and_nothing_else(database: Database) -> None:
    with database.writing() as session:
        lead = add(session)
        say(session, lead, Choice(topics={"news": False}, frequency="weekly", language="pl"))
        asked = {"asked_at": NOW, "expires_at": LATER, "language": "en"}
        session.add(
            AddressChange(lead_id=lead, email=JAN, address_key="k", domain="firma.example", **asked)
        )
        session.flush()
        erase(session, [lead], dice=Random(1), at=LATER, by="jan")
        for table in (Wish, AddressChange):
            assert session.scalars(select(table)).all() == []
        told = [data for _, data in events(session, lead)]
        assert [each.keys() - {"campaign", "message_id"} for each in told] == [set()] * len(told)
        again = add(session, ANNA, token="f" * 16)
        assert reached(session, "news") == set()
        assert reached(session, "prices") == {again}
        (held,) = session.scalars(select(BarredTopic)).all()
        assert ANNA not in repr(held)
        with pytest.raises(UnknownLead):
            say(session, lead, Choice(pause="begin"))


def test_all_that_is_known_of_a_lead_has_its_choices(database: Database) -> None:
    with database.writing() as session:
        lead = add(session)
        say(session, lead, Choice(topics={"news": False}, frequency="weekly"))
        known = profile(session, session.get_one(Lead, lead))
        assert known.wish is not None
        assert known.wish.per_week == 1
        assert known.barred_topics == {"news": NOW}


CHOICES = st.builds(
    Choice,
    topics=st.dictionaries(st.sampled_from(["news", "prices", ""]), st.booleans()),
    frequency=st.sampled_from(["", "any", "weekly"]),
    pause=st.sampled_from(["", "begin", "end"]),
    language=st.sampled_from(["", "pl", "en"]),
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(said=st.lists(CHOICES, max_size=6))
def test_the_last_word_counts_whatever_was_said_before(
    database: Database, said: list[Choice]
) -> None:
    topics: dict[str, bool] = {}
    limit: int | None = None
    paused = False
    language = "en"
    with database.writing() as session:
        lead = add(session, language="en")
        for choice in said:
            say(session, lead, choice)
            assert say(session, lead, choice) == {}
            topics |= choice.topics
            limit = {"": limit, "any": None, "weekly": 1}[choice.frequency]
            paused = {"": paused, "begin": True, "end": False}[choice.pause]
            language = choice.language or language
        for topic in ("news", "prices"):
            assert reached(session, topic) == ({lead} if topics.get(topic, True) else set())
        assert reached(session, "") == {lead}
        assert session.get_one(Lead, lead).language == language
        wish = wish_of(session, lead)
        assert (wish.per_week if wish else None) == limit
        assert bool(session.scalars(who_paused(NOW)).all()) == paused
        session.rollback()
