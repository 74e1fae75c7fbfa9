"""`potok segments`: rules that choose leads. The language is in docs/segments.md."""

from typing import TYPE_CHECKING, Any

import click

from console.cli import offers
from console.cli.frame import REFUSED, Frame, command, group
from console.cli.rule_text import RULE

if TYPE_CHECKING:
    from rich.console import Console

segments = group("segments", help="Which leads: rules that choose them.")

#: What a preview shows unless told otherwise.
COLUMNS = "email,name,company,country,stage,stage_age"


@command(segments, "create")
@click.argument("name", shell_complete=offers.segment)
@click.argument("rule", type=RULE, shell_complete=offers.new_rule)
@click.option("--description", default="", help="One line for the list.")
@click.option("--replace", is_flag=True, help="Write over a segment of this name.")
def create(frame: Frame, name: str, rule: str, description: str, replace: bool) -> None:
    """Write segments/NAME.toml and apply it.

    \b
    Example:
      potok segments create hot 'stage in (demo, proposal) and country = PL'
    """
    from console.cli.segment_files import permission, read_files, write_file
    from console.cli.segment_view import counts, show_counts
    from leads import freeze
    from segments import SegmentVersion, audience, close, read_definition

    with frame.workspace() as workspace:
        files = read_files(workspace)
        definition = read_definition(name, {"description": description, "rule": rule})
        closed = close(definition, files.definitions, stages=files.stages)
        now, zone = workspace.now(), workspace.settings.time_zone
        body, tree = closed.body(), closed.rule()
        path = write_file(workspace, definition, replace=replace)
        workspace.database.write(lambda s: freeze(s, SegmentVersion, name, body, now=now))
        found = workspace.database.read(
            lambda s: audience(
                s,
                tree,
                permission(workspace),
                now=now,
                zone=zone,
                cap=workspace.settings.delivery.frequency,
            )
        )

    def human(screen: "Console") -> None:
        screen.print(f"Wrote segments/{path.name} and applied it.")
        show_counts(screen, found, workspace.settings.delivery.frequency)

    frame.emit({"segment": name, "file": str(path), "rule": rule, **counts(found)}, human)


@command(segments, "check")
@click.argument("given", metavar="[NAME|RULE]", required=False, type=RULE)
def check(frame: Frame, given: str | None) -> None:
    """Read a rule, a segment, or all of them, and say what is wrong.

    \b
    Example:
      potok segments check
      potok segments check 'contry = PL'
    """
    from console.cli.segment_files import read_files
    from console.errors import ConsoleError
    from segments import SegmentError, say

    with frame.workspace() as workspace:
        files = read_files(workspace)
    names = [given] if given else sorted([*files.definitions, *files.mistakes])
    rows: list[dict[str, Any]] = []
    for name in names:
        key = "name" if name in files.definitions or name in files.mistakes else "given"
        try:
            rows.append({key: name, "ok": True, "rule": say(files.rule(name))})
        except (ConsoleError, SegmentError) as error:
            rows.append({key: name, "ok": False, "error": str(error)})

    def human(screen: "Console") -> None:
        for row in rows:
            label = f"{row['name']}: " if "name" in row else ""
            text = row["rule"] if row["ok"] else row["error"]
            screen.print(f"{label}{text}" if row["ok"] else text, style="" if row["ok"] else "red")
        if not rows:
            screen.print("No segment yet. Make one: potok segments create NAME 'RULE'")

    ok = all(row["ok"] for row in rows)
    frame.emit({"ok": ok, "segments": rows}, human)
    if not ok:
        frame.exit(REFUSED)


@command(segments, "count")
@click.argument("given", metavar="NAME|RULE", type=RULE)
@click.option("--topic", default="", help="For mail about this topic: consent goes by topic.")
@click.option(
    "--template",
    metavar="NAME",
    help="The same, with the topic of this template.",
    shell_complete=offers.template,
)
def count(frame: Frame, given: str, topic: str, template: str | None) -> None:
    """Count the leads a segment or a rule fits, and those we may write to.

    \b
    Example:
      potok segments count hot
      potok segments count 'prefers.topic = pricing and not stage = won' --template welcome
    """
    from console.cli.segment_files import permission, read_files, topic_of
    from console.cli.segment_view import counts, show_counts
    from segments import audience

    if topic and template:
        raise click.UsageError("Give --topic or --template, not both: a template has its topic.")
    with frame.workspace() as workspace:
        rule = read_files(workspace).rule(given)
        about = topic_of(workspace, template) if template else topic
        allowed = permission(workspace, topic=about)
        now, zone = workspace.now(), workspace.settings.time_zone
        cap = workspace.settings.delivery.frequency
        found = workspace.database.read(
            lambda s: audience(s, rule, allowed, now=now, zone=zone, cap=cap)
        )

    def human(screen: "Console") -> None:
        if about:
            screen.print(f'For mail about "{about}":')
        show_counts(screen, found, cap)

    document = {"topic": about} if about else {}
    frame.emit(document | counts(found), human)


@command(segments, "list")
def list_(frame: Frame) -> None:
    """Every segment: its rule, how many leads it fits, whether the file is applied.

    \b
    Example:
      potok segments list
    """
    from console.cli.segment_files import permission, read_files
    from console.cli.segment_view import counts
    from console.errors import ConsoleError
    from leads import content_hash, current_versions
    from segments import SegmentError, SegmentVersion, audience

    with frame.workspace() as workspace:
        files = read_files(workspace)
        now, zone = workspace.now(), workspace.settings.time_zone
        cap = workspace.settings.delivery.frequency
        allowed = permission(workspace)

        def work(session: Any) -> list[dict[str, Any]]:
            applied = {each.name: each for each in current_versions(session, SegmentVersion)}
            rows: list[dict[str, Any]] = []
            for name in sorted({*files.definitions, *files.mistakes, *applied}):
                row: dict[str, Any] = {"name": name, "rule": "", "description": ""}
                version = applied.get(name)
                try:
                    if name in files.definitions or name in files.mistakes:
                        definition = files.closed(name)
                        same = version and version.hash == content_hash(definition.body())
                        row["state"] = "applied" if same else "edited" if version else "new"
                        row["rule"] = definition.rule_text
                        row["description"] = definition.description
                        found = audience(
                            session, definition.rule(), allowed, now=now, zone=zone, cap=cap
                        )
                        row |= counts(found)
                    elif version is not None and version.body is not None:
                        row |= {"state": "removed", "rule": version.body["rule"]}
                except (ConsoleError, SegmentError) as error:
                    row |= {"state": "mistake", "error": str(error)}
                rows.append(row)
            return rows

        rows = workspace.database.read(work)

    def human(screen: "Console") -> None:
        from rich.table import Table

        if not rows:
            screen.print("No segment yet. Make one: potok segments create NAME 'RULE'")
            return
        table = Table(box=None, pad_edge=False)
        table.add_column("segment", no_wrap=True)
        for heading in ("leads", "mailable", "left out"):
            table.add_column(heading, justify="right")
        table.add_column("state")
        table.add_column("rule")
        for row in rows:
            numbers = ["", "", ""]
            if "matching" in row:
                found = row["matching"], row["mailable"], sum(row["left_out"].values())
                numbers = [f"{number:,}" for number in found]
            table.add_row(row["name"], *numbers, row["state"], " ".join(row["rule"].split()))
        screen.print(table)
        for row in rows:
            if "error" in row:
                screen.print(row["error"], style="red")
        if any(row.get("left_out") for row in rows):
            screen.print("leads = mailable + left out; potok segments count NAME says why.")
        if any(row["state"] in ("edited", "new", "removed") for row in rows):
            screen.print("potok apply puts the edited files in force.")

    frame.emit({"segments": rows}, human)


@command(segments, "preview")
@click.argument("given", metavar="NAME|RULE", type=RULE)
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=10,
    show_default=True,
    help="At most so many.",
)
@click.option(
    "--columns",
    default=COLUMNS,
    show_default=True,
    help="Fields as rules spell them.",
    shell_complete=offers.columns,
)
def preview(frame: Frame, given: str, limit: int, columns: str) -> None:
    """Show the first leads of a segment or a rule.

    \b
    Example:
      potok segments preview hot --limit 5 --columns email,attr.industry,prefers.topic,tag
    """
    from console.cli.segment_files import permission, read_files
    from segments import preview as first_leads

    names = [name.strip() for name in columns.split(",") if name.strip()]
    with frame.workspace() as workspace:
        rule = read_files(workspace).rule(given)
        now, zone = workspace.now(), workspace.settings.time_zone
        rows = workspace.database.read(
            lambda s: first_leads(
                s, rule, permission(workspace), names, limit=limit, now=now, zone=zone
            )
        )

    def human(screen: "Console") -> None:
        from rich.table import Table

        if not rows:
            screen.print("No lead fits.")
            return
        table = Table(*(name.replace("_", " ") for name in rows[0]), box=None, pad_edge=False)
        for row in rows:
            table.add_row(*(_cell(name, value) for name, value in row.items()))
        screen.print(table)

    frame.emit({"leads": rows}, human)


def _cell(name: str, value: Any) -> str:
    from console.cli.segment_view import reason_said

    if value is None:
        return ""
    if name == "stage_age":
        return f"{value} d"
    if name == "left_out":
        return reason_said(str(value))
    if hasattr(value, "strftime"):
        return str(value.strftime("%Y-%m-%d %H:%M"))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.15g}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
