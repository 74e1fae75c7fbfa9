"""`python -m benchmarks.segments_memory URL`: counts each typical rule once; its peak, in kB."""

import sys
from pathlib import Path

from sqlalchemy.engine import make_url

from benchmarks.counting import TYPICAL, product
from console.database import Database


def main() -> None:
    database = Database(make_url(sys.argv[1]))
    for each in TYPICAL:
        database.read(lambda session, rule=each.rule: product(session, rule))
    database.close()
    print(peak())


def peak(pid: int | None = None) -> str:
    """The most memory this process (or the one with this id) had, in kB."""
    # Not getrusage: a child begins with the highest mark of the process that started it.
    status = Path(f"/proc/{pid or 'self'}/status").read_text(encoding="ascii")
    return next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
