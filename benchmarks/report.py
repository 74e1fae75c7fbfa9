"""The measurement as a page."""

from statistics import median

from benchmarks.pipeline import Round, Setting, ratio

_HEAD = """\
# Benchmarks

`make bench` runs the whole pipeline (plan, claim, render, envelope, SMTP, outcome; SQLite with
`synchronous=FULL`) against Debian's `smtp-sink`, beside `smtp-source -d` with the same number of
messages, size and connections, in turn. Absolute times belong to the machine of that day; trust the
ratios. `make bench ARGS="--messages 5000 --write"` writes this page anew.
"""


def report(setting: Setting, rounds: list[Round]) -> str:
    """Markdown: one row a round, medians, and where the time goes."""
    rows = [
        "| round | smtp-source, msg/s | potok, msg/s | ratio | planning, ms | CPU per message, us |"
        " commits per message |",
        "|---|---|---|---|---|---|---|",
    ]
    n = setting.messages
    for number, r in enumerate(rounds, 1):
        rows.append(
            f"| {number} | {n / r.smtp_source:,.0f} | {n / r.sending:,.0f} |"
            f" {r.smtp_source / r.sending:.3f} | {r.planning * 1000:.0f} |"
            f" {r.sender_cpu / n * 1e6:,.0f} | {r.commits / n:.3f} |"
        )
    size = median(r.size for r in rounds)
    return (
        f"{_HEAD}\n## The whole pipeline\n\n{n:,} messages of {size / 1000:.1f} kB, "
        f"{setting.connections} connections, {len(rounds)} rounds.\n\n"
        + "\n".join(rows)
        + f"\n\n**Median ratio to smtp-source -d: {ratio(rounds):.2f}.**\n"
    )
