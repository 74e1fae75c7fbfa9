"""Lane, domain and identity rows: which queue a domain's mail stands in.

Lane = (identity, provider). Planning joins `domain` and `lane`; nothing here asks DNS.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, insert, literal, select, union, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from deliverability.errors import EnvelopeError, ProviderError
from deliverability.headers import ascii_domain
from deliverability.providers import OTHER, shipped_domains
from deliverability.tables import Domain, IdentityVersion, Lane
from leads import JsonObject, content_hash

#: Names asked for in one statement: below SQLite's limit of bound values everywhere.
_CHUNK = 500


def seed_domains(
    session: Session, extra: Mapping[str, Sequence[str]] | None = None
) -> tuple[int, int]:
    """Brings `domain` up to the shipped table and the workspace's own; (added, changed).

    `extra` is provider -> domains and wins over the shipped table. Rows that DNS has answered for
    (`checked_at`) are newer knowledge and stay. Safe to repeat.
    """
    wanted = dict(shipped_domains())
    for provider, domains in (extra or {}).items():
        for name in domains:
            try:
                wanted[ascii_domain(name.strip().lstrip("@"))] = provider
            except EnvelopeError as wrong:
                raise ProviderError(f"[providers] {provider}: {wrong}") from wrong
    added = changed = 0
    names = sorted(wanted)
    for start in range(0, len(names), _CHUNK):
        chunk = names[start : start + _CHUNK]
        known = {
            name: (provider, checked_at)
            for name, provider, checked_at in session.execute(
                select(col(Domain.name), col(Domain.provider), col(Domain.checked_at)).where(
                    col(Domain.name).in_(chunk)
                )
            )
        }
        new = [{"name": n, "provider": wanted[n], "mx": ""} for n in chunk if n not in known]
        moved = [
            {"key": name, "to": wanted[name]}
            for name, (provider, checked_at) in known.items()
            if checked_at is None and provider != wanted[name]
        ]
        if new:
            session.execute(insert(Domain), new)
        if moved:
            session.connection().execute(
                update(Domain.__table__)  # type: ignore[attr-defined]
                .where(col(Domain.name) == bindparam("key"), col(Domain.checked_at).is_(None))
                .values(provider=bindparam("to")),
                moved,
            )
        added, changed = added + len(new), changed + len(moved)
    return added, changed


def lanes(session: Session, identity: str) -> dict[str, int]:
    """The identity's lane ids by provider: one for each provider in `domain`, and `other`.

    Missing rows are made; two processes may do so at once.
    """
    providers = union(
        select(col(Domain.provider).label("provider")).distinct(), select(literal(OTHER))
    ).subquery()
    missing = (
        select(literal(identity), providers.c.provider)
        .select_from(
            providers.outerjoin(
                Lane,
                (col(Lane.identity) == identity) & (col(Lane.provider) == providers.c.provider),
            )
        )
        .where(col(Lane.id).is_(None))
    )
    found = _lane_ids(session, identity)
    lacking = session.execute(missing.with_only_columns(providers.c.provider)).scalars().all()
    if lacking:
        try:
            with session.begin_nested():
                session.execute(
                    insert(Lane), [{"identity": identity, "provider": p} for p in lacking]
                )
        except IntegrityError:
            # Somebody else made some of them just now: make the rest one by one.
            for provider in lacking:
                _make_lane(session, identity, provider)
        found = _lane_ids(session, identity)
    return found


def lane_named(session: Session, lane_id: int) -> tuple[str, str]:
    """(identity, provider) of a lane."""
    lane = session.get_one(Lane, lane_id)
    return lane.identity, lane.provider


def _lane_ids(session: Session, identity: str) -> dict[str, int]:
    rows = session.execute(
        select(col(Lane.provider), col(Lane.id)).where(col(Lane.identity) == identity)
    )
    return {provider: lane_id for provider, lane_id in rows if lane_id is not None}


def _make_lane(session: Session, identity: str, provider: str) -> None:
    try:
        with session.begin_nested():
            session.execute(insert(Lane).values(identity=identity, provider=provider))
    except IntegrityError:
        return


def identity_version(session: Session, name: str, body: JsonObject, *, now: datetime) -> int:
    """The id of the row that keeps these facts of an identity; the same facts, the same row."""
    digest = content_hash(body)
    reading = select(col(IdentityVersion.id)).where(
        col(IdentityVersion.name) == name, col(IdentityVersion.hash) == digest
    )
    found = session.scalar(reading)
    if found is None:
        try:
            with session.begin_nested():
                session.add(IdentityVersion(name=name, hash=digest, body=body, seen_at=now))
        except IntegrityError:
            pass  # another process saw them first
        found = session.scalar(reading)
    if found is None:
        raise ProviderError(f"the facts of identity {name!r} could not be kept")
    return found
