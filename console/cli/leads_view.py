"""One lead on the screen: who it is, what it said, whether it may be written to, its timeline."""

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from console.cli.leads_view_consent import request_line
from console.cli.leads_view_facts import (
    choices,
    deal_line,
    task_line,
    told_change,
    told_choice,
    told_properties,
)

if TYPE_CHECKING:
    from rich.console import Console

    from leads import Profile

FACTS = (
    *("name", "company", "job_title", "phone", "country", "language", "timezone", "owner"),
    "source",
)


def show_profile(screen: "Console", known: "Profile", *, zone: tzinfo, now: datetime) -> None:
    """Prints everything `leads show` has to say; times on the workspace's own clock."""
    from rich.table import Table
    from rich.text import Text

    lead = known.lead
    screen.print(Text(lead.email, style="bold"))
    facts = Table.grid(padding=(0, 2))
    own = known.wish.language if known.wish is not None else ""
    for name in FACTS:
        if value := getattr(lead, name):
            mark = "  (the lead's own choice)" if name == "language" and own else ""
            facts.add_row(name.replace("_", " "), f"{value}{mark}")
    since = lead.stage_at.astimezone(zone)
    facts.add_row("stage", f"{lead.stage} ({lead.pipeline}), since {since:%Y-%m-%d}")
    if lead.tags:
        facts.add_row("tags", ", ".join(lead.tags))
    for name, value in sorted(lead.attributes.items()):
        facts.add_row(f"attr.{name}", _plain(value))
    for stated in known.preferences:
        when = stated.said_at.astimezone(zone)
        facts.add_row(
            f"prefers.{stated.name}", f"{stated.value}  ({stated.said_by}, {when:%Y-%m-%d})"
        )
    for consent in known.consents:
        about = consent.topic or "everything"
        source = f", {consent.source}" if consent.source else ""
        when = consent.at.astimezone(zone)
        sure = ", confirmed by link" if consent.confirmed_at else ""
        facts.add_row("consent", f"{consent.state} for {about} ({when:%Y-%m-%d}{source}{sure})")
    for request in known.consent_requests:
        facts.add_row("asked to confirm", request_line(request, zone=zone, now=now))
    for name, words in choices(known, zone=zone, now=now):
        facts.add_row(name, words)
    for deal in known.deals:
        facts.add_row("deal", deal_line(deal))
    for task in known.tasks:
        facts.add_row("task", task_line(task, zone=zone), style="dim" if task.done_at else None)
    if known.suppression is not None:
        held = known.suppression
        when = held.at.astimezone(zone)
        said = f"{held.reason} ({when:%Y-%m-%d}, {held.by}): gets no mail"
        facts.add_row("suppressed", Text(said, style="red"))
    screen.print(facts)
    screen.print()
    events = Table("when", "what", "by", "", box=None, header_style="dim")
    for entry in known.timeline:
        when = entry.at.astimezone(zone)
        events.add_row(f"{when:%Y-%m-%d %H:%M}", entry.kind, entry.by, told(entry.kind, entry.data))
    screen.print(events if known.timeline else "Nothing has happened yet.")


def told(kind: str, data: Mapping[str, Any]) -> str:
    """An event's data as people would say it."""
    say = _SENTENCES.get(kind, told_properties if "." in kind else None)
    if say is None:
        return ", ".join(f"{name}: {_plain(value)}" for name, value in data.items() if value)
    return say(data)


def _imported(data: Mapping[str, Any]) -> str:
    line = f", line {data['line']}" if "line" in data else ""
    parts = [data["form"] if "form" in data else f"from {data.get('file', 'a file')}{line}"]
    if data.get("stage"):
        parts.append(f"stage {data['stage']}")
    parts += [f"{name}: {_plain(v)}" for name, v in data.get("preferences", {}).items()]
    parts += [f"consent {s} for {t or 'everything'}" for t, s in data.get("consent", {}).items()]
    return "; ".join(parts)


def _changed(data: Mapping[str, Any]) -> str:
    parts = []
    for field, (before, after) in data.get("changed", {}).items():
        was = f" (was {_plain(before)})" if before not in ("", None, []) else ""
        parts.append(f"{field.replace('_', ' ')}: {_plain(after)}{was}")
    return "; ".join(parts) + _from_file(data)


def _stage(data: Mapping[str, Any]) -> str:
    where = f" of {data['to_pipeline']}" if "to_pipeline" in data else ""
    return f"{data.get('from')} -> {data.get('to')}{where}{_from_file(data)}"


def _preference(data: Mapping[str, Any]) -> str:
    name = data.get("name")
    parts = [f"{name}: {_plain(data['added'])}"] if data.get("added") else []
    if data.get("removed"):
        parts.append(f"{name} no longer {_plain(data['removed'])}")
    said = f" (said by {data['said_by']})" if data.get("said_by") else ""
    return "; ".join(parts) + said + _from_file(data)


def _consent(data: Mapping[str, Any]) -> str:
    source = f", {data['source']}" if data.get("source") else ""
    return f"{data.get('state')} for {data.get('topic') or 'everything'}{source}{_from_file(data)}"


def _about(data: Mapping[str, Any]) -> str:
    return ", ".join(each or "everything" for each in data.get("topics", ()))


def _from_file(data: Mapping[str, Any]) -> str:
    return f" [{data['file']}]" if data.get("file") else ""


#: How the events of this room are told; the others show their data as it is.
_SENTENCES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "imported": _imported,
    "changed": _changed,
    "stage": _stage,
    "preference": _preference,
    "consent": _consent,
    "consent_asked": lambda data: f"about {_about(data)}, {data.get('source', '')}",
    "chose": told_choice,
    "address": lambda data: f"asked for {data.get('asked_for', 'another one')}",
    "suppressed": lambda data: str(data.get("reason", "")),
    "unsuppressed": lambda data: f"was {data.get('reason')}: {data.get('why')}",
    "merged": lambda data: f"{data.get('email', '')} is this lead too",
    "deal": told_change,
    "task": told_change,
    "note": lambda data: str(data.get("text", "")),
}


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "nothing"
    return str(value) if value not in ("", None) else "nothing"
