"""`potok database`: the schema's version and the way to the newest."""

from typing import TYPE_CHECKING

import click

from console.cli.frame import REFUSED, Frame, command, group

if TYPE_CHECKING:
    from rich.console import Console

database = group("database", help="The schema's version, and the way to the newest.")


@command(database, "status")
def status(frame: Frame) -> None:
    """Show which schema the database has and which this Potok wants.

    Ends with 1 when they differ.

    \b
    Example:
      potok database status
    """
    from console.schema_version import newest, present
    from console.settings import read_settings
    from console.wiring import find_workspace, open_database

    opened = open_database(read_settings(find_workspace(frame.directory)))
    try:
        have, wanted = present(opened), newest()
        where = opened.url.render_as_string(hide_password=True)
    finally:
        opened.close()

    def human(screen: "Console") -> None:
        screen.print(where)
        screen.print(f"has schema  {have or 'none: it is empty'}")
        screen.print(f"wants       {wanted}")
        if have != wanted:
            screen.print("Type potok database upgrade (after a backup).")

    frame.emit({"database": where, "present": have, "wanted": wanted}, human)
    if have != wanted:
        frame.exit(REFUSED)


@command(database, "upgrade")
@click.option("--yes", is_flag=True, help="Do not ask whether there is a backup.")
def upgrade_command(frame: Frame, yes: bool) -> None:
    """Bring the database to the schema of this Potok; makes an empty one where there is none.

    A SQLite file is copied aside first. For PostgreSQL make a backup yourself, and stop every
    potok that works on it.

    \b
    Example:
      potok database upgrade
      potok database upgrade --yes
    """
    from console.schema_version import newest, present
    from console.settings import read_settings
    from console.wiring import bring_up_to_date, find_workspace, open_database

    settings = read_settings(find_workspace(frame.directory))
    opened = open_database(settings, create=True)
    try:
        before = present(opened)
        server = opened.dialect != "sqlite"
        if before not in (None, newest()) and server:
            question = "Is there a backup, and has every other potok stopped?"
            if not frame.confirm(question, yes=yes):
                frame.say("Nothing was changed.")
                frame.exit(REFUSED)
        bring_up_to_date(opened, settings, say=frame.say, server=True)
        after = present(opened)
    finally:
        opened.close()
    frame.emit(
        {"before": before, "after": after},
        lambda screen: screen.print(
            f"Schema {after}, as it was." if before == after else f"Schema {after}."
        ),
    )


@command(database, "compact")
def compact(frame: Frame) -> None:
    """Write a SQLite file anew: smaller, and without a trace of what was deleted or erased.

    It takes seconds per gigabyte and as much room again. PostgreSQL does this by itself.

    \b
    Example:
      potok database compact
    """
    from console.errors import Refused

    with frame.workspace() as workspace:
        if workspace.database.dialect != "sqlite":
            raise Refused("PostgreSQL clears its files by itself (autovacuum): nothing to do")
        if not workspace.database.compact():
            raise Refused("Another potok works on the database: end it, then try again")
    frame.emit({"compacted": True}, lambda screen: screen.print("Done."))
