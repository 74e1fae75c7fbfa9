"""What the demo says in words: before it sends, and when the sums are in."""

from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from campaigns import State
from console.demo.play import Played
from console.demo.someone import Somebody
from console.demo.stage import CAMPAIGN, SEGMENT, SEQUENCE


def tell_ready(screen: Console, what: str, words: str) -> None:
    """One line for each thing that was made ready."""
    line = Text("  ")
    line.append("✓ ", style="green")
    line.append(f"{what:<11}", style="bold")
    line.append(words)
    screen.print(line, soft_wrap=True)


#: An event's kind and data -> a sentence.
Told = Callable[[str, Mapping[str, Any]], str]


def tell(screen: Console, played: Played, *, potok: str, told: Told) -> None:
    """The sums, one lead's timeline, where everything lies, what to type next.

    `potok` is how the command is found, `told` how an event is put into words.
    """
    tell_sums(screen, played)
    if played.somebody is not None:
        tell_timeline(screen, played.somebody, told=told)
    tell_next(screen, played, potok=potok)


def tell_sums(screen: Console, played: Played) -> None:
    """Each claim with whether it holds."""
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
            f"  {played.sums.recorded} mails in {played.seconds:.0f} seconds; receivers asked "
            f"{put_off} times to come back later, and were obeyed.",
            style="bold",
        )
    )


def tell_timeline(screen: Console, lead: Somebody, *, told: Told) -> None:
    """All that happened to one lead who wrote back."""
    screen.print()
    head = Text("  One of those who wrote back: ", style="bold")
    screen.print(head.append(f"{lead.name}, {lead.company}", style="bold cyan"), soft_wrap=True)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for at, kind, data in lead.timeline:
        words = MOMENTS[kind](data) if kind in MOMENTS else told(kind, data)
        table.add_row(f"    {at:%H:%M:%S}", kind.replace("_", " "), Text(words))
    screen.print(table)


#: Events in the demo's own words; the others are told as everywhere.
MOMENTS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "sent": lambda data: str(data.get("subject", "")),
    "replied": lambda data: str(data.get("words") or data.get("subject", "")),
    "enrolled": lambda data: f"begins {data.get('campaign')}",
    "sequence_exited": lambda data: f"out of {data.get('campaign')}: {data.get('reason')}",
}


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
        (f"{potok} answers list", "what came back"),
        (f"{potok} campaigns status {CAMPAIGN}", "the campaign in numbers"),
        (f"{potok} sequences status {SEQUENCE}", "who is where in the sequence"),
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
    """Somebody who wrote back; else one whose server wanted to see the mail twice."""
    if played.somebody is not None:
        return played.somebody.email
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
        "matching": played.stage.plan.matching,
        "recorded": sums.recorded,
        "answered": sums.answered,
        "sequence": {
            "leads": played.stage.moved,
            "sent": sum(played.tally.followed.values()),
        },
        "somebody": played.somebody.email if played.somebody is not None else None,
        "claims": [{"holds": claim.holds, "what": claim.sentence} for claim in sums.claims],
        "status": sums.status.document(),
    }
