"""`potok leads export-person`: everything that is held about one person."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.cli.frame import Frame, command
from console.cli.leads import leads

if TYPE_CHECKING:
    from rich.console import Console


@command(leads, "export-person")
@click.argument("email")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
def export_person(frame: Frame, email: str, file: Path | None) -> None:
    """Everything held about one person, to hand over to them: GDPR Art. 15 and 20.

    Fields, preferences, consent with its evidence, choices, suppression, deals, tasks, the whole
    timeline with notes and clicks, mails sent with what they said, mails that wait with what they
    would say now, mails that came back, sequences; of the records merged into it too. FILE ends
    with .json, .html or .txt and can be read by you alone; without FILE it is printed as text, or
    with --json as one document. It changes nothing.

    \b
    Example:
      potok leads export-person anna@example.com anna.json
      potok leads export-person anna@example.com anna.html
      potok leads export-person anna@example.com --json
    """
    from console.document import to_json
    from console.exporting import whole_file
    from console.person_file import person_document
    from console.person_page import person_html, person_text

    kind = file.suffix.lower() if file is not None else ""
    if file is not None and kind not in (".json", ".html", ".txt"):
        raise click.UsageError(f"{file.name}: a name that ends with .json, .html or .txt")
    with frame.workspace() as workspace:
        found = person_document(workspace, email)
        zone = workspace.settings.time_zone
    if file is None:
        # As it is, whatever it holds: no markup, no wrapping.
        frame.emit(found, lambda _screen: click.echo(person_text(found, zone), nl=False))
        return
    made = {
        ".json": lambda: to_json(found, indent=2) + "\n",
        ".html": lambda: person_html(found, zone),
        ".txt": lambda: person_text(found, zone),
    }[kind]()
    with whole_file(file) as out:
        out.write(made)

    def human(screen: "Console") -> None:
        screen.print(
            f"{file} holds all there is about {found['email']}: {len(found['messages'])} mails, "
            f"{len(found['queued'])} that wait, {len(found['answers'])} that came back, "
            f"{len(found['timeline'])} entries of the timeline."
        )

    counts = {name: len(found[name]) for name in ("messages", "queued", "answers", "timeline")}
    frame.emit({"email": found["email"], "file": str(file), **counts}, human)
