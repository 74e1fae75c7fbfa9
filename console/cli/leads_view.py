"""One lead on the screen: who it is, what it said, whether it may be written to, its timeline."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from leads import Profile

FACTS = (
    *("name", "company", "job_title", "phone", "country", "language", "timezone", "owner"),
    "source",
)


def show_profile(screen: "Console", known: "Profile", *, zone: tzinfo) -> None:
    """Prints everything `leads show` has to say; times on the workspace's own clock."""
    from rich.table import Table
    from rich.text import Text

    lead = known.lead
    screen.print(Text(lead.email, style="bold"))
    facts = Table.grid(padding=(0, 2))
    for name in FACTS:
        if value := getattr(lead, name):
            facts.add_row(name.replace("_", " "), value)
    since = lead.stage_at.astimezone(zone)
    facts.add_row("stage", f"{lead.stage} ({lead.pipeline}), since {since:%Y-%m-%d}")
    if lead.tags:
        facts.add_row("tags", ", ".join(lead.tags))
    for name, value in sorted(lead.attributes.items()):
        facts.add_row(f"attr.{name}", str(value))
    for stated in known.preferences:
        when = stated.said_at.astimezone(zone)
        facts.add_row(
            f"prefers.{stated.name}", f"{stated.value}  ({stated.said_by}, {when:%Y-%m-%d})"
        )
    for consent in known.consents:
        about = consent.topic or "everything"
        source = f", {consent.source}" if consent.source else ""
        when = consent.at.astimezone(zone)
        facts.add_row("consent", f"{consent.state} for {about} ({when:%Y-%m-%d}{source})")
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
        events.add_row(f"{when:%Y-%m-%d %H:%M}", entry.kind, entry.by, told(entry.data))
    screen.print(events if known.timeline else "Nothing has happened yet.")


def told(data: Mapping[str, Any]) -> str:
    """An event's data on one line."""
    parts = []
    for name, value in data.items():
        if name == "changed" and isinstance(value, Mapping):
            parts += [f"{field}: {_plain(b)} -> {_plain(a)}" for field, (b, a) in value.items()]
        elif value not in ("", None, [], {}):
            parts.append(f"{name}: {_plain(value)}")
    return ", ".join(parts)


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(map(str, value)) or "nothing"
    if isinstance(value, Mapping):
        return told(value)
    return str(value) if value not in ("", None) else "nothing"
