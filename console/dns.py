"""DNS as wired for a workspace: whom to ask, and what `potok run` asks on its own."""

from collections.abc import Callable, Coroutine
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from campaigns import RouteLookups, Store
from console.settings import Settings
from console.wiring import Workspace
from deliverability import DnsResolver, Identity, ResolverError, is_loopback, provider_of_mx

#: Seconds until it is tried again when the database was busy.
_BUSY = 60.0


def sends_away(identity: Identity) -> bool:
    """Whether its mail leaves this machine."""
    return identity.smtp.outbox is None and not is_loopback(identity.smtp.host)


def resolver_of(settings: Settings) -> DnsResolver:
    """Asks DNS as `[dns]` says. Raises ResolverError."""
    return DnsResolver(settings.dns.nameservers, timeout=settings.dns.timeout)


def route_lookups(
    workspace: Workspace, store: Store, *, say: Callable[[str], None]
) -> Coroutine[Any, Any, None] | None:
    """MX look-ups for as long as the sender runs; None when there is nothing to ask."""
    settings = workspace.settings
    wanted = settings.dns.mx_lookups
    identities = frozenset(
        name for name, each in settings.identities.items() if wanted or sends_away(each)
    )
    if wanted is False or not identities:
        return None
    try:
        resolver = resolver_of(settings)
    except ResolverError as error:
        say(f"who takes the mail is not looked up: {error}")
        return None
    lookups = RouteLookups(
        store,
        workspace.clock,
        resolver,
        identities=identities,
        provider_of=lambda hosts: provider_of_mx(hosts, settings.provider_table),
        per_second=settings.dns.mx_per_second,
        # Names like acme.test are nobody's in public DNS; in one's own they may be.
        special=bool(settings.dns.nameservers),
        say=say,
    )
    return _on_and_on(lookups, workspace, say)


async def _on_and_on(
    lookups: RouteLookups, workspace: Workspace, say: Callable[[str], None]
) -> None:
    while True:
        try:
            await lookups.work()
        except (DBAPIError, PoolTimeout):
            # The sender itself says what is wrong with the database.
            await workspace.clock.sleep(_BUSY)
        except (OSError, ValueError, RuntimeError) as error:
            say(f"who takes the mail is not looked up for now: {error}")
            await workspace.clock.sleep(_BUSY)
