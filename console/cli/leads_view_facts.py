"""Deals, tasks and events of a lead on the screen."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from leads import Deal, Profile, Task


def money(amount: Decimal | str, currency: str) -> str:
    """12 000.00 PLN: without a grouping that another country reads as decimals."""
    return f"{Decimal(amount):,.2f} {currency}".replace(",", " ").strip()


def deal_line(each: "Deal") -> str:
    """One deal in a line."""
    parts = [f'#{each.id} "{each.name}"']
    if each.amount is not None:
        parts.append(money(each.amount, each.currency))
    parts.append(each.state)
    if each.expected_close and each.state == "open":
        parts.append(f"closes {each.expected_close}")
    return ", ".join(parts)


def deals_table(found: "Sequence[Deal]") -> "Table":
    """All deals of a lead."""
    from rich.table import Table

    table = Table("#", "deal", box=None)
    table.add_column("amount", justify="right")
    for heading in ("state", "closes", "opened (UTC)", "closed (UTC)"):
        table.add_column(heading)
    for each in found:
        table.add_row(
            str(each.id),
            each.name,
            "" if each.amount is None else money(each.amount, each.currency),
            each.state,
            str(each.expected_close or ""),
            f"{each.created_at:%Y-%m-%d}",
            f"{each.closed_at:%Y-%m-%d}" if each.closed_at else "",
        )
    return table


def due(at: datetime, zone: tzinfo) -> str:
    """A day, with the time when it is not the day's last minute."""
    there = at.astimezone(zone)
    return f"{there:%Y-%m-%d}" if f"{there:%H:%M}" == "23:59" else f"{there:%Y-%m-%d %H:%M}"


def choices(known: "Profile", *, zone: tzinfo, now: datetime) -> "Iterator[tuple[str, str]]":
    """What the lead chose on its preference page, a line each."""
    for topic, since in known.barred_topics.items():
        yield "chose", f"no mail about {topic} ({since.astimezone(zone):%Y-%m-%d})"
    wish = known.wish
    if wish is None:
        return
    if wish.per_week is not None:
        yield "chose", f"at most {wish.per_week} mail{'s' * (wish.per_week > 1)} a week"
    if wish.paused_until is not None and wish.paused_until > now:
        yield "chose", f"no mail until {wish.paused_until.astimezone(zone):%Y-%m-%d %H:%M}"


def told_choice(data: Mapping[str, Any]) -> str:
    """What a lead chose, as people would say it."""
    parts = [f"{'' if on else 'not '}{topic}" for topic, on in data.get("topics", {}).items()]
    if limit := data.get("per_week"):
        parts.append(f"at most {limit[1]} a week" if limit[1] else "as many as there are")
    if pause := data.get("paused_until"):
        parts.append(f"no mail until {pause[1][:10]}" if pause[1] else "the pause is over")
    if language := data.get("language"):
        parts.append(f"language {language[1]}")
    source = f" ({data['source']})" if data.get("source") else ""
    return "; ".join(parts) + source


def task_line(each: "Task", *, zone: tzinfo) -> str:
    """One task in a line."""
    parts = [f'#{each.id} "{each.title}"']
    if each.done_at is not None:
        parts.append(f"done {each.done_at.astimezone(zone):%Y-%m-%d}")
    elif each.due_at is not None:
        parts.append(f"due {due(each.due_at, zone)}")
    if each.owner:
        parts.append(each.owner)
    return ", ".join(parts)


def tasks_table(found: "Sequence[Task]", *, zone: tzinfo, now: datetime) -> "Table":
    """All tasks of a lead; what is overdue is red, and says so."""
    from rich.table import Table

    table = Table("#", "task", "due", "done", "owner", box=None)
    for each in found:
        late = each.done_at is None and each.due_at is not None and each.due_at < now
        table.add_row(
            str(each.id),
            each.title,
            (due(each.due_at, zone) if each.due_at else "") + (" overdue" if late else ""),
            f"{each.done_at.astimezone(zone):%Y-%m-%d}" if each.done_at else "",
            each.owner,
            style="red" if late else "dim" if each.done_at else None,
        )
    return table


def told_change(data: Mapping[str, Any]) -> str:
    """The event of a deal or a task as people would say it."""
    name = f'"{data["name"]}"' if data.get("name") else f'"{data.get("title", "")}"'
    file = f" [{data['file']}]" if data.get("file") else ""
    if data.get("what") == "opened":
        after = data.get("after", {})
        parts = [name]
        if after.get("amount") is not None:
            parts.append(money(after["amount"], after.get("currency", "")))
        if after.get("state", "open") != "open":
            parts.append(after["state"])
        for field, word in (("expected_close", "closes"), ("due_at", "due"), ("owner", "for")):
            if after.get(field):
                parts.append(f"{word} {_short(after[field])}")
        return ", ".join(parts) + file
    parts = [
        _change(field, before, after)
        for field, (before, after) in data.get("changed", {}).items()
        # The state and the time of the entry say the same.
        if field not in ("closed_at", "currency")
    ]
    return f"{name}: {', '.join(parts)}{file}"


def told_properties(data: Mapping[str, Any]) -> str:
    """An event of your own: its properties."""
    said = ((name, _yes(value)) for name, value in data.get("properties", {}).items())
    return ", ".join(f"{name} = {value}" for name, value in said)


def _change(field: str, before: Any, after: Any) -> str:
    if field == "done_at":
        return "done" if after else "to do again"
    name = field.removesuffix("_at").replace("_", " ")
    return f"{name} {_short(before)} -> {_short(after)}"


def _short(value: Any) -> str:
    """Instants without their seconds; what is empty as a dash."""
    text = str(value) if value not in ("", None) else "-"
    return text[:16].replace("T", " ") + " UTC" if text.endswith("Z") and "T" in text else text


def _yes(value: Any) -> Any:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
