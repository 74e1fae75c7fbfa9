"""`python -m benchmarks.coverage_memory WORKSPACE`: everybody covered; peaks of processes, kB."""

import json
import multiprocessing
import sys
from pathlib import Path

from benchmarks.segments_memory import peak
from console.covering import cover
from console.covering_desk import desk_for
from console.previews import compiled_now
from console.wiring import open_workspace
from segments import parse


def main() -> None:
    workspace = open_workspace(Path(sys.argv[1]))
    (sender,) = workspace.settings.identities.values()
    desk = desk_for(workspace, compiled_now(workspace, "welcome"), sender)
    rendering = 0

    def look(_done: int, _all: int) -> None:
        nonlocal rendering
        for child in multiprocessing.active_children():
            rendering = max(rendering, int(peak(child.pid)))

    cover(workspace, desk, parse("everyone"), processes=2, progress=look)
    workspace.close()
    print(json.dumps([int(peak()), rendering]))


# The processes that render import this file as well.
if __name__ == "__main__":
    main()
