"""A transport without a server: every message becomes an .eml file. For trying things out."""

from hashlib import sha256
from pathlib import Path

from deliverability.envelope import Envelope
from deliverability.outcome import Cause, Outcome, Phase, Verdict
from deliverability.transport import Fault


class FolderConnection:
    """Writes into one folder, named so that a second attempt replaces the first."""

    def __init__(self, folder: Path, *, fault: Fault | None = None) -> None:
        self._folder = folder
        self._fault = fault or (lambda point: None)
        self._messages = 0

    @property
    def usable(self) -> bool:
        return True

    @property
    def messages(self) -> int:
        return self._messages

    async def send(self, envelope: Envelope) -> Outcome:
        """ACCEPTED once the file stands under its name; DEFERRED when the disk refuses."""
        name = sha256(envelope.message_id.encode()).hexdigest()[:16]
        path = self._folder / f"{envelope.recipient.replace('/', '_')}-{name}.eml"
        self._messages += 1
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._fault("data")
            part = path.with_suffix(".part")
            part.write_bytes(envelope.data)
            self._fault("body")
            part.replace(path)
        except OSError as wrong:
            return Outcome(
                verdict=Verdict.DEFERRED,
                phase=Phase.MAIL,
                cause=Cause.NETWORK,
                reply=f"the file {path} cannot be written: {wrong.strerror}",
            )
        self._fault("reply")
        return Outcome(
            verdict=Verdict.ACCEPTED, phase=Phase.DONE, reply=f"written to {path}", relay_id=name
        )

    async def close(self) -> None:
        return None
