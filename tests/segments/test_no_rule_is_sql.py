"""Whatever stands in a rule reaches the database as a value, never as a part of the statement."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from console.database import Database
from leads import Lead
from segments import parse, where

ZONE = ZoneInfo("Europe/Warsaw")

#: Each is tried in every place; the word tells it apart from the statement's own text.
EVIL = [
    "x'; DROP TABLE lead; -- zonk",
    "zonk' OR '1'='1",
    "zonk') UNION SELECT address_key FROM suppression --",
    "%zonk%:lead_id ? %s {0} $1 /*",
    "zonk`[lead].id::text",
    "Łzonk'\u2019\u02bc",
]

PLACES = [
    'company = "{}"',
    'company != "{}"',
    'domain = "{}"',
    'company in ("{}", a)',
    'company contains "{}"',
    'company matches "*{}?"',
    'company ~ "{}"',
    'company ~ contains "{}"',
    'tag = "{}"',
    'tag ~ "{}"',
    'tag in ("{}", a)',
    'attr.x = "{}"',
    'attr.x ~ "{}"',
    'attr.x in ("{}", 5)',
    'attr."{}" = 5',
    'attr."{}" = yes',
    'attr."{}" < today',
    'has attr."{}"',
    'prefers."{}" = a',
    'prefers."{}" >= 5',
    'prefers.x = "{}"',
    'prefers.x matches "{}"',
    'notes contain "{}"',
    'sent "{}" within 5 days',
    'sent "{}" at least 2 times',
    'event "{}.x"',
    'event a.b where "{}" = 5',
    'event a.b where x = "{}"',
    'event a.b where has "{}"',
    'deal where name = "{}"',
    'deal where name ~ "{}"',
    'was in "{}" within 5 days',
    'moved from "{}" to "{}"',
    'stage = "{}"',
    'pipeline = "{}"',
    'has consent for "{}"',
    'withdrew consent for "{}"',
    'consent pending for "{}"',
    'sample 5% by "{}"',
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("whole", [False, True], ids=["each", "whole"])
def test_no_text_of_a_rule_is_in_the_statement(
    database: Database, now: datetime, place: str, whole: bool
) -> None:
    for evil in EVIL:
        if '"' in evil:
            continue
        rule = parse(place.replace("{}", evil))
        clause = where(rule, now=now, zone=ZONE, whole=whole)
        query = select(func.count()).select_from(Lead).where(clause)
        assert "zonk" not in str(query.compile(database.reader))
        assert database.read(lambda session, q=query: session.scalar(q)) == 0 or "!=" in place


@pytest.mark.parametrize("name", ["country", "language"])
def test_codes_are_letters_only(name: str) -> None:
    from segments import RuleError

    for evil in EVIL:
        with pytest.raises(RuleError):
            parse(f'{name} = "{evil}"')


def test_the_tables_are_still_there(database: Database) -> None:
    assert database.read(lambda session: session.scalar(select(func.count(Lead.id)))) == 0  # type: ignore[arg-type]
