"""A campaign's plan on the terminal."""

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from rich.console import Console

    from campaigns import Plan

_SIGN = {"error": "[x]", "warning": "[!]", "notice": "[i]", "info": "[i]"}
_COLOUR = {"error": "red", "warning": "yellow", "notice": "blue", "info": "blue"}


def show_plan(screen: "Console", name: str, plan: "Plan", *, zone: ZoneInfo) -> None:
    """Recipients, those left out by reason (the sum checked), lanes, the end, findings."""
    from rich.table import Table

    screen.print(f"{name}: plan {plan.plan_id}", style="bold")
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right")
    table.add_column()
    table.add_row(str(plan.matching), "leads match")
    for reason, count in plan.left_out.items():
        table.add_row(f"-{count}", f"left out: {reason.replace('_', ' ')}")
    table.add_row(str(plan.mailable), "get the mail")
    if plan.kept_back:
        table.add_row(str(plan.kept_back), "of them wait for the better variant")
    screen.print(table)
    if plan.matching != plan.mailable + sum(plan.left_out.values()):
        screen.print("These numbers do not add up: please report this.", style="red")
    for provider, count, per_minute in plan.lanes:
        screen.print(f"  {provider}: {count} at about {per_minute:.3g} a minute")
    finish = plan.forecast.finish_at
    if finish is not None:
        days = len(plan.forecast.per_day)
        over = f" ({days} sending days)" if days > 1 else ""
        screen.print(f"Ends about {finish.astimezone(zone):%Y-%m-%d %H:%M %Z} at this pace{over}.")
    elif plan.mailable:
        screen.print("It would take more than ten years: raise the pace or the day cap.")
    for finding in plan.findings:
        screen.print(
            f"{_SIGN.get(finding.level, '[?]')} {finding.where}: {finding.what}. {finding.do}",
            style=_COLOUR.get(finding.level, ""),
        )
