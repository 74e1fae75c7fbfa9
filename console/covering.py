"""A template rendered for everybody it is for, in several processes, before anything is sent.

One process reads the recipients page by page on one snapshot and hands them to the others, which
render, compose and count; tallies come back in order and are merged. Never more than a few pages
are under way, so memory does not grow with the list.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from campaigns import Circumstances, asks, circumstances
from console.covering_desk import Asked, Desk, Part, Told, look
from console.errors import Refused
from console.processes import cores, quiet_start, spawned
from console.wiring import Workspace
from leads import Lead, Permission, recipients, why_left_out_of
from segments import Audience, Rule, audience, where
from templates import (
    Branch,
    NotingEnvironment,
    Tally,
    noting_environment,
)

#: Recipients handed over at once: some 0.1 s of work.
PAGE = 250
#: Fewer recipients are rendered sooner than another process begins.
_WORTH_A_PROCESS = 5_000
_NOTHING = Circumstances()
#: Recipients of a sample: rendered in a fifth of a second.
SAMPLE = 250


@dataclass(frozen=True, kw_only=True, slots=True)
class Covered:
    """What became of everybody."""

    tally: Tally
    #: Every branch of the template, taken or not.
    branches: tuple[Branch, ...]
    audience: Audience


def cover(
    workspace: Workspace,
    desk: Desk,
    rule: Rule,
    *,
    processes: int | None = None,
    tell: Callable[[Sequence[Told]], None] | None = None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Covered:
    """Renders for everybody `rule` fits who may be written to, in `processes` (one for each core).

    `tell` gets every line about a lead, in the order of lead ids; `progress` how many of how many
    are done. Raises Refused when a process ends that should not, SegmentError.
    """
    permission = Permission(
        topic=desk.compiled.topic,
        consent_required=workspace.settings.consent_required,
        double=workspace.settings.consent_double,
    )
    now, zone = desk.now, desk.zone
    found, done = Tally(), 0
    with workspace.database.reading() as session:
        counted = audience(session, rule, permission, now=now, zone=zone)
        conditions = (
            where(rule, now=now, zone=zone, whole=True),
            why_left_out_of(permission).is_(None),
        )
        wanted = processes or cores()
        if counted.mailable < _WORTH_A_PROCESS and processes is None:
            wanted = 1
        with (
            closing(_pages(session, desk, conditions)) as pages,
            closing(_looked(desk, pages, wanted, told=tell is not None)) as parts,
        ):
            for part, told in parts:
                found = found.merged(part)
                done += part.messages
                if tell is not None:
                    tell(told)
                progress(done, counted.mailable)
    branches = noting_environment(desk.compiled).branches
    return Covered(tally=found, branches=branches, audience=counted)


def cover_some(
    session: Session, desk: Desk, rule: ColumnElement[bool], permission: Permission, *, of: int
) -> Tally:
    """The same for some `SAMPLE` of the `of` leads, picked by their draw, in this process."""
    most = round(2**31 * min(1.0, SAMPLE / max(of, 1)))
    conditions = (rule, why_left_out_of(permission).is_(None), col(Lead.draw) <= most)
    environment, found, wanted = noting_environment(desk.compiled), Tally(), 2 * SAMPLE
    with closing(_pages(session, desk, conditions)) as pages:
        for page in pages:
            found = found.merged(look(desk, environment, page, told=False)[0])
            if found.messages >= wanted:
                break
    return found


def _pages(
    session: Session, desk: Desk, conditions: Sequence[ColumnElement[bool]]
) -> Generator[list[Asked], None, None]:
    """The recipients by lead id, a page at a time; the list itself is asked for once."""
    chosen = select(col(Lead.id)).where(*conditions).order_by(col(Lead.id))
    with closing(session.execute(chosen, execution_options={"yield_per": PAGE})) as ids:
        for page in ids.scalars().partitions(PAGE):
            wanted = [lead_id for lead_id in page if lead_id is not None]
            found = recipients(session, wanted)
            around: Mapping[int, Circumstances] = {}
            if asks(desk.compiled):
                around = circumstances(session, desk.compiled, wanted, now=desk.now, zone=desk.zone)
            yield [(found[lead_id], around.get(lead_id, _NOTHING)) for lead_id in wanted]


def _looked(
    desk: Desk, pages: Iterator[list[Asked]], processes: int, *, told: bool
) -> Generator[Part, None, None]:
    """Each page's part, in order."""
    if processes == 1:
        environment = noting_environment(desk.compiled)
        for page in pages:
            yield look(desk, environment, page, told=told)
        return
    waiting: deque[Future[Part]] = deque()
    with _pool(desk, processes) as pool:
        try:
            for page in pages:
                with quiet_start(begun=bool(waiting)):
                    waiting.append(pool.submit(_look, page, told))
                if len(waiting) > 2 * processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as broken:
            raise Refused(
                "A process that rendered was ended from outside (out of memory?); nothing was "
                "sent. Try again, or with --processes 1"
            ) from broken


@contextmanager
def _pool(desk: Desk, processes: int) -> Iterator[ProcessPoolExecutor]:
    pool = spawned(processes, _sit_down, desk)
    try:
        yield pool
    finally:
        # Also after Ctrl-C: what is being rendered ends in a moment, the rest never begins.
        pool.shutdown(wait=True, cancel_futures=True)


#: The desk of this process and its environment, when it is one of those that render.
_seat: list[tuple[Desk, NotingEnvironment]] = []


def _sit_down(desk: Desk) -> None:
    """Prepares a process that renders."""
    _seat.append((desk, noting_environment(desk.compiled)))


def _look(page: list[Asked], told: bool) -> Part:
    desk, environment = _seat[0]
    return look(desk, environment, page, told=told)
