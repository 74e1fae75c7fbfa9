"""`python -m benchmarks.planning_memory URL`: plans a run for everybody; its peak, in kB."""

import sys

from sqlalchemy.engine import make_url

from benchmarks.planning import plan_once
from benchmarks.segments_memory import peak

plan_once(make_url(sys.argv[1]))
print(peak())
