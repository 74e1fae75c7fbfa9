"""A small world for sequences: leads, templates, an applied sequence, stages, a clock by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from campaigns import Sequence as SequenceVersion
from campaigns import open_sequences, read_sequence
from campaigns.advancing import follow
from campaigns.candidates import LaneRules
from campaigns.finish import Sent, finish
from campaigns.queue import Claimed, claim
from campaigns.settling import settle_runs
from campaigns.tables import Enrolment, Message, Run
from console.database import Database
from deliverability import Cause, Outcome, Phase, Verdict, lanes
from leads import JsonObject, Lead, Pipeline, Stage, freeze, move_stage
from segments import read_definition as read_segment
from templates import TemplateVersion, compile_template
from tests.campaigns.world import ANNA, MESSAGE, TEXT, ZONE, add_leads
from tests.conftest import NOW

STAGES = ("new", "contacted", "demo", "proposal", "won", "lost")
PIPELINES = {"sales": Pipeline(name="sales", stages=tuple(Stage(name=name) for name in STAGES))}
FILE: Mapping[str, Any] = {
    "identity": "anna",
    "trigger": {"stage": "demo"},
    "exit": {"stages": ["won", "lost"]},
    "step": [
        {"name": "hello", "send": "first"},
        {"name": "pause", "wait": "3 days"},
        {"name": "more", "send": "second"},
    ],
}
ACCEPTED = Outcome(verdict=Verdict.ACCEPTED, phase=Phase.DONE, code=250)
REJECTED = Outcome(verdict=Verdict.REJECTED, phase=Phase.DONE, code=554, cause=Cause.CONTENT)
UNKNOWN = Outcome(verdict=Verdict.IN_DOUBT, phase=Phase.BODY, reply="no answer")


def apply_sequence(
    session: Session,
    *,
    name: str = "after-demo",
    now: datetime = NOW,
    rule: str = "",
    when_in_doubt: str = "hold",
    text: str = TEXT,
    segments: Mapping[str, JsonObject] | None = None,
    **more: object,
) -> None:
    """Freezes two text templates and a sequence, and gives it its run."""
    for template in ("first", "second"):
        files = {"message.toml": MESSAGE.encode(), "body.txt": text.encode()}
        body = compile_template(template, files, segments=segments).body()
        freeze(session, TemplateVersion, template, body, now=now)
    definition = read_sequence(name, {**FILE, **more}, PIPELINES)
    body = definition.body()
    if rule:
        body["entry"] = read_segment("entry", {"description": "", "rule": rule}).body()
    freeze(session, SequenceVersion, name, body, now=now)
    opened(session, now=now, when_in_doubt=when_in_doubt)


def opened(session: Session, *, now: datetime = NOW, when_in_doubt: str = "hold") -> list[str]:
    dice = Random(str(now))
    return open_sequences(
        session,
        identities={"anna": ANNA},
        consent_required=False,
        when_in_doubt=when_in_doubt,
        token=lambda: f"{dice.getrandbits(48):012x}",
        now=now,
        by="test",
    )


@dataclass
class Stroll:
    """Leads on the way, moved by hand: `go` is one survey of a worker."""

    database: Database
    leads: Sequence[int] = ()
    now: datetime = NOW
    owner: str = "me"

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    def to(self, stage: str, *leads: int) -> None:
        """Moves these leads (all of them when none is named) to a stage."""

        def work(session: Session) -> None:
            for lead_id in leads or self.leads:
                move_stage(session, lead_id, "sales", stage, at=self.now, by="test")

        self.database.write(work)

    def go(self) -> int:
        """Moves everybody who can move now; returns how many moves there were."""
        total = 0
        while moved := self.database.write(lambda s: follow(s, now=self.now, zone=ZONE)):
            total += moved
        self.database.write(lambda s: settle_runs(s, now=self.now))
        return total

    def claim(self, limit: int = 100) -> tuple[Claimed, ...]:
        def work(session: Session) -> tuple[Claimed, ...]:
            rules = LaneRules(
                lane_id=lanes(session, "anna")["other"], identity="anna", per_day=None, zone=ZONE
            )
            return claim(
                session, rules, owner=self.owner, limit=limit, after_run=0, now=self.now
            ).claimed

        return self.database.write(work)

    def send(self, outcome: Outcome = ACCEPTED) -> int:
        """Claims what is due and lets the server say `outcome` to each."""
        taken = self.claim()

        def work(session: Session) -> None:
            for claimed in taken:
                finish(
                    session,
                    claimed,
                    outcome,
                    owner=self.owner,
                    now=self.now,
                    sent=Sent(subject="x", context={}, identity_version_id=1),
                    retry_after=None,
                    day=self.now.date(),
                    template="first",
                )

        self.database.write(work)
        return len(taken)

    def enrolments(self) -> list[Enrolment]:
        with self.database.reading() as session:
            return list(session.scalars(select(Enrolment).order_by(col(Enrolment.id))))

    def stands(self) -> list[tuple[str, str, str]]:
        """(state, reason, step) of every enrolment."""
        return [(each.state, each.reason, each.step) for each in self.enrolments()]

    def messages(self) -> list[tuple[int, str, str, str]]:
        """(pass, step, state, reason) of every message."""
        with self.database.reading() as session:
            return [
                (row.pass_, row.step, row.state, row.reason)
                for row in session.scalars(select(Message).order_by(col(Message.id)))
            ]

    def runs(self) -> list[Run]:
        with self.database.reading() as session:
            return list(session.scalars(select(Run).order_by(col(Run.id))))


def stroll(database: Database, leads: int = 1, **more: object) -> Stroll:
    """`leads` leads in stage new and an applied sequence that a demo starts."""
    ids = database.write(lambda s: add_leads(s, leads, stage="new"))
    database.write(lambda s: apply_sequence(s, **more))  # type: ignore[arg-type]
    return Stroll(database=database, leads=ids)


def lead_of(database: Database, lead_id: int) -> Lead:
    with database.reading() as session:
        return session.get_one(Lead, lead_id)
