"""`potok templates shot`: pictures of a mail, taken by headless Chromium."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.cli.frame import REFUSED, Frame, command
from console.cli.rule_text import RULE
from console.cli.templates import templates

if TYPE_CHECKING:
    from rich.console import Console


@command(templates, "shot")
@click.argument("name")
@click.option("--lead", "email", metavar="EMAIL", help="For whom; without it, the first lead.")
@click.option(
    "--segment",
    metavar="NAME|RULE",
    help="For the first leads of a segment.",
    type=RULE,
)
@click.option(
    "--leads",
    "count",
    type=click.IntRange(1, 500),
    default=1,
    show_default=True,
    help="How many leads of the segment.",
)
@click.option(
    "--width",
    type=click.Choice(["phone", "desktop", "both"]),
    default="both",
    show_default=True,
    help="375 or 640 pixels, or a picture of each.",
)
@click.option("--dark", is_flag=True, help="On a dark screen, by the mail's own dark rules.")
@click.option(
    "--scale",
    type=click.IntRange(1, 3),
    default=1,
    show_default=True,
    help="2 gives pictures as sharp as a phone's screen.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("shots"),
    show_default=True,
    help="The folder the pictures go to.",
)
@click.option("--identity", metavar="NAME", help="Who writes; needed when there are several.")
def shot(
    frame: Frame,
    name: str,
    email: str | None,
    segment: str | None,
    count: int,
    width: str,
    dark: bool,
    scale: int,
    out: Path,
    identity: str | None,
) -> None:
    """Take pictures (PNG) of the mail as leads would see it, whole, phone and desktop.

    Needs Chromium. Nothing is fetched from the network: pictures on the web stay out, as in a mail
    program that waits for permission. A file is named after template, lead, width and mode.

    \b
    Example:
      potok templates shot welcome --lead anna@example.com
      potok templates shot welcome --segment hot --leads 5 --width phone --dark --out pictures
    """
    from console.chromium import find_chromium, runs_as_root
    from console.cli.templates_preview import crowd_of
    from console.errors import Refused
    from console.mail_parts import for_screen, open_mail
    from console.previewing import first_leads
    from console.previews import compiled_now, identity_name, lead_named, trial
    from console.shots import camera, file_name, widths_named
    from templates import RenderError

    if email and (segment or count != 1):
        raise click.UsageError("Give --lead for one lead, or --segment and --leads for several.")
    find_chromium()
    mails, failed = [], []
    with frame.workspace() as workspace:
        sender = workspace.settings.identities[identity_name(workspace, identity)]
        compiled = compiled_now(workspace, name)
        if all(texts.html is None for texts in compiled.texts.values()):
            raise Refused(f"{name} is text only: there is nothing to take a picture of")
        crowd = crowd_of(workspace, name, segment)
        for each in [email] if email else first_leads(workspace, crowd, count):
            lead = lead_named(workspace, each)
            try:
                written = trial(workspace, compiled, sender, lead)
            except RenderError as error:
                failed.append({"lead": lead.email, "error": str(error)})
                continue
            opened = open_mail(written.envelope.data)
            if opened.html is None:
                failed.append({"lead": lead.email, "error": "in this language it is text only"})
                continue
            mails.append((lead.email, for_screen(opened, dark=dark)))
    if mails and runs_as_root():
        frame.say(
            "Chromium runs without its own sandbox, since it refuses to have one for root; the "
            "mail gets no scripts and no network all the same."
        )
    rows: list[dict[str, Any]] = []
    if mails:
        out.mkdir(parents=True, exist_ok=True)
        with camera() as taking:
            for lead_email, html in mails:
                for which, pixels in widths_named(width):
                    picture = taking.take(html, width=pixels, dark=dark, scale=scale)
                    file = out / file_name(name, lead_email, width=which, dark=dark)
                    file.write_bytes(picture.png)
                    rows.append(
                        {
                            "file": str(file),
                            "lead": lead_email,
                            "width": which,
                            "mode": "dark" if dark else "light",
                            "pixels": [picture.width * scale, picture.height * scale],
                            "not_fetched": list(picture.refused),
                            "cut": picture.cut,
                        }
                    )

    def human(screen: "Console") -> None:
        for row in rows:
            wide, high = row["pixels"]
            screen.print(f"{row['file']}  {wide} x {high}" + (", cut" if row["cut"] else ""))
        if left := sorted({each for row in rows for each in row["not_fetched"]}):
            screen.print(f"Not fetched from the web: {', '.join(left)}")
        for each in failed:
            screen.print(f"No picture for {each['lead']}: {each['error']}", style="red")

    frame.emit({"template": name, "shots": rows, "failed": failed}, human)
    if failed:
        frame.exit(REFUSED)
