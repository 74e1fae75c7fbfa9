"""What DNS said of the domains mail goes to: written down, and when to ask again.

Planning and claims read the table `domain`; only `potok run` asks, beside the sender.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col

from deliverability.mail_route import CLOSED, MailRoute, Route
from deliverability.providers import OTHER
from deliverability.tables import Domain

#: An answer is believed at least and at most so long, whatever its TTL: mail moves between
#: companies a few times in a domain's life.
LEAST, MOST = timedelta(hours=1), timedelta(days=7)
#: After a failure DNS is asked again in 10 minutes, then in twice as long, up to a day.
_AGAIN, _LATEST = timedelta(minutes=10), timedelta(days=1)


def look_again(route: MailRoute, *, failures: int) -> timedelta:
    """How long to wait before the domain is asked about anew; `failures` counts those in a row."""
    if route.route is Route.UNKNOWN:
        wait: timedelta = _AGAIN * 2 ** min(failures - 1, 10)
        return min(wait, _LATEST)
    return min(max(timedelta(seconds=route.ttl), LEAST), MOST)


def note_route(
    session: Session,
    name: str,
    found: MailRoute,
    *,
    provider_of: Callable[[tuple[str, ...]], str],
    now: datetime,
) -> str | None:
    """Writes an answer down; the new provider when it has changed, else None.

    `provider_of` names the provider of MX hosts. An answer that is none changes nothing but when
    to ask again.
    """
    row = session.get(Domain, name)
    if row is None:
        row = Domain(name=name, provider=OTHER)
        session.add(row)
    unknown = found.route is Route.UNKNOWN
    row.failures = row.failures + 1 if unknown else 0
    row.due_at = now + look_again(found, failures=row.failures)
    before = row.provider
    if not unknown:
        row.checked_at, row.route, row.mx = now, found.route.value, ", ".join(found.hosts)[:1000]
        row.provider = provider_of(found.hosts) if found.hosts else OTHER
    session.flush()
    return row.provider if row.provider != before else None


def takes_no_mail(domain: Mapped[str]) -> ColumnElement[bool]:
    """Whether DNS said for certain that mail for the domain goes nowhere, as SQL."""
    return exists().where(col(Domain.name) == domain, col(Domain.route).in_(CLOSED))
