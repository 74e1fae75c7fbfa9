"""`potok leads set|note|prefer|stage|consent`: changing one lead, each change an event."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import click

from console.cli.frame import Frame, command
from console.cli.leads import leads, the_lead

if TYPE_CHECKING:
    from sqlmodel import Session

    from console.wiring import Workspace


def _change(
    frame: Frame,
    email: str,
    change: "Callable[[Session, Workspace, int, datetime], bool]",
    done: str,
) -> None:
    """Changes one lead in one transaction and says whether that changed anything."""
    with frame.workspace() as workspace:
        now = workspace.now()
        with workspace.database.writing() as session:
            lead = the_lead(session, workspace, email)
            changed = change(session, workspace, lead.id or 0, now)
    frame.emit(
        {"email": lead.email, "changed": changed},
        lambda screen: screen.print(
            f"{lead.email}: {done}" if changed else f"{lead.email}: it was so already"
        ),
    )


@command(leads, "set")
@click.argument("email")
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
@click.option("--tag", "tags", multiple=True, help="Add a tag; may be repeated.")
@click.option("--untag", "untags", multiple=True, help="Remove a tag; may be repeated.")
def set_(
    frame: Frame,
    email: str,
    fields: tuple[str, ...],
    tags: tuple[str, ...],
    untags: tuple[str, ...],
) -> None:
    """Set fields, your own attributes (attr.NAME=VALUE) and tags; an empty VALUE clears.

    \b
    Example:
      potok leads set anna@example.com company="Nowak i Wspólnicy" attr.industry=legal
      potok leads set anna@example.com phone= --tag vip
    """
    from leads import set_fields

    known, own = _sorted_out(fields)
    if not (known or own or tags or untags):
        raise click.UsageError("Say what to set: FIELD=VALUE, --tag TAG or --untag TAG")
    _change(
        frame,
        email,
        lambda session, _, lead_id, now: set_fields(
            session,
            lead_id,
            known,
            attributes=own,
            add_tags=tags,
            remove_tags=untags,
            at=now,
            by=frame.by,
        ),
        "changed",
    )


def _sorted_out(fields: tuple[str, ...]) -> tuple[dict[str, str], dict[str, str]]:
    """(fields, attributes). Raises click.UsageError, and for what has a command of its own."""
    elsewhere = {
        "email": "the address is who a lead is; import the new one",
        "stage": "potok leads stage EMAIL STAGE",
        "pipeline": "potok leads stage EMAIL PIPELINE/STAGE",
        "tags": "--tag TAG and --untag TAG",
        "consent": "potok leads consent EMAIL given --source ...",
    }
    known: dict[str, str] = {}
    own: dict[str, str] = {}
    for text in fields:
        name, sign, value = text.partition("=")
        name = name.strip()
        if not sign or not name:
            raise click.UsageError(f"{text!r}: write FIELD=VALUE, as in company=Nowak")
        before, dot, rest = name.partition(".")
        if before in ("attr", "attribute", "attributes") and dot:
            own[rest] = value
        elif before in ("prefers", "prefer") and dot:
            raise click.UsageError(f"{text!r}: write potok leads prefer EMAIL {rest}={value}")
        elif name in elsewhere:
            raise click.UsageError(f"{name} is not set here: {elsewhere[name]}")
        else:
            known[name] = value
    return known, own


@command(leads, "note")
@click.argument("email")
@click.argument("text", nargs=-1, required=True)
def note(frame: Frame, email: str, text: tuple[str, ...]) -> None:
    """Write a note on the lead's timeline.

    \b
    Example:
      potok leads note anna@example.com "Called: decides after the holidays"
    """
    from leads import add_note

    _change(
        frame,
        email,
        lambda session, _, lead_id, now: add_note(
            session, lead_id, " ".join(text), at=now, by=frame.by
        ),
        "noted",
    )


@command(leads, "prefer")
@click.argument("email")
@click.argument("stated", metavar="NAME=VALUE...", nargs=-1, required=True)
@click.option("--add", is_flag=True, help="Keep what was stated before under this name.")
@click.option("--said-by", default="", help="Who said so, when it was not the lead to you.")
def prefer(frame: Frame, email: str, stated: tuple[str, ...], add: bool, said_by: str) -> None:
    """Write down what a lead told us; NAME= forgets. Replaces the name's values without --add.

    \b
    Example:
      potok leads prefer anna@example.com topic=pricing topic=reporting
      potok leads prefer anna@example.com budget=12000 --said-by "her assistant"
    """
    from leads import prefer as state

    values: dict[str, list[str]] = {}
    for text in stated:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise click.UsageError(f"{text!r}: write NAME=VALUE, as in topic=pricing")
        kept = values.setdefault(name.strip().removeprefix("prefers."), [])
        kept += [value] if value.strip() else []

    def change(session: "Session", _: "Workspace", lead_id: int, now: datetime) -> bool:
        changed = [
            state(
                session,
                lead_id,
                name,
                each,
                at=now,
                by=frame.by,
                said_by=said_by,
                replace=not add,
            )
            for name, each in values.items()
        ]
        return any(changed)

    _change(frame, email, change, "written down")


@command(leads, "stage")
@click.argument("email")
@click.argument("stage")
def stage(frame: Frame, email: str, stage: str) -> None:
    """Move a lead along the pipeline. PIPELINE/STAGE when two pipelines share a name.

    \b
    Example:
      potok leads stage anna@example.com demo
    """
    from leads import move_stage, stage_named

    def change(session: "Session", workspace: "Workspace", lead_id: int, now: datetime) -> bool:
        pipeline, name = stage_named(stage, workspace.settings.pipelines)
        return move_stage(session, lead_id, pipeline, name, at=now, by=frame.by)

    _change(frame, email, change, f"moved to {stage}")


@command(leads, "consent")
@click.argument("email")
@click.argument("state", type=click.Choice(["given", "withdrawn"]))
@click.option("--topic", default="", help="About this topic only; without it, about everything.")
@click.option("--source", default="", help="How it was obtained: a form, a fair, a call.")
@click.option("--date", help="When, as 2026-03-31; without it, now.")
def consent(
    frame: Frame, email: str, state: str, topic: str, source: str, date: str | None
) -> None:
    """Write down that a lead allowed us to write, or took that back.

    \b
    Example:
      potok leads consent anna@example.com given --source "form on the site" --date 2026-03-31
      potok leads consent anna@example.com withdrawn --topic news
    """
    from leads import Lead, barred_topics, give_consent, withdraw_consent

    if state == "given" and not source.strip():
        raise click.UsageError("A consent is worth its source: --source 'form on the site'")

    def change(session: "Session", workspace: "Workspace", lead_id: int, now: datetime) -> bool:
        on = None
        if date:
            from leads import FieldError, moment

            on = moment(date, workspace.settings.time_zone)
            if on > now:
                raise FieldError(f"{date} has not come yet: a consent lies in the past")
        verb = give_consent if state == "given" else withdraw_consent
        lead = session.get_one(Lead, lead_id)
        if state == "given" and topic in barred_topics(session, lead.address_key):
            frame.say(
                f"{lead.email} switched {topic} off itself, and still gets no mail about it: "
                f"potok leads choose {lead.email} --on {topic} --why ... if it told you so"
            )
        return verb(
            session, lead_id, topic=topic, source=source.strip(), on=on, at=now, by=frame.by
        )

    _change(frame, email, change, f"consent {state}")
