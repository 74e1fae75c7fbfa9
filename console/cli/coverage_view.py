"""What `potok templates coverage` says: on the terminal, as CSV, as one JSON document."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

    from console.covering import Covered
    from console.covering_desk import Told
    from templates import Group, Tally, Trait

#: More branches that some take are only counted.
_MANY = 20

HEADINGS = ("finding", "field_or_part", "where", "said", "lead_id", "email", "note")


def document(covered: "Covered") -> dict[str, Any]:
    """The totals for scripts; the first few leads of each finding."""
    from templates import OF_LEADS, TraitKind, ways

    tally = covered.tally
    return {
        "matching": covered.audience.matching,
        "left_out": covered.audience.left_out,
        "messages": tally.messages,
        "failed": tally.failed,
        "findings": [
            {
                **_trait(trait),
                "leads": group.count,
                "first": [behind._asdict() for behind in group.first],
            }
            for kind in OF_LEADS
            for trait, group in tally.of(kind)
        ],
        "branches": [
            {
                "where": way.branch.place,
                "branch": way.branch.text,
                "written": way.branch.written,
                "taken": way.taken.count,
                "asked": way.asked,
                "verdict": way.verdict,
                "first": [behind._asdict() for behind in way.taken.first],
            }
            for way in ways(covered.branches, tally)
        ],
        "languages": {trait.what: group.count for trait, group in tally.of(TraitKind.LANGUAGE)},
        "sizes": {
            name: [
                {"size": row.size, "lead_id": row.lead_id, "email": row.email, "subject": row.note}
                for row in rows
            ]
            for name, rows in tally.extremes.items()
        },
    }


def _trait(trait: "Trait") -> dict[str, str]:
    return {
        "finding": trait.kind.value,
        "what": trait.what,
        "where": trait.where,
        "said": trait.said,
    }


class JsonStream:
    """One JSON document on standard output whose `leads` are written as they come."""

    def __init__(self) -> None:
        self._any = False

    def tell(self, told: Sequence["Told"]) -> None:
        from console.document import to_json

        for one in told:
            row = _trait(one.trait) | {
                "lead_id": one.lead_id,
                "email": one.email,
                "note": one.note,
            }
            click.echo((",\n" if self._any else '{"leads": [\n') + to_json(row), nl=False)
            self._any = True

    def end(self, rest: Mapping[str, Any]) -> None:
        """The totals, and the end of the document."""
        from console.document import to_json

        begun = "" if self._any else '{"leads": ['
        click.echo(f"{begun}],\n{to_json(rest, indent=2)[1:]}")


@contextmanager
def write_csv(path: Path) -> Iterator[Callable[[Sequence["Told"]], None]]:
    """A file that is there complete or not at all, one row for each lead of each finding."""
    from console.exporting import whole_file

    with whole_file(path) as out:
        writer = csv.writer(out)
        writer.writerow(HEADINGS)

        def tell(told: Sequence["Told"]) -> None:
            for trait, lead_id, email, note in told:
                what = trait.kind.value, trait.what, trait.where, trait.said
                writer.writerow([*what, lead_id, email, note])

        yield tell


def show_coverage(
    screen: "Console",
    covered: "Covered",
    *,
    name: str,
    segment: str | None,
    file: Path | None,
) -> None:
    """The worst first, each finding with the first leads behind it."""
    tally, audience = covered.tally, covered.audience
    whom = f'"{segment}"' if segment else "everybody"
    out = sum(audience.left_out.values())
    left = f" ({out:,} of {audience.matching:,} leads are left out)" if out else ""
    if not tally.messages:
        screen.print(f"{name} for {whom}: there is nobody who may be written to{left}.")
        return
    screen.print(f"{name} for {whom}: {_messages(tally.messages)}{left}")
    _show_failed(screen, tally)
    _show_leads(screen, tally)
    _show_branches(screen, covered)
    _show_languages(screen, tally)
    _show_sizes(screen, tally)
    screen.print()
    if tally.failed:
        screen.print(
            f"{_messages(tally.failed)} of {tally.messages:,} cannot be made.", style="bold red"
        )
    else:
        screen.print(f"All of {_messages(tally.messages)} can be made.", style="green")
    if file is not None:
        screen.print(f"Every lead behind every finding is in {file}.")
    elif any(group.count > len(group.first) for group in tally.groups.values()):
        screen.print("Every lead behind every finding: add --csv FILE or --json.")


def _messages(number: int) -> str:
    return f"{number:,} message{'' if number == 1 else 's'}"


def _heading(screen: "Console", text: str, style: str) -> None:
    screen.print()
    screen.print(text, style=f"bold {style}".strip())


def _show_group(screen: "Console", words: str, group: "Group", *, notes: bool = False) -> None:
    """How many, what, and below it the first leads: address, lead id, what is particular."""
    shown = [
        f"{behind.email} ({behind.lead_id})" + (f' "{behind.note}"' if notes else "")
        for behind in group.first
    ]
    more = group.count - len(shown)
    _indented(screen, f"{group.count:>9,}  {words}")
    told = ", ".join(shown) + (f" and {more:,} more" if more else "")
    _indented(screen, f"{'':11}{told}", style="dim")


def _indented(screen: "Console", line: str, *, style: str = "") -> None:
    """A line that goes on below its eleventh column, on a terminal; a pipe gets it in one piece."""
    if not screen.is_terminal:
        screen.print(line, soft_wrap=True)
        return
    from rich.table import Table
    from rich.text import Text

    row = Table.grid(padding=0)
    row.add_column(width=11)
    row.add_column()
    row.add_row(line[:11], Text(line[11:], overflow="fold"))
    screen.print(row, style=style)


def _show_failed(screen: "Console", tally: "Tally") -> None:
    from templates import TraitKind

    found = tally.of(TraitKind.FAILED)
    if found:
        _heading(screen, "Cannot be made", "red")
    for trait, group in found:
        _show_group(screen, f"{trait.where}: {group.first[0].note}", group)


def _show_leads(screen: "Console", tally: "Tally") -> None:
    from templates import ODDITIES, TraitKind

    greetings = tally.of(TraitKind.GREETING)
    if greetings:
        _heading(screen, "Greetings without a name", "yellow")
    for trait, group in greetings:
        names = {"subject": "subject", "text": "text part", "html": "HTML part"}
        parts = ", ".join(names[part] for part in trait.what.split(", "))
        _show_group(screen, f"seen in: {parts}", group, notes=True)
    odd = tally.of(TraitKind.ODD)
    if odd:
        _heading(screen, "Odd names", "yellow")
    for trait, group in odd:
        _show_group(screen, f"{trait.what}: {ODDITIES[trait.said]}", group, notes=True)
    defaults, empty = tally.of(TraitKind.DEFAULT), tally.of(TraitKind.EMPTY)
    if defaults or empty:
        _heading(screen, "Fields without a value", "")
    for trait, group in defaults:
        _show_group(screen, f'{trait.what}: default "{trait.said}" of {trait.where}', group)
    for trait, group in empty:
        _show_group(screen, f"{trait.what}: no default, and the template does without", group)


def _show_branches(screen: "Console", covered: "Covered") -> None:
    from templates import ways

    found = ways(covered.branches, covered.tally)
    if not found:
        return
    _heading(screen, "Branches", "")
    said = {"never": "never", "always": "always", "unreached": "unreached"}
    mostly = [way for way in found if way.branch.written and way.verdict == "sometimes"]
    for way in found:
        if not way.branch.written or (len(mostly) > _MANY and way.verdict == "sometimes"):
            continue
        share = said.get(way.verdict, f"of {way.asked:,}")
        words = f"{way.taken.count:>9,}  {share:<10}  {way.branch.place}  {way.branch.text}"
        screen.print(words, style="yellow" if way.verdict in said else "")
    if len(mostly) > _MANY:
        screen.print(f"{'':11}{len(mostly)} others are taken by some and passed by others.")
    if any(way.branch.written and way.verdict == "unreached" for way in found):
        screen.print(f"{'':11}unreached: no message comes as far as the question.", style="dim")


def _show_languages(screen: "Console", tally: "Tally") -> None:
    from templates import TraitKind

    languages, fallbacks = tally.of(TraitKind.LANGUAGE), tally.of(TraitKind.FALLBACK)
    if len(languages) < 2 and not fallbacks:
        return
    _heading(screen, "Languages", "")
    for trait, group in languages:
        screen.print(f"{group.count:>9,}  in {trait.what}")
    for trait, group in fallbacks:
        reads = f"read {trait.what}" if trait.what else "of unknown language"
        _show_group(screen, f"{reads} and get {trait.said}", group)


def _show_sizes(screen: "Console", tally: "Tally") -> None:
    names = {
        "longest_subject": "longest subject",
        "shortest_subject": "shortest subject",
        "largest_html": "largest HTML part",
        "largest_message": "largest message, not signed",
    }
    if not tally.extremes:
        return
    _heading(screen, "Sizes", "")
    for name, words in names.items():
        if name in tally.extremes:
            row = tally.extremes[name][0]
            unit = "characters" if "subject" in name else "bytes"
            said = f': "{row.note}"' if row.note else ""
            who = f"{row.email} ({row.lead_id})"
            _indented(screen, f"{row.size:>9,}  {unit}, {words}{said}; {who}")
