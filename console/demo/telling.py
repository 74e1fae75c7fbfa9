"""What the demo says in words: before it sends, and when the sums are in."""

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from console.demo.lapse import TIMES
from console.demo.play import Played
from console.demo.stage import CAMPAIGN, SEGMENT, Stage


def tell_stage(screen: Console, stage: Stage, port: int) -> None:
    """What was made ready, step by step."""
    arrived, plan = stage.arrived, stage.plan
    left_out = sum(plan.left_out.values())
    screen.print()
    for head, rest in (
        ("workspace", f"{stage.workspace.path}"),
        (
            "leads",
            f"{arrived.added} came in from {arrived.read} rows; {arrived.rejected} were turned "
            f"down, {arrived.repeated} repeat somebody",
        ),
        ("opt-outs", f"{stage.suppressed} brought along from the old tool"),
        (
            "segment",
            f"{SEGMENT}: {plan.matching} match, {left_out} may not be written to, "
            f"{plan.mailable} get the mail",
        ),
        (
            "receivers",
            f"{len(stage.lanes)} providers on 127.0.0.1:{port}; a minute of pace passes in "
            f"{60 // TIMES} second",
        ),
    ):
        line = Text("  ✓ ", style="green")
        line.append(f"{head:<11}", style="bold")
        line.append(rest, style="default")
        screen.print(line)


def tell(screen: Console, played: Played) -> None:
    """The sums, where everything lies, what to type next."""
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
    someone = _someone(played)
    folder = played.stage.workspace.path
    screen.print()
    screen.print("  Look around:", style="bold")
    for command, what in (
        (f"cd {folder}", ""),
        (f"potok leads show {someone}", "one lead and everything that happened"),
        (f"potok campaigns status {CAMPAIGN}", "the campaign in numbers"),
        (f"potok segments count {SEGMENT}", "who matches, who is left out and why"),
        ("ls received/mail", "every mail as it arrived; open one"),
        ("potok init my-workspace", "and start your own"),
    ):
        line = Text("    ")
        line.append(f"{command:<58}", style="cyan")
        line.append(f" {what}" if what else "", style="dim")
        screen.print(line, soft_wrap=True)
    screen.print()


def _someone(played: Played) -> str:
    """Somebody whose mail arrived, the most interesting one: deferred first if there is such."""
    lines = [line for line in played.tally.lines if line.state == "accepted"]
    return lines[-1].email if lines else "EMAIL"


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
