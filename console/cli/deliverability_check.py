"""`potok deliverability check`: is this sender in order."""

from typing import TYPE_CHECKING, Any

import click

from console.cli.deliverability import deliverability
from console.cli.frame import REFUSED, Frame, command

if TYPE_CHECKING:
    from rich.console import Console

    from deliverability import PreflightRow

_MARKS = {
    "ok": ("ok", "green"),
    "info": ("info", "blue"),
    "warn": ("warn", "yellow"),
    "error": ("error", "red"),
    "unknown": ("?", "dim"),
}


@command(deliverability, "check")
@click.argument("identity", required=False)
@click.option("--campaign", help="Also its list, content, spam score and plan.")
@click.option("--evidence", is_flag=True, help="Show the records seen, also where all is well.")
def check(frame: Frame, identity: str | None, campaign: str | None, evidence: bool) -> None:
    """Look at DNS, the mail server and the opt-out page of who writes; say what to change.

    Receivers ask for SPF, DKIM, DMARC, a way back and one-click opt-out before they take bulk mail.
    Nothing is sent. Ends with 1 when something would have mails refused.

    \b
    Example:
      potok deliverability check anna
      potok deliverability check anna --campaign spring --json
    """
    from console.checkup import checkup

    with frame.workspace() as workspace:
        found = checkup(workspace, identity, campaign, say=frame.say)
    counts: dict[str, int] = dict.fromkeys(_MARKS, 0)
    for rows in found.values():
        for row in rows:
            counts[row.level] += 1

    def human(screen: "Console") -> None:
        for name, rows in found.items():
            screen.print(name, style="bold")
            for row, after in zip(rows, [*rows[1:], None], strict=True):
                # What is to be done about several rows in a row is said once, at the last.
                again = after is not None and after.remedy == row.remedy
                _show(screen, row, evidence=evidence, remedy="" if again else row.remedy)
        screen.print(_verdict(counts))

    frame.emit(_document(found, counts), human)
    if counts["error"]:
        frame.exit(REFUSED)


def _document(
    found: "dict[str, tuple[PreflightRow, ...]]", counts: dict[str, int]
) -> dict[str, Any]:
    return {
        "ok": not counts["error"],
        "counts": counts,
        "identities": [
            {"identity": name, "rows": [row.document() for row in rows]}
            for name, rows in found.items()
        ],
    }


def _show(screen: "Console", row: "PreflightRow", *, evidence: bool, remedy: str) -> None:
    from rich.table import Table
    from rich.text import Text

    mark, colour = _MARKS[row.level]
    table = Table.grid(padding=(0, 2))
    table.add_column(width=5, justify="right")
    table.add_column(width=11)
    table.add_column(overflow="fold")
    table.add_row(Text(mark, style=colour), Text(row.id, style="bold"), Text(row.what))
    if evidence or row.level in ("error", "warn"):
        for line in row.evidence:
            table.add_row("", "", Text(line, style="dim"))
    if remedy:
        table.add_row("", "", Text(f"-> {remedy}", style="" if row.level == "ok" else colour))
    screen.print(table)


def _verdict(counts: dict[str, int]) -> str:
    if counts["error"]:
        wrong = f"{counts['error']} thing{'s' if counts['error'] > 1 else ''}"
        return f"Not ready for bulk mail: {wrong} to put right."
    if counts["unknown"]:
        return f"No error found; {counts['unknown']} could not be looked at."
    return "Ready."
