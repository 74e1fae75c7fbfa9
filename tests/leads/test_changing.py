"""Every change is made once, and is one event that says what was before."""

from datetime import timedelta

import pytest

from console.database import Database
from leads import (
    FieldError,
    Lead,
    Pipeline,
    Stage,
    StageError,
    add_note,
    consents,
    find_lead,
    forget_preference,
    give_consent,
    move_stage,
    prefer,
    profile,
    set_fields,
    stage_named,
    withdraw_consent,
)
from tests.conftest import NOW
from tests.leads.people import add, events, key_of, stated

LATER = NOW + timedelta(days=1)
SALES = Pipeline(name="sales", stages=(Stage(name="New"), Stage(name="demo")))
PARTNERS = Pipeline(name="partners", stages=(Stage(name="new"), Stage(name="signed")))


def test_fields_are_set_once_and_told_with_before_and_after(database: Database) -> None:
    with database.writing() as session:
        lead = add(session, company="Alt", tags=["old"])
        for expected in (True, False):
            changed = set_fields(
                session,
                lead,
                {"company": "  Nowak   i Wspólnicy ", "country": "Polska", "language": "pl-PL"},
                attributes={"Branża": "prawo"},
                add_tags=["vip"],
                remove_tags=["old"],
                at=LATER,
                by="jan",
            )
            assert changed is expected
    with database.reading() as session:
        row = session.get(Lead, lead)
        assert row is not None
        assert (row.company, row.country, row.language) == ("Nowak i Wspólnicy", "PL", "pl")
        assert (row.attributes, row.tags) == ({"branża": "prawo"}, ["vip"])
        assert row.updated_at == LATER
        [(kind, data)] = events(session, lead)
        assert kind == "changed"
        assert data["changed"] == {
            "company": ["Alt", "Nowak i Wspólnicy"],
            "country": ["", "PL"],
            "language": ["", "pl"],
            "attr.branża": [None, "prawo"],
            "tags": [["old"], ["vip"]],
        }


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("compny", "x", "company"),
        ("country", "Atlantis", "country"),
        ("language", "klingonisch", "language"),
        ("timezone", "Europe/Warszawa", "Europe/Warsaw"),
        ("company", "x" * 501, "501"),
    ],
)
def test_a_wrong_field_or_value_is_refused_with_what_to_write(
    database: Database, name: str, value: str, said: str
) -> None:
    with database.writing() as session:
        lead = add(session)
        with pytest.raises(FieldError, match=said):
            set_fields(session, lead, {name: value}, at=NOW, by="jan")
        assert events(session, lead) == []


def test_the_whole_name_follows_its_parts_unless_it_was_written_by_hand(database: Database) -> None:
    with database.writing() as session:
        followed = add(session, first_name="Anna", last_name="Nowak", name="Anna Nowak")
        own = add(session, "b@firma.example", first_name="Anna", last_name="Nowak", name="Dr. A.")
        for lead in (followed, own):
            set_fields(session, lead, {"last_name": "Kowalska"}, at=NOW, by="jan")
    with database.reading() as session:
        names = [session.get_one(Lead, lead).name for lead in (followed, own)]
    assert names == ["Anna Kowalska", "Dr. A."]


def test_preferences_are_replaced_added_and_forgotten(database: Database) -> None:
    with database.writing() as session:
        lead = add(session)
        assert prefer(session, lead, "topic", ["pricing", "demo"], at=NOW, by="jan")
        assert not prefer(session, lead, "topic", ["pricing"], at=NOW, by="jan")
        assert prefer(session, lead, "topic", ["news"], at=NOW, by="jan", replace=True)
        assert stated(session, lead, "topic") == ["news"]
        assert prefer(session, lead, "topic", ["pricing"], at=NOW, by="jan")
        assert stated(session, lead, "topic") == ["news", "pricing"]
        assert forget_preference(session, lead, "topic", ["news"], at=NOW, by="jan")
        assert not forget_preference(session, lead, "topic", ["news"], at=NOW, by="jan")
        assert stated(session, lead, "topic") == ["pricing"]
        assert [kind for kind, _ in events(session, lead)] == ["preference"] * 4


def test_a_preference_keeps_who_said_it_and_when_and_its_number(database: Database) -> None:
    with database.writing() as session:
        lead = add(session)
        prefer(session, lead, "budget", ["12000"], at=LATER, by="jan", said_by="assistant")
    with database.reading() as session:
        [row] = profile(session, session.get_one(Lead, lead)).preferences
        assert (row.name, row.value, row.number) == ("budget", "12000", 12000)
        assert (row.said_by, row.said_at) == ("assistant", LATER)


def test_a_stage_is_entered_once(database: Database) -> None:
    with database.writing() as session:
        lead = add(session)
        assert move_stage(session, lead, "sales", "demo", at=LATER, by="jan")
        assert not move_stage(session, lead, "sales", "demo", at=LATER, by="jan")
        assert move_stage(session, lead, "partners", "signed", at=LATER, by="jan")
        assert events(session, lead) == [
            ("stage", {"from": "new", "to": "demo"}),
            (
                "stage",
                {
                    "from": "demo",
                    "to": "signed",
                    "from_pipeline": "sales",
                    "to_pipeline": "partners",
                },
            ),
        ]
    with database.reading() as session:
        row = session.get_one(Lead, lead)
        assert (row.pipeline, row.stage, row.stage_at) == ("partners", "signed", LATER)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("demo", ("sales", "demo")),
        (" DEMO ", ("sales", "demo")),
        ("partners/NEW", ("partners", "new")),
        ("signed", ("partners", "signed")),
    ],
)
def test_stages_are_found_as_people_type_them(text: str, found: tuple[str, str]) -> None:
    assert stage_named(text, {"sales": SALES, "partners": PARTNERS}) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dmeo", 'did you mean "demo"'),
        ("new", "sales/New or partners/new"),
        ("sales/signed", "New, demo"),
        ("slaes/demo", 'did you mean "sales"'),
        ("xyz", "New, demo, new, signed"),
    ],
)
def test_an_unknown_or_unclear_stage_is_refused_with_the_nearest(text: str, said: str) -> None:
    with pytest.raises(StageError, match=said):
        stage_named(text, {"sales": SALES, "partners": PARTNERS})


def test_consent_is_given_and_withdrawn_per_topic(database: Database) -> None:
    with database.writing() as session:
        lead = add(session)
        assert give_consent(session, lead, topic="news", source="fair", at=NOW, by="jan")
        assert not give_consent(session, lead, topic="news", source="fair", at=LATER, by="jan")
        assert withdraw_consent(session, lead, topic="news", at=LATER, by="anna")
        assert not withdraw_consent(session, lead, topic="news", at=LATER, by="anna")
        [row] = consents(session, lead)
        assert (row.topic, row.state, row.at, row.by) == ("news", "withdrawn", LATER, "anna")
        assert [data["state"] for _, data in events(session, lead)] == ["given", "withdrawn"]


def test_a_note_is_kept_and_an_empty_one_refused(database: Database) -> None:
    with database.writing() as session:
        lead = add(session)
        add_note(session, lead, "  Called: after the holidays\n", at=NOW, by="jan")
        with pytest.raises(FieldError, match="empty"):
            add_note(session, lead, " \n", at=NOW, by="jan")
        assert events(session, lead) == [("note", {"text": "Called: after the holidays"})]


def test_a_merged_lead_is_found_as_the_one_it_became(database: Database) -> None:
    with database.writing() as session:
        kept = add(session)
        add(session, "old@firma.example", merged_into=kept)
        found = find_lead(session, key_of("OLD@firma.example"))
        assert found is not None
        assert found.id == kept
        assert find_lead(session, key_of("nobody@firma.example")) is None
