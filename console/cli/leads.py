"""`potok leads`: list and show. Changing, suppressing, import and export stand in files beside."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from console.cli.frame import Frame, command, group

if TYPE_CHECKING:
    from rich.console import Console
    from sqlalchemy import ColumnElement
    from sqlmodel import Session

    from console.wiring import Workspace
    from leads import Brief, Lead, Profile

leads = group(
    "leads", help="Who they are: import, look up, change, merge, suppress, erase, export."
)


def the_lead(session: "Session", workspace: "Workspace", email: str) -> "Lead":
    """The lead with this address. Raises leads.AddressError, leads.UnknownLead."""
    from leads import UnknownLead, address_key, find_lead, parse_address

    address = parse_address(email)
    lead = find_lead(session, address_key(address, workspace.keys.address))
    if lead is None or lead.id is None:
        raise UnknownLead(
            f"There is no lead {address.email}: potok leads list {address.local} looks for one"
        )
    return lead


@command(leads, "list")
@click.argument("text", required=False)
@click.option("--stage", help="Only those in this stage.")
@click.option("--tag", help="Only those with this tag.")
@click.option("--segment", help="Only those this segment (or rule) chooses now.")
@click.option("--search", metavar="TEXT", help="The same as TEXT.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1), help="At most.")
@click.option("--after", default=0, metavar="ID", help="Those behind this lead's number.")
def list_(
    frame: Frame,
    text: str | None,
    stage: str | None,
    tag: str | None,
    segment: str | None,
    search: str | None,
    limit: int,
    after: int,
) -> None:
    """Leads in the order they came; with TEXT, those whose address, name or company has it.

    \b
    Example:
      potok leads list
      potok leads list nowak --stage demo
      potok leads list --tag vip --limit 100
    """
    from leads import browse, count_leads

    with frame.workspace() as workspace:
        conditions = choosing(
            workspace, texts=(text, search), stage=stage, tag=tag, segment=segment
        )
        with workspace.database.reading() as session:
            total = count_leads(session, *conditions)
            rows = list(browse(session, *conditions, after=after, limit=limit))

    def human(screen: "Console") -> None:
        from rich.table import Table

        if not rows:
            screen.print(
                "No lead matches."
                if text or search or stage or tag or segment or after
                else "No lead yet. Bring some: potok leads import FILE.csv"
            )
            return
        table = Table(box=None)
        # An address cut short is no address: it goes on below instead.
        table.add_column("address", overflow="fold", min_width=24)
        for heading in ("name", "company", "stage", "since (UTC)", "tags"):
            table.add_column(heading)
        for row in rows:
            table.add_row(
                row.email,
                row.name,
                row.company,
                row.stage,
                f"{row.stage_at:%Y-%m-%d}",
                ", ".join(row.tags),
            )
        screen.print(table)
        if total > len(rows):
            screen.print(f"{len(rows)} of {total}; further ones: --after {rows[-1].id}")

    frame.emit({"total": total, "leads": [_line(row) for row in rows]}, human)


def choosing(
    workspace: "Workspace",
    *,
    texts: Iterable[str | None] = (),
    stage: str | None = None,
    tag: str | None = None,
    segment: str | None = None,
) -> "list[ColumnElement[bool]]":
    """What the options choose, as SQL on Lead. Raises StageError, Refused, SegmentError."""
    from sqlmodel import col

    from leads import Lead, containing, stage_named

    now, zone = workspace.now(), workspace.settings.time_zone
    conditions: list[ColumnElement[bool]] = [containing(text) for text in texts if text]
    if stage:
        pipeline, name = stage_named(stage, workspace.settings.pipelines)
        conditions += [col(Lead.pipeline) == pipeline, col(Lead.stage) == name]
    if tag:
        from segments import parse, where

        quoted = tag.replace("\\", "\\\\").replace('"', '\\"')
        conditions.append(where(parse(f'tag = "{quoted}"'), now=now, zone=zone))
    if segment:
        from console.cli.segment_files import read_files
        from segments import where

        rule = read_files(workspace).rule(segment)
        conditions.append(where(rule, now=now, zone=zone))
    return conditions


def _line(row: "Brief") -> dict[str, Any]:
    names = ("id", "email", "name", "company", "country", "pipeline", "stage", "stage_at", "tags")
    return {name: getattr(row, name) for name in names}


@command(leads, "show")
@click.argument("email")
@click.option("--newest", type=click.IntRange(min=1), help="Only so many of the last events.")
def show(frame: Frame, email: str, newest: int | None) -> None:
    """All that is known of one lead, and everything that happened, newest last.

    \b
    Example:
      potok leads show anna@example.com
    """
    from leads import address_key, lead_at, parse_address, profile

    with frame.workspace() as workspace:
        with workspace.database.reading() as session:
            known = profile(session, the_lead(session, workspace, email), newest=newest)
            asked = lead_at(session, address_key(parse_address(email), workspace.keys.address))
            merged_from = asked.email if asked and asked.id != known.lead.id else None
        zone, now = workspace.settings.time_zone, workspace.now()

    def human(screen: "Console") -> None:
        from console.cli.leads_view import show_profile

        if merged_from:
            screen.print(f"{merged_from} was merged into {known.lead.email}.")
        show_profile(screen, known, zone=zone, now=now)

    frame.emit({"merged_from": merged_from, **_document(known)}, human)


#: What `leads show` tells of the lead itself, in this order.
SHOWN = (
    *("id", "email", "name", "first_name", "last_name", "company", "job_title", "phone"),
    *("country", "language", "timezone", "owner", "source", "pipeline", "stage", "stage_at"),
    *("score", "attributes", "tags", "created_at", "updated_at"),
)


def _document(known: "Profile") -> dict[str, Any]:
    from console.cli.leads_deals import deal_document
    from console.cli.leads_tasks import task_document

    lead, held = known.lead, known.suppression
    return {
        **{name: getattr(lead, name) for name in SHOWN},
        "deals": [deal_document(each) for each in known.deals],
        "tasks": [task_document(each) for each in known.tasks],
        "consent_requests": known.consent_requests,
        "preferences": [
            {"name": p.name, "value": p.value, "said_by": p.said_by, "said_at": p.said_at}
            for p in known.preferences
        ],
        "consent": [
            {
                "topic": c.topic,
                "state": c.state,
                "source": c.source,
                "at": c.at,
                "by": c.by,
                "confirmed_at": c.confirmed_at,
            }
            for c in known.consents
        ],
        "chose": {
            "topics_off": sorted(known.barred_topics),
            "per_week": known.wish.per_week if known.wish else None,
            "paused_until": known.wish.paused_until if known.wish else None,
            "language": known.wish.language if known.wish else "",
        },
        "suppression": held and {"reason": held.reason, "at": held.at, "by": held.by},
        "timeline": [
            {"at": e.at, "kind": e.kind, "data": e.data, "by": e.by} for e in known.timeline
        ],
    }
