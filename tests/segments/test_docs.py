"""docs/segments.md says what is true: every example is read, every table is tried."""

import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from console.database import Database
from leads import Lead
from segments import RuleError, fits, parse, say, where
from segments.facts import Facts
from segments.reading import MAX_CONDITIONS, MAX_DEPTH, MAX_LENGTH
from segments.vocabulary import DEAL_FIELDS, FIELDS, OPENERS, UNITS, VERBS
from tests.segments.rules import LeadRow

TEXT = (Path(__file__).parents[2] / "docs" / "segments.md").read_text(encoding="utf-8")
ZONE = ZoneInfo("Europe/Warsaw")
STAGES = {"sales": ("new", "demo", "proposal", "won", "lost")}
SEGMENTS = {"polish": "country = PL"}


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.M | re.S)


def _table(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    part = TEXT.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = re.search(r"(?:^\|.*\n)+", part, re.M)
    assert rows is not None
    return [[c.strip() for c in row.strip("|").split("|")] for row in rows[0].splitlines()[2:]]


def _code(cell: str) -> str:
    return cell.strip("`")


EXAMPLES = [line for block in _blocks("rule") for line in block.splitlines()]
TABLES = (
    *("Conditions", "What happened", "Where they stand", "Deals and tasks"),
    "Consent and suppression",
)
EXAMPLES += [_code(row[0]) for heading in TABLES for row in _table(heading)]
EXAMPLES += re.findall(r"potok segments (?:count|preview|create polish) '(.*?)'", TEXT)
EXAMPLES += re.findall(r'rule = """\n(.*?)"""', TEXT, re.S)
UNKNOWN = [(_code(row[0]), row[1] == "yes") for row in _table("What is not known")]


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_runs(database: Database, now: datetime, text: str) -> None:
    rule = parse(text, stages=STAGES, segments=SEGMENTS)
    assert parse(say(rule), stages=STAGES, segments=SEGMENTS) == rule
    query = select(col(Lead.id)).where(where(rule, now=now, zone=ZONE))
    assert database.read(lambda session: session.scalars(query).all()) == []


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 40
    assert len(UNKNOWN) > 20


def test_what_is_not_known_does_what_the_table_says(database: Database, now: datetime) -> None:
    columns = {word.column: "" for word in FIELDS.values()}
    columns |= {"stage": "new", "pipeline": "sales"}
    known = {"score": 0.0, "created_at": now, "stage_at": now, "draw": 1}
    lead = LeadRow(facts=Facts(columns=columns | known))
    database.write(lambda session: session.add_all(lead.rows(1)))

    def chosen(session: Session, text: str) -> bool:
        clause = where(parse(text), now=now, zone=ZONE)
        return bool(session.scalars(select(col(Lead.id)).where(clause)).all())

    for text, expected in UNKNOWN:
        assert fits(parse(text), lead.facts, now=now, zone=ZONE) == expected, text
        assert database.read(lambda session, t=text: chosen(session, t)) == expected, text


def test_the_table_of_fields_is_the_language() -> None:
    rows = {_code(row[0]): row[1:] for row in _table("Fields")}
    assert rows == {word.name: [word.kind.value, word.about] for word in FIELDS.values()}


def test_the_table_of_a_deals_columns_is_the_language() -> None:
    part = TEXT.split("| a deal's |")[1].split("\n\n")[0]
    rows = [[c.strip() for c in row.strip("|").split("|")] for row in part.splitlines()[2:]]
    told = {_code(row[0]): row[1:] for row in rows}
    assert told == {word.name: [word.kind.value, word.about] for word in DEAL_FIELDS.values()}


def test_the_grammar_names_every_verb_and_opener() -> None:
    (grammar,) = _blocks("grammar")
    words = [*VERBS, *(opener.rstrip(".") for opener in OPENERS)]
    assert [word for word in words if word not in grammar.replace("[", "").replace("]", "")] == []


def test_every_verb_and_unit_is_told() -> None:
    told = " ".join(row[0] for row in _table("What happened"))
    assert [verb for verb in VERBS if verb not in told] == []
    assert [unit for unit in UNITS if f"{unit}s" not in TEXT] == []
    for verb in VERBS:
        parse(verb)


def test_the_error_looks_as_shown() -> None:
    for block in _blocks("error"):
        rule, _, shown = block.partition("\n\n")
        with pytest.raises(RuleError) as caught:
            parse(rule)
        assert str(caught.value) == shown.rstrip("\n")


def test_the_limits_are_as_told() -> None:
    told = TEXT.rsplit("Limits: ", 1)[1].replace(",", "")
    numbers = [int(number) for number in re.findall(r"\d+", told)]
    assert numbers == [MAX_LENGTH, MAX_DEPTH, MAX_CONDITIONS]
