"""Deals and tasks: each change is made once, and is one event that says what was before."""

from datetime import UTC, date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import StatementError
from sqlmodel import Session, col

from console.database import Database
from leads import (
    Deal,
    FieldError,
    Task,
    UnknownDeal,
    UnknownLead,
    UnknownTask,
    add_task,
    change_deal,
    change_task,
    close_deal,
    deals_of,
    due_moment,
    find_deal,
    find_task,
    finish_task,
    open_deal,
    reopen_deal,
    reopen_task,
    tasks_of,
)
from tests.conftest import NOW
from tests.leads.people import add, events

LATER = NOW + timedelta(days=1)


def opened(session: Session, lead: int, name: str = "Annual plan", amount: str = "5000") -> int:
    return open_deal(session, lead, name, amount=Decimal(amount), currency="pln", at=NOW, by="jan")


def test_a_deal_is_opened_changed_won_and_opened_again(database: Database) -> None:
    with database.writing() as session:
        lead = add(session)
        deal = open_deal(
            session,
            lead,
            " Annual   plan ",
            amount=Decimal("5000"),
            currency="pln",
            expected_close=date(2026, 12, 20),
            at=NOW,
            by="jan",
        )
        wanted = {"amount": Decimal("6000.50"), "expected_close": None}
        for changed in (True, False):
            assert change_deal(session, deal, wanted, at=LATER, by="jan") is changed
            assert close_deal(session, deal, "won", at=LATER, by="jan") is changed
        for changed in (True, False):
            assert reopen_deal(session, deal, at=LATER, by="ewa") is changed
        [row] = deals_of(session, lead)
        assert (row.amount, row.currency, row.state) == (Decimal("6000.50"), "PLN", "open")
        assert (row.expected_close, row.closed_at, row.updated_at) == (None, None, LATER)
        about = {"deal": deal, "name": "Annual plan"}
        assert events(session, lead) == [
            (
                "deal",
                about
                | {
                    "what": "opened",
                    "after": {
                        "name": "Annual plan",
                        "amount": "5000.00",
                        "currency": "PLN",
                        "state": "open",
                        "expected_close": "2026-12-20",
                        "created_at": "2026-03-10T11:00:00Z",
                        "closed_at": None,
                    },
                },
            ),
            (
                "deal",
                about
                | {
                    "what": "changed",
                    "changed": {
                        "amount": ["5000.00", "6000.50"],
                        "expected_close": ["2026-12-20", None],
                    },
                },
            ),
            (
                "deal",
                about
                | {
                    "what": "changed",
                    "changed": {
                        "state": ["open", "won"],
                        "closed_at": [None, "2026-03-11T11:00:00Z"],
                    },
                },
            ),
            (
                "deal",
                about
                | {
                    "what": "changed",
                    "changed": {
                        "state": ["won", "open"],
                        "closed_at": ["2026-03-11T11:00:00Z", None],
                    },
                },
            ),
        ]


def test_amounts_compare_and_add_up_exactly(database: Database) -> None:
    with database.writing() as session:
        lead = add(session)
        for number, amount in enumerate(("4999.99", "5000.00", "0.10", "0.20")):
            opened(session, lead, f"d{number}", amount)
        open_deal(session, lead, "nobody knows", at=NOW, by="jan")

        def count(*conditions: object) -> int:
            chosen = select(func.count()).select_from(Deal)
            return session.scalar(chosen.where(*conditions)) or 0  # type: ignore[arg-type]

        assert count(col(Deal.amount) >= Decimal("5000")) == 1
        assert count(col(Deal.amount) >= Decimal("4999.99")) == 2
        assert count(col(Deal.amount) == Decimal("0.3")) == 0
        assert session.scalar(select(func.sum(Deal.amount))) == Decimal("10000.29")
        with pytest.raises(StatementError, match="two decimals"):
            count(col(Deal.amount) >= Decimal("0.001"))


def test_what_makes_no_sense_is_refused_and_leaves_no_event(database: Database) -> None:
    with database.writing() as session:
        lead = add(session)
        deal = opened(session, lead)
        before = events(session, lead)
        for said, wish in (
            ("currency", {"amount": Decimal(5)}),
            ("no amount", {"currency": "PLN"}),
            ("did you mean", {"amount": Decimal(5), "currency": "PNL"}),
            ("below zero", {"amount": Decimal(-5), "currency": "PLN"}),
        ):
            with pytest.raises(FieldError, match=said):
                open_deal(session, lead, "x", at=NOW, by="jan", **wish)  # type: ignore[arg-type]
        for name, said in ((" ", "no name"), ("x" * 201, "201"), ("ANNUAL plan", f"#{deal}")):
            with pytest.raises(FieldError, match=said):
                opened(session, lead, name)
        with pytest.raises(FieldError, match="won or lost"):
            close_deal(session, deal, "open", at=NOW, by="jan")
        with pytest.raises(UnknownDeal):
            change_deal(session, deal + 99, {"name": "x"}, at=NOW, by="jan")
        with pytest.raises(UnknownLead):
            opened(session, lead + 99)
        assert events(session, lead) == before


def test_an_amount_keeps_its_currency_and_goes_with_it(database: Database) -> None:
    with database.writing() as session:
        lead = add(session)
        deal = opened(session, lead)
        for wanted, after in (
            ({"amount": Decimal(0)}, (Decimal(0), "PLN")),
            ({"currency": "EUR"}, (Decimal(0), "EUR")),
            ({"amount": None}, (None, "")),
        ):
            assert change_deal(session, deal, wanted, at=NOW, by="jan")
            [row] = deals_of(session, lead)
            assert (row.amount, row.currency) == after
        with pytest.raises(FieldError, match="currency"):
            change_deal(session, deal, {"amount": Decimal(5)}, at=NOW, by="jan")


def test_a_deal_is_found_by_name_or_number_the_open_one_first(database: Database) -> None:
    with database.writing() as session:
        lead = add(session)
        with pytest.raises(UnknownDeal, match="deal add"):
            find_deal(session, lead, "plan")
        old = opened(session, lead)
        close_deal(session, old, "lost", at=NOW, by="jan")
        new = opened(session, lead)
        assert find_deal(session, lead, "annual  PLAN").id == new
        assert (
            find_deal(session, lead, f"#{old}").id == find_deal(session, lead, str(old)).id == old
        )
        close_deal(session, new, "won", at=NOW, by="jan")
        with pytest.raises(UnknownDeal, match=rf"#{old} .*lost.*#{new} .*won"):
            find_deal(session, lead, "Annual plan")
        with pytest.raises(UnknownDeal, match="there is: #"):
            find_deal(session, lead, "Anual")
        with pytest.raises(UnknownDeal):
            find_deal(session, add(session, "b@firma.example"), str(new))


def test_a_task_is_written_down_moved_done_and_opened_again(database: Database) -> None:
    with database.writing() as session:
        lead = add(session)
        task = add_task(session, lead, "Call  back", due=LATER, owner="ewa", at=NOW, by="jan")
        moved = {"due_at": None, "owner": ""}
        for changed in (True, False):
            assert change_task(session, task, moved, at=LATER, by="jan") is changed
            assert finish_task(session, task, at=LATER, by="jan") is changed
        for changed in (True, False):
            assert reopen_task(session, task, at=LATER, by="jan") is changed
        about = {"task": task, "title": "Call back"}
        assert events(session, lead) == [
            (
                "task",
                about
                | {
                    "what": "opened",
                    "after": {
                        "title": "Call back",
                        "due_at": "2026-03-11T11:00:00Z",
                        "done_at": None,
                        "owner": "ewa",
                        "created_at": "2026-03-10T11:00:00Z",
                        "by": "jan",
                    },
                },
            ),
            *(
                ("task", about | {"what": "changed", "changed": changed})
                for changed in (
                    {"due_at": ["2026-03-11T11:00:00Z", None], "owner": ["ewa", ""]},
                    {"done_at": [None, "2026-03-11T11:00:00Z"]},
                    {"done_at": ["2026-03-11T11:00:00Z", None]},
                )
            ),
        ]
        for wrong in (" ", "x" * 501):
            with pytest.raises(FieldError):
                add_task(session, lead, wrong, at=NOW, by="jan")
        with pytest.raises(UnknownTask):
            finish_task(session, task + 99, at=NOW, by="jan")
        with pytest.raises(UnknownLead):
            add_task(session, lead + 99, "x", at=NOW, by="jan")


def test_open_tasks_come_first_the_most_urgent_on_top(database: Database) -> None:
    with database.writing() as session:
        lead = add(session)
        for title, due in (("some day", None), ("b", LATER), ("a", NOW), ("done", NOW)):
            add_task(session, lead, title, due=due, at=NOW, by="jan")
        done = find_task(session, lead, "DONE")
        assert isinstance(done, Task)
        finish_task(session, done.id or 0, at=NOW, by="jan")
        assert [task.title for task in tasks_of(session, lead)] == ["a", "b", "some day", "done"]
        with pytest.raises(UnknownTask, match='"some day"'):
            find_task(session, lead, "someday")


def test_a_day_is_due_when_it_ends_where_the_workspace_is() -> None:
    warsaw = ZoneInfo("Europe/Warsaw")
    assert due_moment("2026-07-01", warsaw).isoformat() == "2026-07-01T21:59:00+00:00"
    assert due_moment("2026-07-01 14:30", warsaw).isoformat() == "2026-07-01T12:30:00+00:00"
    assert due_moment("2026-07-01T14:30:00Z", warsaw).tzinfo == UTC
    with pytest.raises(FieldError, match="no date"):
        due_moment("tomorrow", warsaw)
