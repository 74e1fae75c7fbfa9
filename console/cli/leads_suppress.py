"""`potok leads suppress|suppressed|unsuppress`: addresses that get no mail."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.cli.frame import UNDECIDED, Frame, command
from console.cli.leads import leads

if TYPE_CHECKING:
    from rich.console import Console


@command(leads, "suppress")
@click.argument("what", metavar="FILE|EMAIL")
@click.option("--encoding", help="The file's encoding, when the guess is wrong: cp1250, ...")
@click.option("--map", "mapping", multiple=True, help="Which column has the address: 'Mail=email'.")
def suppress(frame: Frame, what: str, encoding: str | None, mapping: tuple[str, ...]) -> None:
    """Never write to this address again, or to any in a file (one a line, or a CSV).

    Bring the opt-outs of the old tool before the first campaign. The addresses need not be leads.
    A column `reason` may say opted_out, hard_bounce or complaint; else the reason is imported.

    \b
    Example:
      potok leads suppress anna@example.com
      potok leads suppress opt-outs.csv
    """
    from console.suppressing import suppress_address, suppress_file

    with frame.workspace() as workspace:
        if Path(what).is_file() or "@" not in what:
            done = suppress_file(
                workspace, Path(what), encoding=encoding, mapping=mapping, by=frame.by
            )
        else:
            done = suppress_address(workspace, what, by=frame.by)

    def human(screen: "Console") -> None:
        screen.print(f"{done.added} suppressed, {done.already} were already.")
        for line, reason in done.rejected[:10]:
            screen.print(f"  line {line}: {reason}")
        if len(done.rejected) > 10:
            screen.print(f"  and {len(done.rejected) - 10} more lines without a good address")

    frame.emit(done.document(), human)
    if done.rejected:
        frame.exit(UNDECIDED)


@command(leads, "suppressed")
@click.option("--reason", help="Only for this reason: opted_out, hard_bounce, complaint, ...")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1), help="At most.")
def suppressed(frame: Frame, reason: str | None, limit: int) -> None:
    """Who gets no mail and why, newest first.

    Addresses are kept as fingerprints; without a lead only the fingerprint's beginning is shown.

    \b
    Example:
      potok leads suppressed
      potok leads suppressed --reason hard_bounce
    """
    from leads import count_suppressed, list_suppressed, reason_named

    reason = reason_named(reason) if reason else None
    with frame.workspace() as workspace, workspace.database.reading() as session:
        counts = count_suppressed(session)
        rows = list_suppressed(session, reason=reason, most=limit)

    def human(screen: "Console") -> None:
        from rich.table import Table

        if not rows:
            screen.print("Nobody is suppressed." if not reason else f"Nobody for {reason}.")
            return
        table = Table("address", "reason", "since (UTC)", "by", box=None)
        for row in rows:
            shown = row.email or f"address not kept ({row.address_key[:12]})"
            table.add_row(shown, row.reason, f"{row.at:%Y-%m-%d %H:%M}", row.by)
        screen.print(table)
        screen.print(", ".join(f"{name}: {count}" for name, count in counts.items()))

    frame.emit(
        {
            "total": sum(counts.values()),
            "reasons": counts,
            "suppressed": [
                {
                    "email": row.email,
                    "address_key": row.address_key,
                    "reason": row.reason,
                    "at": row.at,
                    "by": row.by,
                }
                for row in rows
            ],
        },
        human,
    )


@command(leads, "unsuppress")
@click.argument("email")
@click.option("--why", required=True, help="The reason; it stays on the timeline.")
def unsuppress(frame: Frame, email: str, why: str) -> None:
    """Lift a suppression: only when the person asked for it.

    \b
    Example:
      potok leads unsuppress anna@example.com --why "asked by phone to get the news again"
    """
    from leads import address_key, parse_address
    from leads import unsuppress as lift

    address = parse_address(email)
    with frame.workspace() as workspace:
        now, key = workspace.now(), address_key(address, workspace.keys.address)
        lifted = workspace.database.write(lambda s: lift(s, key, at=now, by=frame.by, why=why))
    frame.emit(
        {"email": address.email, "changed": lifted},
        lambda screen: screen.print(
            f"{address.email} may be written to again"
            if lifted
            else f"{address.email} was not suppressed"
        ),
    )
