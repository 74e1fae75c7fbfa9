"""`potok segments why|who-left`: why one lead is in or out, and who changed sides since when."""

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

import click

from console.cli.frame import Frame, command
from console.cli.segments import segments

if TYPE_CHECKING:
    from rich.console import Console
    from sqlmodel import Session

    from console.wiring import Workspace
    from leads import Address, Lead
    from segments import Change, Explanation, Reason, Turn

#: What joins the conditions below a line.
_JOINED = {"and": "all of these:", "or": "one of these or more:", "not": "not this:"}


@command(segments, "why")
@click.argument("given", metavar="NAME|RULE")
@click.argument("email")
def why_(frame: Frame, given: str, email: str) -> None:
    """Say why a lead is in a segment, or why not, and what would change that.

    Each condition shows what the lead has, whether it is so, since when, and what made it so: an
    entry of the lead's timeline, or time alone. Then the smallest change that would take the lead
    out, or in; and whether we may write to it at all.

    \b
    Example:
      potok segments why hot anna@example.com
      potok segments why 'stage = demo and not replied' anna@example.com
    """
    from console.cli.segment_files import permission, read_files
    from leads import why_left_out
    from segments import recall, why

    with frame.workspace() as workspace:
        rule = read_files(workspace).rule(given)
        now, zone = workspace.now(), workspace.settings.time_zone

        def work(session: "Session") -> "tuple[str, Explanation, str | None]":
            from sqlalchemy import select
            from sqlmodel import col

            from leads import Lead

            lead = _lead(session, workspace, email)
            facts = recall(session, [lead.id or 0])[lead.id or 0]
            left_out = session.scalar(
                select(why_left_out(permission(workspace))).where(col(Lead.id) == lead.id)
            )
            return lead.email, why(rule, facts, now=now, zone=zone), left_out

        address, found, left_out = workspace.database.read(work)

    def human(screen: "Console") -> None:
        side = "is in" if found.holds else "is not in"
        screen.print(f"{address} {side}: {given}")
        _show(screen, found.reason, zone)
        screen.print()
        _show_remedy(screen, found, zone)
        if left_out is None:
            screen.print("We may write to this lead.")
        else:
            screen.print(f"No mail may go to this lead: {left_out.replace('_', ' ')}.", style="red")

    steps = None
    if found.steps is not None:
        steps = [
            {"do": step.way.text, "condition": _said(step.condition), "until": step.way.until}
            for step in found.steps
        ]
    frame.emit(
        {
            "lead": address,
            "given": given,
            "holds": found.holds,
            "why": _document(found.reason),
            "smallest_change": steps,
            "turns_at": found.turns_at,
            "mailable": left_out is None,
            "left_out": left_out,
        },
        human,
    )


@command(segments, "who-left")
@click.argument("given", metavar="NAME|RULE")
@click.option("--since", required=True, help="A day, a time, or how long ago: '14 days'.")
@click.option("--entered", is_flag=True, help="Those who came in instead.")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=50,
    show_default=True,
    help="At most so many, the latest first; all of them are counted.",
)
def who_left(frame: Frame, given: str, since: str, entered: bool, limit: int) -> None:
    """Show the leads that were in a segment at a time and are not now, when they left and why.

    The rule is taken as it is now, for both moments: an edit of the rule moves nobody here.

    \b
    Example:
      potok segments who-left hot --since 2026-11-01
      potok segments who-left 'stage = demo and not stage_age > 30 days' --since '14 days' --entered
    """
    import heapq

    from console.cli.segment_files import read_files
    from segments import instant_of, moved

    with frame.workspace() as workspace:
        rule = read_files(workspace).rule(given)
        now, zone = workspace.now(), workspace.settings.time_zone
        start = instant_of(since, now=now, zone=zone)
        counts = {True: 0, False: 0}

        def work(session: "Session") -> list[dict[str, Any]]:
            def wanted() -> Any:
                for change in moved(session, rule, since=start, now=now, zone=zone):
                    counts[change.entered] += 1
                    if change.entered == entered:
                        yield change.at, -change.lead_id, _row(change)

            # The latest of them and no more are kept, however many there are.
            latest = heapq.nlargest(limit, wanted(), key=lambda each: each[:2])
            return [row for *_, row in latest]

        rows = workspace.database.read(work)

    def human(screen: "Console") -> None:
        from rich.table import Column, Table

        when = f"{start.astimezone(zone):%Y-%m-%d %H:%M}"
        total = counts[entered]
        verb = "entered" if entered else "left"
        screen.print(f"{total} {'lead' if total == 1 else 'leads'} {verb} since {when}: {given}")
        if rows:
            # One line a lead: an import tells a long story, which leads show has in full.
            table = Table(
                Column("lead", no_wrap=True),
                Column("when", no_wrap=True, min_width=16),
                Column("by", no_wrap=True, max_width=32),
                Column("condition", min_width=12),
                box=None,
                pad_edge=False,
            )
            for row in rows:
                table.add_row(
                    row["lead"],
                    f"{row['at'].astimezone(zone):%Y-%m-%d %H:%M}",
                    row["told"] or "time alone",
                    "; ".join(row["conditions"]),
                )
            screen.print(table)
        if total > len(rows):
            screen.print(f"{total - len(rows)} more: --limit shows them.")
        other = counts[not entered]
        screen.print(f"{other} {'left' if entered else 'entered'} in the same time.")

    frame.emit(
        {
            "given": given,
            "since": start,
            "until": now,
            "left": counts[False],
            "entered": counts[True],
            "shown": "entered" if entered else "left",
            "leads": [{k: v for k, v in row.items() if k != "told"} for row in rows],
        },
        human,
    )


def _lead(session: "Session", workspace: "Workspace", email: str) -> "Lead":
    """The lead with this address. Raises UnknownLead with the nearest address there is."""
    from difflib import get_close_matches

    from console.cli.leads import the_lead
    from leads import UnknownLead, parse_address

    try:
        return the_lead(session, workspace, email)
    except UnknownLead:
        address = parse_address(email)
        near = get_close_matches(address.email, _like(session, address), n=1, cutoff=0.75)
        if not near:
            raise
        raise UnknownLead(f"There is no lead {address.email}; did you mean {near[0]}?") from None


def _like(session: "Session", address: "Address") -> list[str]:
    """Addresses of the same domain, or with the same words before the @."""
    from sqlalchemy import select
    from sqlmodel import col

    from leads import Lead, containing, present

    same_domain = col(Lead.domain) == address.domain
    found: list[str] = []
    for like in (same_domain, containing(f"{address.local}@")):
        found += session.scalars(select(col(Lead.email)).where(like, present()).limit(2000))
    return found


def _row(change: "Change") -> dict[str, Any]:
    event = change.event
    return {
        "lead": change.facts.columns["email"],
        "at": change.at,
        "event": None if event is None else {"id": event.id, "kind": event.kind, "at": event.at},
        "conditions": [_said(each) for each in change.conditions],
        "told": "" if event is None else _event(event),
    }


def _said(condition: Any) -> str:
    from segments import say

    return say(condition)


def _event(event: Any) -> str:
    """`stage: new -> demo`, `sent "spring"`."""
    from console.cli.leads_view import told

    about = told(event.kind, event.data)
    campaign = f' "{event.campaign}"' if event.campaign else ""
    return f"{event.kind.replace('_', ' ')}{campaign}" + (f": {about}" if about else "")


def _since(turn: "Turn", because: str, zone: tzinfo) -> str:
    if turn.always:
        return "since it came in"
    day = f"since {turn.at.astimezone(zone):%Y-%m-%d}"
    if turn.event is not None:
        return f"{day}, {_event(turn.event)}"
    return f"{day}, because {because}"


def _show(screen: "Console", reason: "Reason", zone: tzinfo, depth: int = 1) -> None:
    """One line for the condition, and its parts below it, further in."""
    from rich.text import Text

    mark = Text("[yes] " if reason.holds else "[no]  ", style="green" if reason.holds else "red")
    text, value, below = _JOINED.get(reason.joined, reason.text), reason.found, reason.below
    if reason.joined == "segment":
        text += ":" if below else " (as above)"
    elif reason.joined == "not" and not below[0].joined:
        # `not stage = won` reads better in one line than in two.
        text, value, below = reason.text, below[0].found, ()
    facts = [value] if value else []
    facts.append(_since(reason.turn, reason.because, zone))
    remark = Text(f"  ({'; '.join(facts)})", style="dim")
    screen.print(Text("  " * depth) + mark + Text(text) + remark)
    for each in below:
        _show(screen, each, zone, depth + 1)


def _show_remedy(screen: "Console", found: "Explanation", zone: tzinfo) -> None:
    aim = "take it out" if found.holds else "put it in"
    if found.steps is None:
        screen.print(f"There is nothing anybody could do to {aim}.")
    else:
        deeds = " and ".join(step.way.text for step in found.steps)
        screen.print(f"The smallest change to {aim}: {deeds}.")
    if found.turns_at is not None:
        day: datetime = found.turns_at.astimezone(zone)
        verb = "leaves" if found.holds else "comes in"
        screen.print(f"By itself it {verb} on {day:%Y-%m-%d %H:%M}, if nothing else happens.")


def _document(reason: "Reason") -> dict[str, Any]:
    event = reason.turn.event
    document: dict[str, Any] = {
        "condition": reason.text,
        "holds": reason.holds,
        "joined": reason.joined or None,
        "found": None if reason.joined else reason.found,
        "since": reason.turn.at,
        "always": reason.turn.always,
        "because": reason.because or None,
        "event": None if event is None else {"id": event.id, "kind": event.kind, "at": event.at},
    }
    if reason.below:
        document["below"] = [_document(each) for each in reason.below]
    return document
