"""The receiver as a process of its own: started, asked, ended by its own pid."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from console.demo.answering import Answered, read_answered
from console.demo.behaviour import SHIPPED
from console.demo.record import Taken, read_record


class ReceiverProcess:
    """Starts the receiver on a free port and ends it at the end of the block.

    It also ends by itself when this process dies, however it dies.
    """

    def __init__(
        self,
        folder: Path,
        *,
        providers: Path = SHIPPED,
        port: int = 0,
        save_mail: bool = False,
        answers: Path | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.record = folder / "taken.jsonl"
        #: Where each mail lies as a file, when they are saved.
        self.mail = folder / "mail"
        # -P: in a workspace the folders campaigns, segments and templates are no packages of ours.
        command: Sequence[str] = [
            *(sys.executable, "-P", "-m", "console.demo.receiver", "--until-stdin-closes"),
            *("--port", str(port), "--record", str(self.record), "--providers", str(providers)),
            *(("--mail", str(self.mail)) if save_mail else ()),
            *(("--answers", str(answers)) if answers else ()),
        ]
        self._process = subprocess.Popen(  # noqa: S603 (our own program, no shell)
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        first = self._process.stdout.readline().strip() if self._process.stdout else ""
        if not first:
            self.stop()
            raise RuntimeError("the local receiver did not start")
        self.port = int(first)

    @property
    def pid(self) -> int:
        return self._process.pid

    def taken(self) -> list[Taken]:
        """Everything it took so far, oldest first."""
        return read_record(self.record)

    def accepted(self) -> list[str]:
        """The Message-IDs it took so far, oldest first; one taken twice is there twice."""
        return [line.message_id for line in self.taken()]

    def answered(self) -> list[Answered]:
        """Everything that was answered so far, oldest first; all there is once it has stopped."""
        return read_answered(self.record.with_name("answered.jsonl"))

    def stop(self) -> None:
        """Ends the process and waits for it. May be called twice."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.terminate()
        self._process.wait(timeout=10)

    def __enter__(self) -> "ReceiverProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
