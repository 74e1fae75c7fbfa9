"""Several templates in one campaign: who gets which, and which was better."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, update
from sqlmodel import Session, col

from campaigns import Message, read_definition, variant_results, verify
from campaigns.definition import of_body
from campaigns.errors import DefinitionError, NotPossible
from campaigns.tables import Campaign
from campaigns.verdict import needed
from console.database import Database
from leads import Event, freeze
from segments import place_of
from templates import TemplateVersion, compile_template
from tests.campaigns.world import (
    MESSAGE,
    TEXT,
    add_leads,
    apply_campaign,
    prepared,
    rows,
    start,
    the_run,
)
from tests.conftest import NOW

BASE = {"segment": "hello", "template": "hello", "identity": "anna"}


def _apply(session: Session, *, topic: str = "news", **more: object) -> None:
    apply_campaign(session)
    message = MESSAGE.replace('topic = "news"', f'topic = "{topic}"')
    files = {"message.toml": message.encode(), "body.txt": f"Short. {TEXT}".encode()}
    freeze(session, TemplateVersion, "short", compile_template("short", files).body(), now=NOW)
    definition = read_definition("hello", BASE | {"variant": [{"template": "short"}]} | more)
    freeze(session, Campaign, "hello", definition.body(), now=NOW)


def test_each_lead_gets_the_variant_its_draw_says(database: Database) -> None:
    database.write(lambda s: add_leads(s, 500))
    database.write(lambda s: _apply(s, variant=[{"template": "short", "share": 0.25}]))
    world = start(database, size=120)
    first, short = (each[0] for each in the_run(database, world.run_id).terms["variants"])
    for row in rows(database, world.run_id):
        place = place_of((row.lead_id * 48271) % 2147483647, "variants/hello")
        assert row.template_version_id == (first if place < 7500 else short)
    shares = Counter(row.template_version_id for row in rows(database, world.run_id))
    assert 90 < shares[short] < 160
    with database.reading() as session:
        assert verify(session, world.run_id) == []


def test_held_out_and_variants_are_drawn_apart(database: Database) -> None:
    database.write(lambda s: add_leads(s, 1000))
    database.write(lambda s: _apply(s, holdout=0.2))
    world = start(database)
    held = Counter(
        row.template_version_id for row in rows(database, world.run_id) if row.reason == "held_out"
    )
    assert min(held.values()) > 60


def test_a_definition_comes_back_from_its_frozen_form() -> None:
    data = BASE | {
        "variant": [{"template": "b", "share": 0.2}, {"template": "c"}],
        "goal": {"what": "won", "usual": 0.1, "detect": 0.05, "after": "2 days"},
    }
    found = read_definition("x", data)
    assert of_body("x", found.body()) == found
    assert [each.places for each in found.variants] == [4000, 2000, 4000]
    assert found.templates == ("hello", "b", "c")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"variant": {"template": "b"}}, "write [[variant]]"),
        (
            {"variant": [{"templat": "b"}]},
            "[[variant]] knows template, identity, hour, name and share",
        ),
        ({"variant": [{"share": 0.5}]}, "two variants are the same (hello)"),
        ({"variant": [{"template": "hello"}]}, "two variants are the same (hello)"),
        ({"variant": [{"template": 5}]}, "template = 5 in a [[variant]]; write template"),
        ({"variant": [{"identity": "anna"}]}, "two variants are the same"),
        ({"variant": [{"hour": "9"}]}, 'write hour = "09:00"'),
        ({"variant": [{"hour": "24:00"}]}, 'write hour = "00:00"'),
        ({"hour": "09:00"}, "hour tells one [[variant]] from another"),
        ({"variant": [{"template": "b", "name": "B 1"}]}, "'B 1' cannot name a variant"),
        ({"variant": [{"template": "b", "name": "hello"}]}, "two variants are called 'hello'"),
        ({"goal": {"test": 0.2}}, "there is no [[variant]]"),
        ({"variant": [{"template": "b"}], "goal": {"test": 2}}, "test = 2 is no share"),
        (
            {"variant": [{"template": "b"}], "goal": {"otherwise": "last"}},
            'otherwise is "first" or "wait"',
        ),
        ({"variant": [{"template": "b", "share": 2}]}, "share = 2 is no share"),
        ({"variant": [{"template": "b", "share": 0.99999}]}, "nothing for the first"),
        ({"variant": [{"template": f"t{n}"} for n in range(6)]}, "6 variants are the most"),
        ({"goal": "replied"}, "goal is a table"),
        ({"goal": {"wht": "replied"}}, "unknown key 'wht' in [goal]; did you mean 'what'?"),
        ({"goal": {"usual": 0}}, "usual = 0 is no share"),
        ({"goal": {"usual": 0.6, "detect": 0.5}}, "together below 1"),
        ({"goal": {"after": "soon"}}, "is no length of time"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(more: dict[str, object], said: str) -> None:
    with pytest.raises(DefinitionError) as error:
        read_definition("x", BASE | more)
    assert str(error.value).startswith("campaigns/x.toml: ")
    assert said in str(error.value)


def test_variants_are_about_one_topic(database: Database) -> None:
    database.write(lambda s: _apply(s, topic="offers"))
    with database.reading() as session, pytest.raises(NotPossible, match="different topics"):
        prepared(session)


GOAL = {"usual": 0.3, "detect": 0.4, "after": "2 days"}
PLAN = needed(0.3, 0.4)


def _world(database: Database, *, what: str = "replied") -> tuple[int, dict[str, list[Message]]]:
    """Sent to everybody, one message a minute; the messages by template, in order."""
    database.write(lambda s: add_leads(s, 4 * PLAN))
    database.write(lambda s: _apply(s, goal=GOAL | {"what": what}))
    world = start(database)

    def send(session: Session) -> None:
        for number, row in enumerate(rows(database, world.run_id)):
            session.execute(
                update(Message)
                .where(col(Message.id) == row.id)
                .values(state="accepted", settled_at=NOW + timedelta(minutes=number))
            )

    database.write(send)
    first, _ = (each[0] for each in the_run(database, world.run_id).terms["variants"])
    by_template: dict[str, list[Message]] = {"hello": [], "short": []}
    for row in rows(database, world.run_id):
        by_template["hello" if row.template_version_id == first else "short"].append(row)
    assert min(map(len, by_template.values())) >= PLAN
    return world.run_id, by_template


def _reply(database: Database, messages: list[Message], at: datetime, kind: str) -> None:
    def work(session: Session) -> None:
        session.execute(
            insert(Event),
            [
                {
                    "lead_id": message.lead_id,
                    "message_id": message.id if kind == "replied" else None,
                    "campaign": "hello",
                    "at": at,
                    "kind": kind,
                    "data": {"from": "demo", "to": "won"},
                    "by": "test",
                }
                for message in messages
            ],
        )

    database.write(work)


@pytest.mark.parametrize("what", ["replied", "won"])
def test_the_better_one_is_found_once_its_leads_had_their_time(
    database: Database, what: str
) -> None:
    run_id, sent = _world(database, what=what)
    kind = "replied" if what == "replied" else "stage"
    _reply(database, sent["short"][: PLAN - 1], NOW + timedelta(days=1), kind)
    # None of these count: too late, and not among the first of its variant.
    _reply(database, sent["hello"][: PLAN - 1], NOW + timedelta(days=9), kind)
    _reply(database, sent["hello"][PLAN:], NOW + timedelta(days=1), kind)

    def look(days: int):  # type: ignore[no-untyped-def]
        with database.reading() as session:
            run = the_run(database, run_id)
            return variant_results(session, run, now=NOW + timedelta(days=days))

    early = look(1)
    assert early.verdict.state == "early"
    assert "have time until" in early.verdict.why
    for days in (4, 30):
        found = look(days)
        assert (found.verdict.state, found.verdict.winner) == ("won", "short")
        assert [(each.judged.leads, each.judged.reached) for each in found.variants] == [
            (PLAN, 0),
            (PLAN, PLAN - 1),
        ]


def test_too_few_leads_are_never_decided(database: Database) -> None:
    database.write(lambda s: add_leads(s, 10))
    database.write(lambda s: _apply(s, goal=GOAL))
    world = start(database)
    with database.reading() as session:
        found = variant_results(
            session, the_run(database, world.run_id), now=NOW + timedelta(days=90)
        )
    assert found is not None
    assert found.verdict.state == "early"
    assert f"0 of the {PLAN} leads planned for each" in found.verdict.why


def test_one_template_has_nothing_to_be_compared_with(database: Database) -> None:
    database.write(lambda s: add_leads(s, 3))
    database.write(lambda s: apply_campaign(s))
    world = start(database)
    with database.reading() as session:
        assert variant_results(session, the_run(database, world.run_id), now=NOW) is None
