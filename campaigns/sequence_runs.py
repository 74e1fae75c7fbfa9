"""The run of a sequence: opened when it is applied, so that the whole queue serves its messages.

One run goes on over a sequence's versions and takes each new one's terms (window, topic, exits);
another identity, or a sequence that was cancelled, needs a new run. It ends when nobody can enter
any more and the last lead is through.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import exists, func, select, update
from sqlmodel import Session, col

from campaigns.definition import permission_for
from campaigns.errors import NotPossible, UnknownCampaign
from campaigns.runs import Terms
from campaigns.segment_entries import Look
from campaigns.sequence_definition import SequenceDefinition, sequence_of
from campaigns.sequences import EnrolmentState
from campaigns.states import RunState
from campaigns.tables import Enrolment, Run, Sequence
from deliverability import Identity
from leads import Event, current_version, current_versions

#: How `occurrence` of a sequence's run begins; the version that opened it follows.
OCCURRENCE = "sequence:"
_OVER = (RunState.CANCELLED, RunState.FINISHED)


def is_sequence(run: Run) -> bool:
    """Whether this is the run of a sequence."""
    return run.occurrence.startswith(OCCURRENCE)


def open_sequences(
    session: Session,
    *,
    identities: Mapping[str, Identity],
    consent_required: bool,
    consent_double: bool = False,
    when_in_doubt: str,
    token: Callable[[], str],
    now: datetime,
    by: str,
) -> list[str]:
    """Gives every applied sequence its run, in the transaction that applied it.

    `token` makes a run's 12 hex digits. Safe to repeat. Returns the names of those that began.
    Raises NotPossible when an identity is not in the settings.
    """
    begun: list[str] = []
    for version in current_versions(session, Sequence):
        assert version.id is not None  # noqa: S101 - it came from the database
        definition = sequence_of(version.name, version.body or {})
        identity = identities.get(definition.identity)
        if identity is None:
            raise NotPossible(
                f"Sequence {version.name!r} names the identity {definition.identity!r}, which is "
                "not in potok.toml"
            )
        terms = _terms(
            definition,
            version.id,
            domain=identity.domain,
            required=consent_required,
            double=consent_double,
        )
        doubt = definition.when_in_doubt or when_in_doubt
        run = _sequence_run(session, version.name)
        if run is not None and Terms.of_body(run.terms).sequence_id == version.id:
            continue
        cursor, looked_at = _cursor(session, run, version.id, now)
        body = terms.body()
        if definition.trigger is None:
            body["look"] = Look(looked_at=looked_at).body()
        if run is not None and run.state not in _OVER and run.identity == definition.identity:
            session.execute(
                update(Run)
                .where(col(Run.id) == run.id)
                .values(terms=body, when_in_doubt=doubt, planned_to=cursor)
                .execution_options(synchronize_session=False)
            )
            continue
        # Whoever stopped the old version did not mean the new one to start by itself.
        paused = run is not None and run.state == RunState.PAUSED
        session.add(
            Run(
                campaign=version.name,
                occurrence=f"{OCCURRENCE}{version.id}",
                token=token(),
                identity=definition.identity,
                state=RunState.PAUSED if paused else RunState.RUNNING,
                reason=run.reason if run is not None and paused else "",
                when_in_doubt=doubt,
                planned_to=cursor,
                planned_at=now,
                started_at=now,
                by=by,
                terms=body,
            )
        )
        session.flush()
        begun.append(version.name)
    return begun


def _terms(
    definition: SequenceDefinition,
    version_id: int,
    *,
    domain: str,
    required: bool,
    double: bool,
) -> Terms:
    return Terms(
        permission=permission_for(
            definition.topic, definition.consent, required=required, double=double
        ),
        window=definition.window,
        expires_after=definition.expires_after,
        domain=domain,
        sequence_id=version_id,
        exits=definition.exits,
    )


def _sequence_run(session: Session, name: str) -> Run | None:
    return session.scalars(
        select(Run)
        .where(col(Run.campaign) == name, col(Run.occurrence).startswith(OCCURRENCE))
        .order_by(col(Run.id).desc())
        .limit(1)
    ).first()


def _cursor(
    session: Session, run: Run | None, version_id: int, now: datetime
) -> tuple[int, datetime]:
    """The event behind which entering the stage or the segment counts, and from when on time does.

    A new version goes on where the one before it stood. A sequence that is new, was cancelled, or
    had been removed begins now: what happened while it was not there starts nothing.
    """
    before = None
    if run is not None and run.state not in _OVER:
        before = session.scalars(
            select(Sequence)
            .where(col(Sequence.name) == run.campaign, col(Sequence.id) < version_id)
            .order_by(col(Sequence.id).desc())
            .limit(1)
        ).first()
    if run is not None and before is not None and before.body is not None:
        look = Look.of_terms(run.terms)
        return run.planned_to, look.looked_at if look else now
    return session.scalar(select(func.max(col(Event.id)))) or 0, now


def running_sequences(session: Session) -> list[Run]:
    """The runs whose leads may move now, oldest first."""
    return list(
        session.scalars(
            select(Run)
            .where(col(Run.state) == RunState.RUNNING, col(Run.occurrence).startswith(OCCURRENCE))
            .order_by(col(Run.id))
        )
    )


def in_force(session: Session, run: Run) -> Sequence | None:
    """The version by which new leads enter; None when this run only sees its last leads through."""
    version = current_version(session, Sequence, run.campaign)
    if version is None or version.id != Terms.of_body(run.terms).sequence_id:
        return None
    newest = _sequence_run(session, run.campaign)
    return version if newest is not None and newest.id == run.id else None


def is_through(session: Session, run: Run) -> bool:
    """Whether nobody can enter any more and nobody is on the way."""
    assert run.id is not None  # noqa: S101 - it came from the database
    if in_force(session, run) is not None:
        return False
    return not session.scalar(
        select(
            exists().where(
                col(Enrolment.run_id) == run.id, col(Enrolment.state) == EnrolmentState.ACTIVE
            )
        )
    )


def require_sequence(session: Session, name: str) -> Run:
    """The newest run of a sequence, or UnknownCampaign with what to type."""
    run = _sequence_run(session, name)
    if run is None:
        known = ", ".join(version.name for version in current_versions(session, Sequence))
        raise UnknownCampaign(
            f"There is no sequence {name!r}; there is: {known}"
            if known
            else f"There is no sequence {name!r}; write sequences/{name}.toml and type potok apply"
        )
    return run
