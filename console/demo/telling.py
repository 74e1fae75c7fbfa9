"""What the demo says in words: before it sends, and when the sums are in."""

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from campaigns import State
from console.demo.play import Played
from console.demo.stage import CAMPAIGN, SEGMENT


def tell_ready(screen: Console, what: str, words: str) -> None:
    """One line for each thing that was made ready."""
    line = Text("  ")
    line.append("✓ ", style="green")
    line.append(f"{what:<11}", style="bold")
    line.append(words)
    screen.print(line, soft_wrap=True)


def tell(screen: Console, played: Played, *, potok: str) -> None:
    """The sums, where everything lies, what to type next; `potok` is how the command is found."""
    tell_sums(screen, played)
    tell_next(screen, played, potok=potok)


def tell_sums(screen: Console, played: Played) -> None:
    """Each claim with whether it holds."""
    status = played.sums.status
    screen.print()
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    for claim in played.sums.claims:
        sign = Text("  ✓", style="green") if claim.holds else Text("  ✗", style="bold red")
        table.add_row(sign, Text(claim.sentence, style="" if claim.holds else "red"))
    screen.print(table)
    screen.print()
    put_off = sum(lane.put_off for lane in played.tally.lanes.values())
    screen.print(
        Text(
            f"  {status.accepted} mails in {played.seconds:.0f} seconds; receivers asked "
            f"{put_off} times to come back later, and were obeyed.",
            style="bold",
        )
    )


def tell_next(screen: Console, played: Played, *, potok: str) -> None:
    """Where the workspace is and what to type there."""
    someone = _someone(played)
    folder = played.stage.workspace.path
    screen.print()
    screen.print("  Look around:", style="bold")
    line = Text("    ")
    screen.print(line.append(f"cd {folder}", style="cyan"), soft_wrap=True)
    commands = (
        (f"{potok} leads show {someone}", "one lead and all that happened"),
        (f"{potok} campaigns status {CAMPAIGN}", "the campaign in numbers"),
        (f"{potok} segments count {SEGMENT}", "who matches, who is left out and why"),
        ("ls received/mail", "every mail as it arrived; open one"),
        (f"{potok} init my-workspace", "start your own"),
    )
    width = max(len(command) for command, _ in commands)
    for command, what in commands:
        line = Text("    ")
        line.append(f"{command:<{width}}", style="cyan")
        line.append(f"   {what}", style="dim")
        screen.print(line, soft_wrap=True)
    screen.print()


def _someone(played: Played) -> str:
    """Somebody whose mail arrived, at best one whose server wanted to see it twice."""
    return played.tally.twice or next(
        (line.email for line in played.tally.lines if line.state == State.ACCEPTED), "EMAIL"
    )


def document(played: Played) -> dict[str, Any]:
    """The same for scripts."""
    sums, arrived = played.sums, played.stage.arrived
    return {
        "ok": sums.hold,
        "workspace": str(played.stage.workspace.path),
        "seconds": round(played.seconds, 1),
        "leads": {
            "read": arrived.read,
            "added": arrived.added,
            "repeated": arrived.repeated,
            "rejected": arrived.rejected,
        },
        "matching": sums.matching,
        "recorded": sums.recorded,
        "claims": [{"holds": claim.holds, "what": claim.sentence} for claim in sums.claims],
        "status": sums.status.document(),
    }
