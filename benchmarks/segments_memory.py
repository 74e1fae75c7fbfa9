"""`python -m benchmarks.segments_memory URL`: counts each typical rule once; its peak, in kB."""

import resource
import sys

from sqlalchemy.engine import make_url

from benchmarks.counting import TYPICAL, product
from console.database import Database


def main() -> None:
    database = Database(make_url(sys.argv[1]))
    for each in TYPICAL:
        database.read(lambda session, rule=each.rule: product(session, rule))
    database.close()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


main()
