"""Makes the picture of the demo that the README shows: a real run, drawn when it is well under way.

python -m benchmarks.demo_picture docs/demo.svg
"""

import io
import re
import sys
import tempfile
from pathlib import Path

from rich.console import Console, RenderableType

from campaigns import Worker
from console.demo.play import play
from console.demo.tally import Tally
from console.demo.telling import tell_ready, tell_sums
from console.demo.view import picture
from console.wiring import SystemClock

WIDTH = 104


class Painter:
    """Keeps the view of one moment, at which not every answer is a yes."""

    def __init__(self, screen: Console) -> None:
        self._screen = screen
        self.view: RenderableType | None = None

    def ready(self, what: str, words: str) -> None:
        # The folder of this one run is nobody's business in a picture.
        tell_ready(self._screen, what, "my-first-workspace" if what == "workspace" else words)

    def sending(self) -> None:
        pass

    def look(self, tally: Tally, worker: Worker) -> None:
        now = SystemClock().now()
        colourful = len({line.state for line in tally.lines}) > 1
        if self.view is None and colourful and tally.settled > tally.planned * 0.35:
            self.view = picture(tally, worker.views(), now=now, width=WIDTH)
            self._screen.print(self.view)


def main(path: Path) -> None:
    screen = Console(record=True, file=io.StringIO(), width=WIDTH, markup=False, highlight=False)
    screen.print()
    with tempfile.TemporaryDirectory() as folder:
        played = play(Path(folder) / "workspace", Painter(screen), by="demo")
    tell_sums(screen, played)
    drawing = screen.export_svg(title="make demo", unique_id="demo")
    # Without the fonts rich would fetch from elsewhere: a picture asks nobody for anything.
    drawing = re.sub(r"@font-face \{.*?\}\s*", "", drawing, flags=re.DOTALL)
    path.write_text(drawing, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
