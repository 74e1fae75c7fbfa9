"""`potok templates`: make, list, check, look at, and send to oneself."""

from typing import TYPE_CHECKING, Any

import click

from console.cli.frame import Frame, command, group

if TYPE_CHECKING:
    from rich.console import Console


templates = group("templates", help="What they read: make, check, preview.")


@command(templates, "new")
@click.argument("name")
@click.option("--from", "starter", metavar="STARTER", help="What to start from.")
@click.option("--text-only", is_flag=True, help="Plain text without an HTML part.")
def new(frame: Frame, name: str, starter: str | None, text_only: bool) -> None:
    """Write templates/NAME/ from a starter: welcome, powitanie (Polish) or followup (plain text).

    \b
    Example:
      potok templates new spring --from powitanie
      potok templates new hello --text-only
    """
    import re

    from console.errors import Refused
    from console.previews import refuse_unknown
    from templates import starters

    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", name):
        raise click.UsageError(f'"{name}" is no name: use small letters, digits, - and _.')
    known = starters()
    chosen = starter or ("followup" if text_only else "welcome")
    if chosen not in known:
        refuse_unknown("starter", chosen, list(known))
    if text_only and "body.html" in known[chosen]:
        plain = ", ".join(each for each, files in known.items() if "body.html" not in files)
        raise click.UsageError(f"{chosen} has an HTML part; plain text ones are: {plain}.")
    with frame.workspace() as workspace:
        folder = workspace.path / "templates" / name
        if folder.exists():
            raise Refused(f"templates/{name}/ is there already; choose another name")
        folder.mkdir(parents=True)
        for file, data in known[chosen].items():
            (folder / file).write_bytes(data)
    frame.emit(
        {"template": name, "from": chosen, "folder": str(folder), "files": sorted(known[chosen])},
        lambda screen: screen.print(
            f"Wrote {', '.join(sorted(known[chosen]))} to templates/{name}/. Edit them, look with "
            f"potok templates render {name} --lead EMAIL, then potok apply."
        ),
    )


@command(templates, "list")
def list_(frame: Frame) -> None:
    """Every template of the workspace, with its languages and whether it is applied.

    \b
    Example:
      potok templates list
    """
    from console.previews import compiled_now, names
    from leads import content_hash, current_versions
    from templates import SourceError, TemplateVersion

    rows: list[dict[str, Any]] = []
    with frame.workspace() as workspace:
        applied = {
            version.name: version.hash
            for version in workspace.database.read(lambda s: current_versions(s, TemplateVersion))
        }
        for name in names(workspace):
            row: dict[str, Any] = {"name": name, "languages": [], "html": None, "topic": ""}
            try:
                compiled = compiled_now(workspace, name)
            except SourceError as error:
                rows.append({**row, "state": "broken", "description": str(error)})
                continue
            same = applied.get(name) == content_hash(compiled.body())
            row["languages"] = list(compiled.languages)
            row["html"] = compiled.texts[""].html is not None
            row["topic"], row["description"] = compiled.topic, compiled.description
            row["state"] = "applied" if same else "edited" if name in applied else "new"
            rows.append(row)

    def human(screen: "Console") -> None:
        from rich.table import Table

        if not rows:
            screen.print("No template yet. Make one: potok templates new NAME")
            return
        table = Table("template", "state", "languages", "parts", "description", box=None)
        for row in rows:
            parts = {True: "HTML, text", False: "text", None: ""}[row["html"]]
            languages = ", ".join(row["languages"])
            table.add_row(row["name"], row["state"], languages, parts, row["description"])
        screen.print(table)

    frame.emit({"templates": rows}, human)


@command(templates, "render")
@click.argument("name")
@click.option("--lead", "email", required=True, metavar="EMAIL", help="For whom.")
@click.option("--html", "part", flag_value="html", help="Only the HTML part.")
@click.option("--text", "part", flag_value="text", help="Only the text part.")
@click.option("--headers", "part", flag_value="headers", help="Only the headers.")
@click.option("--identity", metavar="NAME", help="Who writes; needed when there are several.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to a file.")
def render(
    frame: Frame,
    name: str,
    email: str,
    part: str | None,
    identity: str | None,
    output: str | None,
) -> None:
    """Show the mail a lead would get, from the files as they are now. Nothing is sent.

    \b
    Example:
      potok templates render welcome --lead anna@example.com
      potok templates render welcome --lead anna@example.com --html -o anna.html
    """
    from pathlib import Path

    from console.mail_parts import open_mail
    from console.previews import compiled_now, identity_name, lead_named, trial

    with frame.workspace() as workspace:
        sender = workspace.settings.identities[identity_name(workspace, identity)]
        compiled = compiled_now(workspace, name)
        written = trial(workspace, compiled, sender, lead_named(workspace, email))
    opened, subject = open_mail(written.envelope.data), written.sent.subject
    if part == "html" and opened.html is None:
        from console.errors import Refused

        raise Refused(f"{name} is text only: there is no HTML part")
    parts = {"html": opened.html or "", "text": opened.text, "headers": opened.headers}
    shown = parts[part] if part else f"Subject: {subject}\n\n{opened.text}"
    if opened.attached and not part:
        shown += f"\nAttached: {', '.join(opened.attached)}\n"
    if output:
        Path(output).write_text(shown, encoding="utf-8")
        frame.say(f"Wrote {output}.")
    document = {
        "template": name,
        "lead": email,
        "language": written.sent.context["envelope"]["language"] or compiled.language,
        "subject": subject,
        "text": opened.text,
        "html": opened.html,
        "headers": opened.headers,
        "attachments": list(opened.attached),
        "read": written.sent.context["read"],
    }
    if frame.json or not output:
        frame.emit(document, lambda _: click.echo(shown, nl=not shown.endswith("\n")))
