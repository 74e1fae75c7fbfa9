"""What the demo counts while it watches the worker; the database has the last word afterwards."""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from campaigns import Claimed, State
from deliverability import Cause, Outcome

#: Width of the curve of each lane, in cells of `CELL`.
CELLS = 16
CELL = timedelta(seconds=0.5)

#: Causes in few words.
WHY = {
    Cause.ADDRESS: "no such user",
    Cause.MAILBOX: "mailbox full",
    Cause.RATE: "too fast for them",
    Cause.GREYLIST: "greylisted",
}

#: Mails of the sequence, as they tick by.
FOLLOWED = ("taken, about the demo", "taken, the reminder")

#: State of a line that tells of an answer.
ANSWER = "answer"
#: Answers in few words, by the kind of event they wrote.
ANSWERS = {
    "replied": "wrote back",
    "autoreplied": "out of office",
    "bounced": "came back",
    "opted_out": "wants no more mail",
}


@dataclass(kw_only=True, slots=True)
class LaneTally:
    """One provider's lane."""

    provider: str
    planned: int
    accepted: int = 0
    refused: int = 0
    skipped: int = 0
    #: Messages that a server wants to see again later.
    deferred: set[int] = field(default_factory=set)
    #: How often a server asked us to come back.
    put_off: int = 0
    _curve: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=CELLS))

    @property
    def waiting(self) -> int:
        """Not settled yet, the deferred ones included."""
        return self.planned - self.accepted - self.refused - self.skipped

    def note(self, cell: int) -> None:
        """One more was accepted in this cell of time."""
        if self._curve and self._curve[-1][0] == cell:
            self._curve[-1] = (cell, self._curve[-1][1] + 1)
        else:
            self._curve.append((cell, 1))

    def curve(self, cell: int) -> list[int]:
        """Accepted messages in each of the last cells, oldest first."""
        found = dict(self._curve)
        return [found.get(cell - back, 0) for back in range(CELLS - 1, -1, -1)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One message as it ticks by."""

    state: str
    code: int | None
    name: str
    email: str
    words: str


class Tally:
    """The worker's observer: keeps numbers per lane and the last few lines."""

    def __init__(
        self,
        planned: Mapping[int, tuple[str, int]],
        *,
        now: Callable[[], datetime],
        sequence: str = "",
    ) -> None:
        self.lanes = {
            lane_id: LaneTally(provider=provider, planned=count)
            for lane_id, (provider, count) in planned.items()
        }
        self.began = now()
        self.lines: deque[Line] = deque(maxlen=8)
        #: Somebody whose mail was taken at the second try.
        self.twice = ""
        #: What came back, by the kind of event.
        self.answers: Counter[str] = Counter()
        #: The sequence beside the campaign, and how many of its mails each lead got.
        self.sequence = sequence
        self.followed: Counter[int] = Counter()
        self._now = now

    @property
    def planned(self) -> int:
        return sum(lane.planned for lane in self.lanes.values())

    @property
    def settled(self) -> int:
        return sum(lane.planned - lane.waiting for lane in self.lanes.values())

    def cell(self, now: datetime) -> int:
        """Which cell of the curves `now` falls into."""
        return int((now - self.began) / CELL)

    def finished(self, claimed: Claimed, outcome: Outcome, state: State | None) -> None:
        """One attempt is over and written down."""
        if claimed.campaign == self.sequence:
            self._followed(claimed, outcome, state)
            return
        lane = self.lanes.get(claimed.lane_id)
        if lane is None or state is None:
            return
        if state is State.ACCEPTED and claimed.message_id in lane.deferred:
            self.twice = claimed.recipient.email
        lane.deferred.discard(claimed.message_id)
        if state is State.ACCEPTED:
            lane.accepted += 1
            lane.note(self.cell(self._now()))
        elif state is State.REJECTED:
            lane.refused += 1
        elif state is State.PLANNED and outcome.code is not None:
            lane.put_off += 1
            lane.deferred.add(claimed.message_id)
        self._tick(claimed, outcome, state)

    def _followed(self, claimed: Claimed, outcome: Outcome, state: State | None) -> None:
        if state is None:
            return
        if state is State.ACCEPTED:
            self.followed[claimed.recipient.lead_id] += 1
            if lane := self.lanes.get(claimed.lane_id):
                lane.note(self.cell(self._now()))
        self._tick(claimed, outcome, state)

    def _tick(self, claimed: Claimed, outcome: Outcome, state: State) -> None:
        words = "taken" if state is State.ACCEPTED else WHY.get(outcome.cause, outcome.reply)
        if state is State.ACCEPTED and claimed.campaign == self.sequence:
            words = f"{FOLLOWED[self.followed[claimed.recipient.lead_id] > 1]}"
        self.lines.append(
            Line(
                state=state,
                code=outcome.code,
                name=claimed.recipient.name,
                email=claimed.recipient.email,
                words=words,
            )
        )

    def answered(self, kind: str, *, name: str, email: str) -> None:
        """Somebody's answer was read."""
        self.answers[kind] += 1
        words = ANSWERS.get(kind, kind)
        self.lines.append(Line(state=ANSWER, code=None, name=name, email=email, words=words))

    def skipped(self, claimed: Claimed, why: str) -> None:
        """A message that was not sent after all."""
        lane = self.lanes.get(claimed.lane_id)
        if lane is not None and claimed.campaign != self.sequence:
            lane.skipped += 1
        person = claimed.recipient
        self.lines.append(
            Line(state="skipped", code=None, name=person.name, email=person.email, words=why)
        )

    def said(self, text: str) -> None:
        """Remarks of the worker are visible in the lanes already."""
