"""Clicks and opens of a run on a screen: what leads did, and what machines did instead of them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from campaigns import Clicked, Opened


def show_clicks(screen: "Console", found: "Clicked", accepted: int, *, links: bool) -> None:
    """One line, and with `links` those that most leads followed. Nothing when none is tracked."""
    if not found.tracked:
        return
    share = f" ({found.leads / accepted:.1%} of the accepted)" if accepted else ""
    leads = "1 lead" if found.leads == 1 else f"{found.leads:,} leads"
    scanned = (
        f"; the links of {found.scanned:,} were looked at by machines, which do not count"
        if found.scanned
        else ""
    )
    screen.print(f"{leads} clicked{share}{scanned}")
    if not links or not found.links:
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    for address, count in found.links:
        # As it is: an address may hold what would be markup.
        table.add_row(f"{count:,}", Text(address))
    screen.print(table)


#: What must stand beside any number of opens.
MEANING = (
    "An open is a picture that was fetched: many mail programs fetch none, and proxies fetch for "
    "people who never look. Compare mails by it, judge nobody by it."
)


def show_opens(screen: "Console", found: "Opened", accepted: int) -> None:
    """Two lines; nothing when opens are not counted."""
    if not found.tracked:
        return
    share = f" ({found.leads / accepted:.1%} of the accepted)" if accepted else ""
    screen.print(
        f"opened by people: {found.leads:,}{share}; fetched by machines only: {found.machines:,}"
    )
    screen.print(MEANING)
