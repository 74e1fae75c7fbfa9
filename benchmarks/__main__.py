"""`python -m benchmarks`: the whole pipeline beside smtp-source; writes benchmarks/README.md."""

import argparse

from benchmarks.pipeline import Setting, measure
from benchmarks.report import report, write_pipeline


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    options.add_argument("--messages", type=int, default=2000, help="messages in each round")
    options.add_argument("--connections", type=int, default=10)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--write", action="store_true", help="write benchmarks/README.md")
    given = options.parse_args()
    setting = Setting(messages=given.messages, connections=given.connections, rounds=given.rounds)
    text = report(setting, measure(setting))
    print(text)
    if given.write:
        write_pipeline(text)


if __name__ == "__main__":
    main()
