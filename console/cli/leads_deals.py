"""`potok leads deal`: what leads may buy, for how much, and what became of it."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.cli.frame import UNDECIDED, Frame, command, group
from console.cli.leads import leads, the_lead

if TYPE_CHECKING:
    from rich.console import Console
    from sqlmodel import Session

    from console.facts_files import Facts
    from console.wiring import Workspace
    from leads import Deal

deal = group("deal", help="Deals: what a lead may buy, for how much, until when.")
leads.add_command(deal)


@command(deal, "add")
@click.argument("email")
@click.argument("name")
@click.option("--amount", help='What it is worth: 12000, or with its currency "12 000,50 PLN".')
@click.option("--currency", help="Three letters: PLN, EUR, USD.")
@click.option("--closes", metavar="DAY", help="When you expect it to be decided: 2026-12-20.")
def add(
    frame: Frame,
    email: str,
    name: str,
    amount: str | None,
    currency: str | None,
    closes: str | None,
) -> None:
    """Open a deal with a lead.

    \b
    Example:
      potok leads deal add kasia@example.pl "Annual plan" --amount 12000 --currency PLN
      potok leads deal add kasia@example.pl "Training" --amount "€5000" --closes 2026-12-20
    """
    from leads import deals_of, open_deal

    with frame.workspace() as workspace:
        now = workspace.now()
        wanted = _wanted(workspace, amount=amount, currency=currency, closes=closes)
        with workspace.database.writing() as session:
            lead = the_lead(session, workspace, email)
            number = open_deal(
                session,
                lead.id or 0,
                name,
                amount=wanted.get("amount"),
                currency=wanted.get("currency") or "",
                expected_close=wanted.get("expected_close"),
                at=now,
                by=frame.by,
            )
            made = next(each for each in deals_of(session, lead.id or 0) if each.id == number)
    _emit(frame, lead.email, made, True, "opened")


@command(deal, "change")
@click.argument("email")
@click.argument("which", metavar="NAME|NUMBER")
@click.option("--amount", help='The new worth: 14000, or "14 000 PLN"; "" when nobody knows.')
@click.option("--currency", help="Three letters: PLN, EUR, USD.")
@click.option("--closes", metavar="DAY", help='The new day: 2026-12-20; "" for none.')
@click.option("--rename", metavar="NAME", help="Another name.")
def change(
    frame: Frame,
    email: str,
    which: str,
    amount: str | None,
    currency: str | None,
    closes: str | None,
    rename: str | None,
) -> None:
    """Change what a deal is worth, when it is expected to close, or its name.

    \b
    Example:
      potok leads deal change kasia@example.pl "Annual plan" --amount 14000
      potok leads deal change kasia@example.pl 12 --closes 2027-01-15 --rename "Two years"
    """
    from leads import change_deal

    with frame.workspace() as workspace:
        wanted = _wanted(workspace, amount=amount, currency=currency, closes=closes)
        if rename is not None:
            wanted["name"] = rename
        if not wanted:
            raise click.UsageError("Say what to change: --amount, --currency, --closes, --rename")

        def work(session: "Session", number: int, now: datetime) -> bool:
            return change_deal(session, number, wanted, at=now, by=frame.by)

        _change(frame, workspace, email, which, work, "changed")


@command(deal, "close")
@click.argument("email")
@click.argument("which", metavar="NAME|NUMBER")
@click.argument("state", type=click.Choice(["won", "lost"]))
def close(frame: Frame, email: str, which: str, state: str) -> None:
    """A deal is won or lost.

    \b
    Example:
      potok leads deal close kasia@example.pl "Annual plan" won
    """
    from leads import close_deal

    with frame.workspace() as workspace:

        def work(session: "Session", number: int, now: datetime) -> bool:
            return close_deal(session, number, state, at=now, by=frame.by)

        _change(frame, workspace, email, which, work, state)


@command(deal, "reopen")
@click.argument("email")
@click.argument("which", metavar="NAME|NUMBER")
def reopen(frame: Frame, email: str, which: str) -> None:
    """A deal that was won or lost is open again.

    \b
    Example:
      potok leads deal reopen kasia@example.pl "Annual plan"
    """
    from leads import reopen_deal

    with frame.workspace() as workspace:

        def work(session: "Session", number: int, now: datetime) -> bool:
            return reopen_deal(session, number, at=now, by=frame.by)

        _change(frame, workspace, email, which, work, "open again")


@command(deal, "list")
@click.argument("email")
def list_(frame: Frame, email: str) -> None:
    """The deals of a lead, in the order they were opened.

    \b
    Example:
      potok leads deal list kasia@example.pl
    """
    from leads import deals_of

    with frame.workspace() as workspace, workspace.database.reading() as session:
        lead = the_lead(session, workspace, email)
        found = deals_of(session, lead.id or 0)

    def human(screen: "Console") -> None:
        from console.cli.leads_view_facts import deals_table

        screen.print(deals_table(found) if found else f"{lead.email} has no deal.")

    frame.emit({"email": lead.email, "deals": [deal_document(each) for each in found]}, human)


@command(deal, "import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--map", "mapping", multiple=True, metavar="COLUMN=FIELD", help="Kwota=amount ...")
@click.option("--encoding", help="When the guess is wrong: utf-8, cp1250, ...")
def import_(frame: Frame, file: Path, mapping: tuple[str, ...], encoding: str | None) -> None:
    """Bring deals in: a table with email, name, amount, currency, state, expected_close.

    A lead's deal is recognised by its name: importing again changes it and never doubles it. Empty
    cells change nothing; a deal that was closed stays closed. Rows that cannot be taken in, also
    those whose address is no lead, are written to FILE.rejected.csv.

    \b
    Example:
      potok leads deal import deals.csv
      potok leads deal import crm.xlsx --map "Wartość netto=amount"
    """
    from console.facts_files import deals_file

    with frame.workspace() as workspace:
        done = deals_file(workspace, file, encoding=encoding, mapping=mapping, by=frame.by)
    tell_facts(frame, done, file)


def tell_facts(frame: Frame, done: "Facts", file: Path) -> None:
    """What became of the rows of a file; exit code 3 when some were rejected."""
    taken, counts = done.taken, done.taken.counts

    def human(screen: "Console") -> None:
        screen.print(
            f"{file.name}: {counts.read} rows: added {counts.added}, updated {counts.updated}, "
            f"unchanged {counts.unchanged}, rejected {counts.rejected}"
        )
        for line, reason in taken.reasons[:10]:
            screen.print(f"  line {line}: {reason}")
        if counts.rejected > 10:
            screen.print(f"  and {counts.rejected - 10} more")
        if taken.rejects_file:
            screen.print(f"Rejected rows are in {taken.rejects_file}: correct and import that file")

    frame.emit(done.document(), human)
    if counts.rejected:
        frame.exit(UNDECIDED)


def deal_document(each: "Deal") -> dict[str, Any]:
    """A deal for scripts; the amount is a text with two decimals."""
    return {
        "id": each.id,
        "name": each.name,
        "amount": None if each.amount is None else f"{each.amount:.2f}",
        "currency": each.currency or None,
        "state": each.state,
        "expected_close": each.expected_close,
        "created_at": each.created_at,
        "closed_at": each.closed_at,
    }


def _wanted(
    workspace: "Workspace", *, amount: str | None, currency: str | None, closes: str | None
) -> dict[str, Any]:
    """What the options say, as the verbs want it; what they do not say is not in it."""
    from leads import amount_of, currency_of

    wanted: dict[str, Any] = {}
    if amount is not None and not amount.strip():
        wanted |= {"amount": None, "currency": ""}
    elif amount is not None:
        wanted["amount"], said = amount_of(amount)
        if said:
            wanted["currency"] = said
    if currency is not None:
        wanted["currency"] = currency_of(currency)
    if closes is not None:
        wanted["expected_close"] = _day(workspace, closes)
    return wanted


def _day(workspace: "Workspace", text: str) -> date | None:
    from leads import moment

    zone = workspace.settings.time_zone
    return moment(text, zone).astimezone(zone).date() if text.strip() else None


def _change(
    frame: Frame,
    workspace: "Workspace",
    email: str,
    which: str,
    work: "Callable[[Session, int, datetime], bool]",
    done: str,
) -> None:
    from leads import deals_of, find_deal

    now = workspace.now()
    with workspace.database.writing() as session:
        lead = the_lead(session, workspace, email)
        number = find_deal(session, lead.id or 0, which).id or 0
        changed = work(session, number, now)
        after = next(e for e in deals_of(session, lead.id or 0) if e.id == number)
    _emit(frame, lead.email, after, changed, done)


def _emit(frame: Frame, email: str, each: "Deal", changed: bool, done: str) -> None:
    def human(screen: "Console") -> None:
        from console.cli.leads_view_facts import deal_line

        said = done if changed else "it was so already"
        screen.print(f"{email}: {said}: {deal_line(each)}")

    frame.emit({"email": email, "changed": changed, "deal": deal_document(each)}, human)
