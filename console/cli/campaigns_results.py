"""`potok campaigns status, verify, results`: how a run stands, and whether to believe it."""

from typing import TYPE_CHECKING, Any

import click

from console.cli.campaigns import campaigns
from console.cli.frame import REFUSED, UNDECIDED, Frame, command

if TYPE_CHECKING:
    from rich.console import Console
    from sqlmodel import Session

    from campaigns import Choice, Clicked, Comparison, Opened, Run, Status, VariantResults


@command(campaigns, "status")
@click.argument("name")
def status(frame: Frame, name: str) -> None:
    """Every message of the newest run, counted by state; the sums are checked.

    Where links are tracked, also the leads that clicked.

    \b
    Example:
      potok campaigns status spring --json
    """
    from campaigns import clicked_in, opened_in, require_run, status_of
    from console.holding import show_stopped, what_stops

    with frame.workspace() as workspace:

        def look(session: "Session") -> "tuple[Status, Clicked, Opened, Run]":
            run = require_run(session, name)
            clicked, opened = clicked_in(session, run), opened_in(session, run)
            return status_of(session, run), clicked, opened, run

        found, clicked, opened, run = workspace.database.read(look)
        stopped = what_stops(workspace, run, warnings=True)
    document = found.document() | {
        "clicks": clicked.document() if clicked.tracked else None,
        "opens": opened.document() if opened.tracked else None,
        "breakers": [each.document() for each in stopped],
    }

    def human(screen: "Console") -> None:
        _show(screen, found, clicked)
        show_stopped(screen.print, stopped)

    frame.emit(document, human)
    if not found.check():
        frame.say("The parts do not add up to the whole: please run potok campaigns verify.")
        frame.exit(REFUSED)
    if found.in_doubt:
        frame.exit(UNDECIDED)


def _show(screen: "Console", found: "Status", clicked: "Clicked") -> None:
    from rich.table import Table

    from console.cli.clicks_view import show_clicks

    reason = f" ({found.reason})" if found.reason else ""
    screen.print(f"{found.campaign}: {found.state}{reason}", style="bold")
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right")
    table.add_column()
    table.add_row(str(found.planned), "leads matched")
    deferred = f" ({found.deferred} were asked to come back)" if found.deferred else ""
    for count, words in (
        (found.waiting, f"waiting{deferred}"),
        (
            found.reserved,
            f"kept back for the better variant: potok campaigns results {found.campaign}",
        ),
        (found.sending, "on the wire"),
        (found.accepted, "accepted"),
        (found.in_doubt, f"in doubt: potok campaigns resolve {found.campaign}"),
        (found.cancelled, "cancelled"),
        (found.expired, "expired before they could leave"),
    ):
        if count or words == "accepted":
            table.add_row(str(count), words)
    for reason, count in sorted(found.rejected_for.items()):
        table.add_row(str(count), f"rejected: {_words(reason)}")
    for reason, count in sorted(found.skipped.items()):
        table.add_row(str(count), f"left out: {_words(reason)}")
    screen.print(table)
    happened = {kind: count for kind, count in found.events.items() if count}
    if happened:
        screen.print("  ".join(f"{count} {_words(kind)}" for kind, count in happened.items()))
    show_clicks(screen, clicked, found.accepted, links=False)


def _words(name: str) -> str:
    return name.replace("_", " ")


@command(campaigns, "verify")
@click.argument("name")
def verify(frame: Frame, name: str) -> None:
    """Check that messages, attempts and timelines tell the same story.

    \b
    Example:
      potok campaigns verify spring
    """
    from campaigns import require_run, status_of
    from campaigns import verify as check_run

    with frame.workspace() as workspace:

        def work(session: object) -> tuple[list[object], bool, int]:
            from sqlmodel import Session

            assert isinstance(session, Session)  # noqa: S101 - what read hands over
            run = require_run(session, name)
            counted = status_of(session, run)
            return list(check_run(session, run.id or 0)), counted.check(), counted.planned

        found, adds_up, planned = workspace.database.read(work)
    from campaigns import Contradiction

    broken = [c for c in found if isinstance(c, Contradiction)]
    ok = not broken and adds_up

    def human(screen: "Console") -> None:
        if ok:
            screen.print(f"{name}: {planned} messages, no contradiction found.")
        for c in broken:
            numbers = ", ".join(map(str, c.examples))
            screen.print(f"{c.id}: {c.count} break the rule that {c.should} (numbers {numbers})")
        if not adds_up:
            screen.print("sums: the states do not add up to the number of messages")

    frame.emit(
        {
            "ok": ok,
            "campaign": name,
            "messages": planned,
            "sums": adds_up,
            "contradictions": [
                {"id": c.id, "should": c.should, "count": c.count, "examples": list(c.examples)}
                for c in broken
            ],
        },
        human,
    )
    if not ok:
        frame.exit(REFUSED)


@command(campaigns, "results")
@click.argument("name")
def results(frame: Frame, name: str) -> None:
    """What came of it: accepted, replied, bounced, complained, opted out, as shares.

    Where links are tracked: leads that clicked and the links they followed. Where opens are
    counted: those of people, and apart from them the fetches of machines. What security scanners
    did counts nowhere.

    \b
    Example:
      potok campaigns results spring
    """
    from campaigns import (
        choice_of,
        clicked_in,
        compare,
        opened_in,
        require_run,
        status_of,
        variant_results,
    )
    from console.cli.clicks_view import show_clicks, show_opens

    with frame.workspace() as workspace:
        now = workspace.now()

        def look(session: "Session") -> "Any":
            run = require_run(session, name)
            variants = variant_results(session, run, now=now)
            visits = clicked_in(session, run), opened_in(session, run)
            return status_of(session, run), compare(session, run), variants, choice_of(run), visits

        found, compared, variants, choice, (clicked, opened) = workspace.database.read(look)
    base = found.accepted
    shares = {
        kind: {"messages": count, "share_of_accepted": round(count / base, 4) if base else None}
        for kind, count in found.events.items()
    }

    def human(screen: "Console") -> None:
        screen.print(f"{name}: {found.accepted} accepted of {found.planned} leads matched")
        for kind, row in shares.items():
            share = row["share_of_accepted"]
            percent = f"{share:.1%}" if share is not None else "-"
            screen.print(f"{row['messages']:>8}  {percent:>6}  {_words(kind)}")
        show_clicks(screen, clicked, base, links=True)
        show_opens(screen, opened, base)
        if variants:
            _show_variants(screen, variants)
            _show_choice(screen, name, choice, found.reserved)
        if compared.held_out:
            _show_compared(screen, compared)

    frame.emit(
        {
            "campaign": name,
            "state": found.state,
            "matched": found.planned,
            "accepted": found.accepted,
            "rejected": found.rejected,
            "in_doubt": found.in_doubt,
            "events": shares,
            "clicks": clicked.document() if clicked.tracked else None,
            "opens": opened.document() if opened.tracked else None,
            "compared": compared.document() if compared.held_out else None,
            "variants": variants.document() if variants else None,
            "kept_back": found.reserved,
            "choice": choice.body() if choice else None,
        },
        human,
    )


def _show_compared(screen: "Console", compared: "Comparison") -> None:
    from rich.table import Table

    screen.print(
        f"\n{compared.held_out} leads were held out and got nothing. Since the start:", style="bold"
    )
    if not compared.effects:
        screen.print("nobody of either group moved to another stage")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("moved to", "written to", "held out", "the mail's doing, with 95 % certainty"):
        table.add_column(heading, justify="left" if heading == "moved to" else "right")
    for each in compared.effects:
        sure = "" if each.low > 0 or each.high < 0 else ": may be chance"
        table.add_row(
            each.stage,
            f"{each.written / compared.written:.1%} of {compared.written}",
            f"{each.held_out / compared.held_out:.1%} of {compared.held_out}",
            f"{each.difference * 100:+.1f} points ({each.low * 100:+.1f} to "
            f"{each.high * 100:+.1f}{sure})",
        )
    screen.print(table)


def _show_variants(screen: "Console", found: "VariantResults") -> None:
    from rich.table import Table

    events = ("replied", "clicked")
    what = found.goal.what if found.goal.what in events else f"moved to {found.goal.what}"
    table = Table(box=None, pad_edge=False)
    early = found.verdict.state == "early"
    judged = f"{what} so far" if early else f"{what}, of those judged"
    for heading in ("variant", "accepted", "clicked", "replied", "opted out", judged):
        table.add_column(heading, justify="left" if heading == "variant" else "right")
    for each in found.variants:
        arm = each.judged
        said = str(arm.reached) if early else f"{arm.reached} of {arm.leads} ({arm.share:.1%})"
        counts = (each.events.get(kind, 0) for kind in ("clicked", "replied", "opted_out"))
        table.add_row(each.name, str(each.accepted), *map(str, counts), said)
    screen.print()
    screen.print(table)
    verdict = found.verdict
    words = {
        "won": f"{verdict.winner} is better: {verdict.why}.",
        "undecided": f"Not decided, and it will not be: {verdict.why}.",
        "early": f"Not decided yet: {verdict.why}.",
    }
    screen.print(words[verdict.state])


def _show_choice(screen: "Console", name: str, choice: "Choice | None", reserved: int) -> None:
    """What the leads get that were kept back."""
    if choice is not None and choice.number is not None:
        who = f" by {choice.by or 'a person'}" if choice.how == "person" else ""
        still = f"; {reserved:,} of them wait for potok run" if reserved else ""
        when = f"{choice.at:%Y-%m-%d %H:%M} UTC"
        screen.print(f"Chosen {when}{who}: those kept back get {choice.variant}{still}.")
    elif choice is not None:
        screen.print(f"{reserved:,} leads wait for you: potok campaigns choose {name} VARIANT")
    elif reserved:
        screen.print(
            f"{reserved:,} leads wait for the better one, and get it while potok run runs; you may "
            f"choose before: potok campaigns choose {name} VARIANT"
        )
