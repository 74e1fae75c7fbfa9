"""`potok templates check`: what would embarrass, before anybody gets it."""

from typing import TYPE_CHECKING, Any

import click

from console.cli.frame import REFUSED, Frame, command
from console.cli.templates import templates

if TYPE_CHECKING:
    from rich.console import Console

    from templates import Finding

_COLOURS = {"error": "red", "warning": "yellow", "notice": "cyan"}


@command(templates, "check")
@click.argument("name", required=False)
@click.option("--lead", "email", metavar="EMAIL", help="Whose mail SpamAssassin is shown.")
@click.option("--identity", metavar="NAME", help="Who writes; else the first of potok.toml.")
def check(frame: Frame, name: str | None, email: str | None, identity: str | None) -> None:
    """Look for what would embarrass: misspelt fields, a missing opt-out link, links that lead
    nowhere or somewhere else, text that is hard to read, CSS that mail clients do not know.

    Where SpamAssassin's spamd answers, it shows the score of the mail as it would leave and the
    rules behind it. Without NAME every template is checked. Exit code 1 when there is an error.

    \b
    Example:
      potok templates check
      potok templates check welcome --lead anna@example.com
      potok templates check welcome --json
    """
    from console.checking import checked
    from console.previews import names

    with frame.workspace() as workspace:
        found = checked(
            workspace,
            [name] if name else names(workspace),
            email=email,
            identity=identity,
        )
    count = {"error": 0, "warning": 0, "notice": 0}
    for findings in found.values():
        for finding in findings:
            count[finding.level] += 1
    checks = sum(1 for each in found if each)

    def human(screen: "Console") -> None:
        for each, findings in found.items():
            for finding in findings:
                _show(screen, each, finding)
        if not checks:
            screen.print("No template yet. Make one: potok templates new NAME")
        elif not any(count.values()):
            screen.print(f"{checks} checked, nothing to complain about.")
        else:
            told = ", ".join(f"{n} {word}{'s' * (n != 1)}" for word, n in count.items())
            screen.print(f"{checks} checked: {told}.")

    document: list[dict[str, Any]] = [
        {
            "template": each or None,
            "id": finding.id,
            "level": finding.level,
            "where": finding.where,
            "what": finding.what,
            "do": finding.do,
        }
        for each, findings in found.items()
        for finding in findings
    ]
    names_checked = [each for each in found if each]
    frame.emit({"checked": names_checked, "errors": count["error"], "findings": document}, human)
    if count["error"]:
        frame.exit(REFUSED)


def _show(screen: "Console", template: str, finding: "Finding") -> None:
    place = f"templates/{template}/{finding.where}" if template else finding.where
    screen.print(f"{finding.level:<8}", style=_COLOURS[finding.level], end="")
    screen.print(f"{place}: {finding.what}; {finding.do} ({finding.id})")
