"""The measurements as a page."""

import re
from pathlib import Path
from statistics import median

from benchmarks.pipeline import Round, Setting

_HEAD = """\
# Benchmarks

`make bench` runs the whole pipeline (plan, claim, render, envelope, SMTP, outcome; SQLite with
`synchronous=FULL`) against Debian's `smtp-sink`, beside `smtp-source -d` with the same number of
messages, size and connections, in turn. Absolute times belong to the machine of that day; trust the
ratios. `make bench ARGS="--messages 5000 --write"` writes this page anew.
"""


_WHERE = """
## Where the time goes

`py-spy record --gil -r 400 -f raw -o profile.txt -- python -m benchmarks --rounds 1`, one process
that writes its messages itself, 2.1 ms of CPU a message on the slow machine of that day (December
2026); [the picture](pipeline.svg) is of such a run.

| stage | share | us a message |
|---|---|---|
| rendering: HTML, text and subject (Jinja, fields) | 12.8 % | 270 |
| rendering: the text part put in order | 9.4 % | 200 |
| rendering: the rest | 3.1 % | 65 |
| envelope: quoted-printable | 17.3 % | 360 |
| envelope: header fields, boundaries, joining | 9.6 % | 200 |
| envelope: the last look | 3.2 % | 65 |
| links: signed tokens | 2.9 % | 60 |
| what is kept of the message | 4.9 % | 105 |
| SMTP dialogue | 12.1 % | 255 |
| lanes, outcomes handed on, event loop | 7.0 % | 145 |
| claim (writer thread) | 7.7 % | 160 |
| finish (writer thread) | 5.5 % | 115 |
| settling, savepoints, commits (writer thread) | 4.5 % | 95 |

Writing a message (63 %) can be done by other processes, and is as soon as they have started (two to
four seconds): then this one is left with claims, dialogue and books. A commit holds some thirteen
outcomes. Before outcomes were written down together and tokens, marks and recipients were made
cheaper, a message of half the size took as long, and the writer thread was the bound.
"""


def report(setting: Setting, rounds: list[Round]) -> str:
    """Markdown: one row a round, medians, and where the time goes."""
    rows = [
        "| round | smtp-source, msg/s | potok, msg/s | ratio | signed, msg/s | ratio |"
        " planning, ms | CPU per message, us | signed, us | commits per message |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    n = setting.messages
    for number, r in enumerate(rounds, 1):
        rows.append(
            f"| {number} | {n / r.smtp_source:,.0f} | {n / r.plain.sending:,.0f} |"
            f" {r.smtp_source / r.plain.sending:.3f} | {n / r.signed.sending:,.0f} |"
            f" {r.smtp_source / r.signed.sending:.3f} | {r.plain.planning * 1000:.0f} |"
            f" {r.plain.cpu / n * 1e6:,.0f} | {r.signed.cpu / n * 1e6:,.0f} |"
            f" {r.plain.commits / n:.3f} |"
        )
    size = median(r.plain.size for r in rounds)
    plain = median(r.smtp_source / r.plain.sending for r in rounds)
    signed = median(r.smtp_source / r.signed.sending for r in rounds)
    return (
        f"{_HEAD}\n## The whole pipeline\n\n{n:,} messages of {size / 1000:.1f} kB, "
        f"{setting.connections} connections, {len(rounds)} rounds.\n\n"
        + "\n".join(rows)
        + f"\n\n**Median ratio to smtp-source -d: {plain:.2f}; signed: {signed:.2f}.**"
        + f"\n{_WHERE}"
    )


PAGE = Path(__file__).parent / "README.md"


def write_section(name: str, text: str, *, page: Path = PAGE) -> None:
    """Puts `text` in place of what stands between the page's marks for this section.

    Raises LookupError when the page has no such section.
    """
    begin, end = f"<!-- measured: {name} -->", "<!-- end -->"
    written = page.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(written):
        raise LookupError(f"{page} has no section {name}")
    between = f"{begin}\n{text}\n{end}"
    page.write_text(pattern.sub(lambda _: between, written, count=1), encoding="utf-8")


def write_pipeline(text: str, *, page: Path = PAGE) -> None:
    """Writes the pipeline's part of the page anew; other parts stay as they are."""
    written = page.read_text(encoding="utf-8") if page.exists() else ""
    _, mark, rest = written.partition(_OTHERS)
    page.write_text(text + (f"\n{mark}{rest}" if mark else ""), encoding="utf-8")


#: Where the parts that other commands write begin.
_OTHERS = "## Segments"
