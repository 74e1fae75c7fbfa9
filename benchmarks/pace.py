"""`python -m benchmarks.pace`: how well the pace finds limits nobody tells; writes pace.md."""

import argparse
from pathlib import Path

from benchmarks.hidden_limit import GREYLISTED, HOUR, UNCLEAR, Day, LeakyBucket, send

LIMITS = (0.1, 0.5, 1.0, 5.0, 20.0)
PENALTIES = (0, 30, 120)
HOURS = 8
PAGE = Path(__file__).with_name("pace.md")

_HEAD = """\
# How well the pace finds hidden limits

`python -m benchmarks.pace --write` writes this page. Everything happens on a virtual clock
(`hidden_limit.py`): a receiver that takes 10 messages at once and then so many per second, that
says "451 4.7.0 rate limit" to what is more, and after each violation refuses everything for so
long (the penalty). The lane begins with 0.2 messages per second and always has something to send;
its slots vary by 10 %, answers take a quarter of a second. Eight hours; each cell is the worst of
{seeds} seeds: the share of the hidden limit that was accepted after the first two hours / the
share of tries that was refused in that time / the share accepted in the whole eight hours.

The bars: 90 % and at most 2 % refused for penalties up to 30 s, 85 % for 120 s and for 5 %
greylisting.
"""


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.pace", description=__doc__)
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--write", action="store_true", help="write benchmarks/pace.md")
    given = options.parse_args()
    text = "\n".join(
        [_HEAD.format(seeds=given.seeds), *_limits(given.seeds), *_others(given.seeds)]
    )
    print(text)
    if given.write:
        PAGE.write_text(text + "\n", encoding="utf-8")


def _limits(seeds: int) -> list[str]:
    names = [f"penalty {penalty} s" for penalty in PENALTIES]
    rows = [
        "| hidden limit | " + " | ".join([*names, "5 % greylisted"]) + " |",
        "|---|---|---|---|---|",
    ]
    for limit in LIMITS:
        cells = [
            _worst([_day(limit, seed, penalty=penalty) for seed in range(seeds)], limit)
            for penalty in PENALTIES
        ]
        grey = [_day(limit, seed, noise=(0.05, GREYLISTED)) for seed in range(seeds)]
        rows.append(f"| {limit:g}/s | {' | '.join([*cells, _worst(grey, limit)])} |")
    return rows


def _others(seeds: int) -> list[str]:
    rows = [
        "",
        "## A limit that changes, and receivers of another kind",
        "",
        "| what | accepted per second, hour by hour | refused, hour by hour |",
        "|---|---|---|",
    ]
    for penalty in (0, 120):
        for before, after in ((5.0, 1.0), (1.0, 5.0)):
            bucket = LeakyBucket(
                lambda t, a=before, b=after: a if t < 4 * HOUR else b,  # type: ignore[misc]
                penalty=penalty,
            )
            day = send(bucket, hours=HOURS, seed=1)
            what = f"{before:g}/s, from the fifth hour {after:g}/s; penalty {penalty} s"
            rates = ", ".join(f"{each / HOUR:.2f}" for each in day.accepted)
            refused = ", ".join(f"{day.deferred(h, h + 1):.2%}" for h in range(HOURS))
            rows.append(f"| {what} | {rates} | {refused} |")
    rows += ["", "| 1/s, what is different | as above |", "|---|---|"]
    for burst in (1, 3, 30, 100):
        days = [_day(1.0, seed, burst=burst) for seed in range(seeds)]
        rows.append(f"| takes {burst} at once instead of 10 | {_worst(days, 1.0)} |")
    for share in (0.005, 0.05):
        days = [_day(1.0, seed, noise=(share, UNCLEAR)) for seed in range(seeds)]
        rows.append(f"| {share:.1%} refused with words that say nothing | {_worst(days, 1.0)} |")
    days = [_day(1.0, seed, penalty=600) for seed in range(seeds)]
    rows.append(f"| penalty of ten minutes | {_worst(days, 1.0)} |")
    return rows


def _day(limit: float, seed: int, *, penalty: float = 0, burst: float = 10, **more: object) -> Day:
    bucket = LeakyBucket(lambda _: limit, burst=burst, penalty=penalty)
    return send(bucket, hours=HOURS, seed=seed + 1, **more)  # type: ignore[arg-type]


def _worst(days: list[Day], limit: float) -> str:
    taken = min(day.taken(2) for day in days) / limit
    refused = max(day.deferred(2) for day in days)
    whole = min(day.taken() for day in days) / limit
    return f"{taken:.3f} / {refused:.2%} / {whole:.3f}"


if __name__ == "__main__":
    main()
