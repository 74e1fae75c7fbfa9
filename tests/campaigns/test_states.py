"""Whatever happens in whatever order: messages move as `states.MOVES` says; verify is content."""

import shutil
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy.engine import make_url

from campaigns import verify
from campaigns.choosing import choose, decide, release, settle_choice
from campaigns.doubt import recover, resolve
from campaigns.errors import NotPossible
from campaigns.finish import skip_unmade
from campaigns.queue import Claimed, Claims
from campaigns.runs import cancel, pause, resume
from campaigns.settling import cancel_rows, settle_runs
from campaigns.states import MOVES, RunState, State
from console.database import Database
from deliverability import Cause, Outcome, Phase, Verdict
from tests.campaigns.claims import SENT, TODAY, end, take
from tests.campaigns.split import world
from tests.campaigns.world import ZONE, rows, the_run
from tests.conftest import NOW

OUTCOMES = st.sampled_from(
    [
        Outcome(verdict=Verdict.ACCEPTED, phase=Phase.DONE, code=250),
        Outcome(verdict=Verdict.REJECTED, phase=Phase.RCPT, code=550, cause=Cause.ADDRESS),
        Outcome(verdict=Verdict.REJECTED, phase=Phase.MAIL, code=550, cause=Cause.SENDER),
        Outcome(verdict=Verdict.REJECTED, phase=Phase.DONE, code=554, cause=Cause.CONTENT),
        Outcome(verdict=Verdict.DEFERRED, phase=Phase.RCPT, code=450, cause=Cause.GREYLIST),
        Outcome(verdict=Verdict.UNSENT, phase=Phase.CONNECT, cause=Cause.NETWORK),
        Outcome(verdict=Verdict.IN_DOUBT, phase=Phase.BODY, cause=Cause.NETWORK),
    ]
)


class Queue(RuleBasedStateMachine):
    """Two senders, one after the other, a person at the command line, and a server of any mood."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        path = shutil.copy(self.template, self.folder / "potok.db")
        self.database = Database(make_url(f"sqlite:///{path}"))
        # Some leads try two variants, the others are kept back for the better one.
        goal = {"usual": 0.4, "detect": 0.5, "after": "5 minutes", "test": 0.6}
        self.world = world(self.database, leads=9, goal=goal)
        self.now = NOW
        self.owner = 0
        self.held: list[Claimed] = []
        self.before = self.states()

    def states(self) -> dict[int, State]:
        return {row.id or 0: State(row.state) for row in rows(self.database, self.world.run_id)}

    @rule(limit=st.integers(1, 4))
    def claims(self, limit: int) -> None:
        found = take(self.world, limit, owner=str(self.owner), now=self.now)
        self.held += found.claimed

    @rule(outcome=OUTCOMES, give_up=st.booleans())
    def finishes(self, outcome: Outcome, give_up: bool) -> None:
        if self.held:
            one = Claims(claimed=(self.held.pop(0),))
            wait = None if give_up else timedelta(minutes=5)
            end(
                self.world,
                one,
                outcome,
                owner=str(self.owner),
                now=self.now,
                retry_after=wait,
                sent=SENT,
            )

    @rule()
    def cannot_write(self) -> None:
        if self.held:
            one = self.held.pop(0)
            self.database.write(
                lambda s: skip_unmade(
                    s, one, owner=str(self.owner), now=self.now, why="no name", day=TODAY
                )
            )

    @rule()
    def dies_and_starts_again(self) -> None:
        # What the dead sender held stays in its hands: finishing it later must change nothing.
        self.owner += 1
        self.database.write(lambda s: recover(s, owner=str(self.owner), now=self.now))

    @rule(verdict=st.sampled_from(["sent", "resend", "give-up"]))
    def person_settles(self, verdict: str) -> None:
        self.database.write(
            lambda s: resolve(s, self.world.run_id, verdict=verdict, now=self.now, by="ola")
        )

    @rule(minutes=st.sampled_from([1, 10, 60 * 24 * 3]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def paused_and_resumed(self) -> None:
        if the_run(self.database, self.world.run_id).state == RunState.RUNNING:
            self.database.write(lambda s: pause(s, "hello", reason="wait"))
            assert take(self.world, 4, now=self.now).claimed == ()
            self.database.write(lambda s: resume(s, "hello", now=self.now))

    @rule()
    def cancelled(self) -> None:
        run = the_run(self.database, self.world.run_id)
        if run.state == RunState.RUNNING and self.now > NOW + timedelta(days=6):
            self.database.write(lambda s: cancel(s, "hello", reason="no"))
            self.database.write(lambda s: cancel_rows(s, self.world.run_id, now=self.now))

    @rule()
    def decides(self) -> None:
        run = the_run(self.database, self.world.run_id)
        choice, _ = self.database.read(lambda s: decide(s, run, now=self.now))
        if choice is not None:
            self.database.write(lambda s: settle_choice(s, self.world.run_id, choice))

    @rule(variant=st.sampled_from(["hello", "short"]))
    def person_chooses(self, variant: str) -> None:
        with suppress(NotPossible):
            self.database.write(lambda s: choose(s, "hello", variant, now=self.now, by="ola"))

    @rule()
    def lets_the_rest_go(self) -> None:
        self.database.write(lambda s: release(s, self.world.run_id, now=self.now, zone=ZONE))

    @rule()
    def settles(self) -> None:
        self.database.write(lambda s: settle_runs(s, now=self.now))

    @invariant()
    def only_moves_of_the_table(self) -> None:
        after = self.states()
        assert after.keys() == self.before.keys()
        for message, state in after.items():
            was = self.before[message]
            assert state == was or state in MOVES[was], (message, was, state)
        self.before = after

    @invariant()
    def verify_finds_nothing(self) -> None:
        with self.database.reading() as session:
            assert verify(session, self.world.run_id) == []

    def teardown(self) -> None:
        self.database.close()
        shutil.rmtree(self.folder)


@pytest.mark.slow
def test_messages_move_as_the_table_says_and_verify_finds_nothing(
    sqlite_template: Path, proof: bool
) -> None:
    """100 random walks through the queue (12 in the short form, others in every run)."""
    Queue.template = sqlite_template
    run_state_machine_as_test(
        Queue,
        settings=settings(
            max_examples=100 if proof else 12,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
