"""Starts by schedule: what is armed, what is due, and the rows that say what became of it.

`run.occurrence` is the only memory. Everything here is computed from applied versions and runs, so
it can be asked again at any time, and asking twice starts nothing twice.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from campaigns.definition import CampaignDefinition, of_body
from campaigns.errors import AlreadyRan, CampaignError
from campaigns.finding import Finding
from campaigns.findings import findings_of
from campaigns.missed import Decision, missed, occurrence_of
from campaigns.runs import SCHEDULE, Terms, latest_run, open_run, unanswered
from campaigns.schedule import next_start
from campaigns.start import Prepared, begin, drop_unanswered, prepare
from campaigns.states import RunState
from campaigns.tables import Campaign, Run
from campaigns.when import When
from deliverability import Identity
from leads import Permission, current_versions

_OPEN = (RunState.PLANNING, RunState.RUNNING, RunState.PAUSED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Starting:
    """What a start needs of the workspace."""

    identities: Mapping[str, Identity]
    consent_required: bool
    consent_double: bool = False
    base_url: str
    #: Domains that links of templates may lead to; none allow every domain.
    link_domains: tuple[str, ...] = ()
    when_in_doubt: str
    #: 48-bit random hex (12 digits) for a new run.
    token: Callable[[], str]
    #: (campaign, only who is new) -> what others say of its mail, a spam filter above all. It may
    #: wait for them, with a limit of its own, and may raise CampaignError.
    opinions: Callable[[str, bool], Sequence[Finding]] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Armed:
    """An applied campaign that starts by itself."""

    definition: CampaignDefinition
    when: When
    #: Since when it starts as it does: versions that changed something else count as one.
    applied_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """A start whose moment has come."""

    armed: Armed
    moment: datetime
    decision: Decision
    #: The campaign's run before it when that is not over: the start waits for its end.
    behind: Run | None

    def local(self, zone: ZoneInfo) -> str:
        """The moment on the campaign's own clock."""
        return f"{self.moment.astimezone(self.armed.when.clock(zone)):%Y-%m-%d %H:%M %Z}"


@dataclass(frozen=True, kw_only=True, slots=True)
class NextStart:
    """The next start of a campaign."""

    campaign: str
    #: UTC.
    at: datetime
    #: The campaign's own zone, for showing it.
    zone: ZoneInfo

    def local(self) -> str:
        """As its clock on the wall shows it."""
        return f"{self.at.astimezone(self.zone):%a %Y-%m-%d %H:%M %Z}"


def armed(session: Session) -> list[Armed]:
    """Every applied campaign with a schedule, by name."""
    found = []
    for version in current_versions(session, Campaign):
        definition = of_body(version.name, version.body or {})
        if definition.when is not None:
            since = _unchanged_since(session, version)
            found.append(Armed(definition=definition, when=definition.when, applied_at=since))
    return found


def _unchanged_since(session: Session, version: Campaign) -> datetime:
    """When the oldest of the versions with the same schedule in a row was applied.

    A typo put right on Monday must not make Sunday's missed start vanish.
    """
    since, when = version.applied_at, (version.body or {})["when"]
    earlier = session.execute(
        select(col(Campaign.body), col(Campaign.applied_at))
        .where(col(Campaign.name) == version.name, col(Campaign.id) < version.id)
        .order_by(col(Campaign.id).desc())
    )
    for body, applied_at in earlier:
        if body is None or body.get("when") != when:
            break
        since = applied_at
    return since


def next_start_of(
    definition: CampaignDefinition, *, now: datetime, zone: ZoneInfo
) -> NextStart | None:
    """When a campaign starts next by itself; None when it does not, or does no more."""
    when = definition.when
    moment = next_start(when, zone, after=now) if when is not None else None
    if when is None or moment is None:
        return None
    return NextStart(campaign=definition.name, at=moment, zone=when.clock(zone))


def next_starts(session: Session, *, now: datetime, zone: ZoneInfo) -> list[NextStart]:
    """The next start of every campaign that has one, soonest first."""
    found = [next_start_of(each.definition, now=now, zone=zone) for each in armed(session)]
    return sorted((each for each in found if each), key=lambda each: (each.at, each.campaign))


def due_starts(session: Session, *, now: datetime, zone: ZoneInfo) -> list[Due]:
    """Every start that is due and has no run yet."""
    found = []
    for each in armed(session):
        name = each.definition.name
        runs = select(col(Run.occurrence)).where(col(Run.campaign) == name)
        newest = session.scalars(runs.order_by(col(Run.id).desc()).limit(100)).all()
        for moment, decision in missed(
            each.when, applied_at=each.applied_at, ran=newest, now=now, zone=zone
        ):
            before = latest_run(session, name)
            behind = before if before and before.state in _OPEN and not unanswered(before) else None
            found.append(Due(armed=each, moment=moment, decision=decision, behind=behind))
    return found


def start_due(
    session: Session,
    starting: Starting,
    *,
    now: datetime,
    zone: ZoneInfo,
    opinions: Mapping[str, Sequence[Finding]] | None = None,
) -> list[tuple[str, str]]:
    """Opens a run for every start that is due; planning then goes on range by range.

    `opinions` are those of `starting`, asked beforehand: an error among them stops that start.
    Returns (campaign, what became of it, in words). Repeatable: an occurrence has one run.
    """
    said: list[tuple[str, str]] = []
    for due in due_starts(session, now=now, zone=zone):
        if due.behind is not None:
            continue
        try:
            with session.begin_nested():
                name = due.armed.definition.name
                told = (opinions or {}).get(name, ())
                said.append((name, _open(session, due, starting, now, zone, told)))
        except (IntegrityError, AlreadyRan):
            # The unique occurrence: another process was quicker, and that is all there is to do.
            continue
    return said


def _open(
    session: Session,
    due: Due,
    starting: Starting,
    now: datetime,
    zone: ZoneInfo,
    opinions: Sequence[Finding],
) -> str:
    name, was = due.armed.definition.name, f"was due {due.local(zone)}"
    if due.decision is Decision.SKIP:
        reason = f'{was}, nothing ran here then, and it says late = "skip"'
        _note(session, due, starting, now, RunState.CANCELLED, reason)
        return reason
    answers = f"potok campaigns cancel {name} drops it"
    try:
        prepared = prepare(
            session,
            name,
            identities=starting.identities,
            consent_required=starting.consent_required,
            consent_double=starting.consent_double,
            again=due.armed.when.only_new,
        )
        wrong = what_forbids(
            prepared,
            base_url=starting.base_url,
            link_domains=starting.link_domains,
            opinions=opinions,
        )
    except CampaignError as error:
        wrong = str(error)
    if wrong:
        reason = (
            f"{was} and could not start: {wrong}. Then potok campaigns resume {name}; {answers}"
        )
        _note(session, due, starting, now, RunState.PAUSED, reason)
        return reason
    if due.decision is Decision.ASK:
        reason = f"{was}; potok campaigns resume {name} sends it now, {answers}"
        _note(session, due, starting, now, RunState.PAUSED, reason)
        return reason
    begin(
        session,
        prepared,
        now=now,
        by=SCHEDULE,
        token=starting.token(),
        when_in_doubt=starting.when_in_doubt,
        occurrence=occurrence_of(due.moment),
    )
    return f"starts ({was})"


def what_forbids(
    prepared: Prepared,
    *,
    base_url: str,
    link_domains: Sequence[str] = (),
    opinions: Sequence[Finding] = (),
) -> str:
    """The first finding that stops a start, in words; empty when nothing does."""
    own = findings_of(prepared, base_url=base_url, link_domains=link_domains)
    for finding in (*own, *opinions):
        if finding.level == "error":
            return f"{finding.what} ({finding.where}). {finding.do}"
    return ""


def _note(
    session: Session, due: Due, starting: Starting, now: datetime, state: RunState, reason: str
) -> None:
    """A run that says why nothing was planned. It names no versions: nothing was frozen."""
    definition = due.armed.definition
    drop_unanswered(session, definition.name, now=now)
    open_run(
        session,
        campaign=definition.name,
        campaign_id=None,
        segment_version_id=None,
        template_version_id=None,
        identity=definition.identity,
        when_in_doubt=definition.when_in_doubt or starting.when_in_doubt,
        terms=Terms(
            permission=Permission(),
            window=definition.window,
            expires_after=definition.expires_after,
            domain="",
            again=due.armed.when.only_new,
        ),
        occurrence=occurrence_of(due.moment),
        token=starting.token(),
        now=now,
        by=SCHEDULE,
        state=state,
        reason=reason,
    )
