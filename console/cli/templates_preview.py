"""`potok templates preview`: a template in the browser, for one lead."""

from pathlib import Path

import click

from console.cli.frame import Frame, command
from console.cli.templates import templates


@command(templates, "preview")
@click.argument("name")
@click.option("--lead", "email", required=True, metavar="EMAIL", help="For whom.")
@click.option("--identity", metavar="NAME", help="Who writes; needed when there are several.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Which port of this machine; without it, any free one.",
)
@click.option(
    "--once",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.html",
    help="Write the page to a file and end.",
)
def preview(
    frame: Frame, name: str, email: str, identity: str | None, port: int, once: Path | None
) -> None:
    """Look at a template in the browser as EMAIL would get it, phone and desktop side by side.

    Each reload renders the files as they are then, applied or not. The page is for this machine
    only (127.0.0.1).

    \b
    Example:
      potok templates preview welcome --lead anna@example.com
      potok templates preview welcome --lead anna@example.com --once anna.html
    """
    from console.previewing import look_at, serve_look
    from console.previews import identity_name, template_files

    with frame.workspace() as workspace:
        sender = workspace.settings.identities[identity_name(workspace, identity)]
        template_files(workspace, name)
        first = look_at(workspace, name, email, sender)
        if once is None:
            serve_look(lambda: look_at(workspace, name, email, sender), port=port, say=frame.say)
            return
    from console.web.preview import preview_page

    once.write_text(preview_page(first), encoding="utf-8")
    frame.emit(
        {"template": name, "lead": email, "file": str(once), "wrong": first.wrong or None},
        lambda screen: screen.print(first.wrong or f"Wrote {once}."),
    )
    if first.wrong:
        frame.exit(1)
