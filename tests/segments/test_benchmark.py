"""The benchmark of counts and planning runs, and what it holds against each other is the same."""

from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.engine import URL
from sqlmodel import col

from benchmarks.counting import TYPICAL
from benchmarks.crowd import Crowd
from benchmarks.crowd_tables import load
from benchmarks.planning import measure_planning
from benchmarks.report import write_section
from benchmarks.segments import counts_table, measure_count, planning_table
from console.database import Database
from leads import Consent, Event, Lead, Preference, Suppression

LEADS = 2_000


def test_a_crowd_is_the_same_for_the_same_seed() -> None:
    one, same, other = Crowd(leads=300), Crowd(leads=300), Crowd(leads=300, seed=7)
    assert list(one.lead_rows()) == list(same.lead_rows())
    assert list(one.event_rows()) == list(same.event_rows())
    assert list(one.lead_rows()) != list(other.lead_rows())


def test_rules_count_what_sql_by_hand_counts_and_everybody_is_planned(database_url: URL) -> None:
    load(database_url, Crowd(leads=LEADS))
    database = Database(database_url)

    def rows(table: type[object]) -> int:
        return database.read(lambda s: s.scalar(select(func.count()).select_from(table))) or 0

    assert [rows(each) for each in (Lead, Preference, Event)] == [LEADS, 3 * LEADS, 5 * LEADS]
    assert rows(Suppression) > rows(Consent) // 100
    suppressed = select(func.count()).where(
        col(Lead.address_key).in_(select(col(Suppression.address_key)))
    )
    known = select(func.count()).where(col(Lead.suppressed).is_not(None))
    both = database.read(lambda s: (s.scalar(suppressed), s.scalar(known)))
    assert both[0] == both[1]
    assert both[0]

    # It compares the answers itself.
    counted = [measure_count(database, typical, rounds=1) for typical in TYPICAL]
    database.close()
    assert all(each.matching for each in counted)
    assert len(counts_table(counted).splitlines()) == len(TYPICAL) + 2
    [planned] = measure_planning(database_url, 1)
    assert planned.rows == LEADS
    assert "Median ratio" in planning_table([planned])


def test_a_section_of_the_page_is_written_in_its_place(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("before\n<!-- measured: Segments -->\nold\n<!-- end -->\nafter\n")
    write_section("Segments", "| a\\1 |", page=page)
    assert page.read_text() == (
        "before\n<!-- measured: Segments -->\n| a\\1 |\n<!-- end -->\nafter\n"
    )
