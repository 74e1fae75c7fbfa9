"""`potok templates preview`: a template in the browser, alive."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.cli.frame import Frame, command
from console.cli.rule_text import RULE
from console.cli.templates import templates

if TYPE_CHECKING:
    from console.leafing import Crowd
    from console.wiring import Workspace


@command(templates, "preview")
@click.argument("name")
@click.option("--lead", "email", metavar="EMAIL", help="Whom to begin with.")
@click.option(
    "--segment",
    metavar="NAME|RULE",
    help="Leaf through the leads of a segment; without it, through all.",
    type=RULE,
)
@click.option("--identity", metavar="NAME", help="Who writes; needed when there are several.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Which port of this machine; without it, any free one.",
)
@click.option("--no-browser", is_flag=True, help="Only say the address, open nothing.")
@click.option(
    "--once",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.html",
    help="Write the page to a file and end.",
)
def preview(
    frame: Frame,
    name: str,
    email: str | None,
    segment: str | None,
    identity: str | None,
    port: int,
    no_browser: bool,
    once: Path | None,
) -> None:
    """Look at a template in the browser as leads would get it, while you write it.

    The page follows the files: each save shows at once, applied or not. Phone and desktop, light
    and dark, HTML, text, source and headers, with the findings of templates check beside. It is
    for this machine only (127.0.0.1) and changes nothing. Ctrl-C ends it.

    \b
    Example:
      potok templates preview welcome
      potok templates preview welcome --segment hot --lead anna@example.com
      potok templates preview welcome --lead anna@example.com --once anna.html
    """
    from console.previewing import Preview
    from console.previews import identity_name, lead_named

    with frame.workspace() as workspace:
        sender = workspace.settings.identities[identity_name(workspace, identity)]
        crowd = crowd_of(workspace, name, segment)
        begin = lead_named(workspace, email).email if email else ""
        viewed = Preview(workspace, name, sender, crowd, lead=begin)
        if once is None:
            from console.serving_look import serve_look

            browser = not no_browser and frame.attended
            serve_look(viewed, port=port, say=frame.say, browser=browser)
            return
        from console.web.preview_once import preview_page

        look = viewed.look("")
        html = viewed.mail(look.mail, dark=False) if look.mail else None
    once.write_text(preview_page(look, html), encoding="utf-8")
    wrong = None
    if look.wrong:
        wrong = ": ".join(each for each in (look.wrong.where, look.wrong.what) if each)
    frame.emit(
        {"template": name, "lead": look.lead.email, "file": str(once), "wrong": wrong},
        lambda screen: screen.print(wrong or f"Wrote {once}."),
    )
    if wrong:
        frame.exit(1)


def crowd_of(workspace: "Workspace", template: str, segment: str | None) -> "Crowd":
    """The leads of a segment or a rule, or all, and who of them may get mail of this template.

    Raises Refused or SegmentError.
    """
    from console.cli.segment_files import permission, read_files, topic_of
    from console.errors import ConsoleError
    from console.leafing import Crowd
    from console.previews import template_files

    template_files(workspace, template)
    try:
        topic = topic_of(workspace, template)
    except ConsoleError:
        topic = ""  # a half-written message.toml is told on the page
    return Crowd(
        name=segment or "",
        rule=read_files(workspace).rule(segment) if segment else None,
        permission=permission(workspace, topic=topic),
        now=workspace.now(),
        zone=workspace.settings.time_zone,
    )
