"""`potok leads export`: leads as CSV or JSON lines."""

import sys
from pathlib import Path

import click

from console.cli.frame import Frame, command
from console.cli.leads import choosing, leads


@command(leads, "export")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--segment", help="Only those this segment (or rule) chooses now.")
@click.option("--stage", help="Only those in this stage.")
@click.option("--lines", is_flag=True, help="One JSON object a line instead of CSV.")
def export(
    frame: Frame, file: Path | None, segment: str | None, stage: str | None, lines: bool
) -> None:
    """Write leads to FILE or standard output; `leads import` reads the CSV back.

    A name ending in .jsonl means --lines. The column left_out says why somebody gets no mail.

    \b
    Example:
      potok leads export leads.csv
      potok leads export --stage demo --lines | head
    """
    from console.exporting import export_leads, whole_file

    lines = lines or (file is not None and file.suffix in (".jsonl", ".ndjson"))
    with frame.workspace() as workspace:
        conditions = choosing(workspace, stage=stage, segment=segment)
        if file is None:
            export_leads(workspace, conditions, sys.stdout, lines=lines or frame.json)
            return
        with whole_file(file) as out:
            count = export_leads(workspace, conditions, out, lines=lines)
    frame.emit(
        {"leads": count, "file": str(file)},
        lambda screen: screen.print(f"{count} leads are in {file}"),
    )
