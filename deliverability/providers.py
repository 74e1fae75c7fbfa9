"""Who receives mail for the big consumer domains, and how gently each wants to be approached."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

#: The lane of every domain we know nothing about.
OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Provider:
    """One receiver and what is known of its limits (`providers.toml`)."""

    name: str
    #: Consumer domains, ASCII, lower case.
    domains: tuple[str, ...]
    #: Ends of MX host names that belong to it; for domains that DNS is asked about.
    mx: tuple[str, ...] = ()
    #: Messages per minute to start with; None leaves the default pace.
    per_minute: float | None = None
    #: Messages per minute never to pass.
    at_most_per_minute: float | None = None
    connections: int | None = None
    per_connection: int | None = None
    #: Where the numbers come from; `ours` when nobody publishes any.
    source: str = field(default="ours")


@lru_cache(maxsize=1)
def shipped_providers() -> Mapping[str, Provider]:
    """The shipped table by provider name, in the file's order."""
    data = tomllib.loads(files("deliverability").joinpath("providers.toml").read_text("utf-8"))
    return MappingProxyType(
        {
            name: Provider(
                name=name,
                domains=tuple(row["domains"]),
                mx=tuple(row.get("mx", ())),
                per_minute=row.get("per_minute"),
                at_most_per_minute=row.get("at_most_per_minute"),
                connections=row.get("connections"),
                per_connection=row.get("per_connection"),
                source=row["source"],
            )
            for name, row in data.items()
        }
    )


@lru_cache(maxsize=1)
def shipped_domains() -> Mapping[str, str]:
    """Domain -> provider for every shipped consumer domain."""
    return MappingProxyType(
        {domain: p.name for p in shipped_providers().values() for domain in p.domains}
    )


def provider_table(own: Iterable[Provider] = ()) -> Mapping[str, Provider]:
    """The shipped table with a workspace's own rows in front of it, by provider name.

    A row of a shipped name adds its domains and MX suffixes to what is shipped.
    """
    table = {row.name: row for row in own}
    for name, shipped in shipped_providers().items():
        added = table.get(name)
        table[name] = (
            shipped
            if added is None
            else replace(
                shipped,
                domains=added.domains + shipped.domains,
                mx=added.mx + shipped.mx,
            )
        )
    return MappingProxyType(table)


def provider_of_mx(hosts: tuple[str, ...], table: Mapping[str, Provider] | None = None) -> str:
    """The provider whose suffix one of the MX host names ends with; `other` if none does.

    `table` is `provider_table` with a workspace's rows; without it the shipped one.
    """
    providers = shipped_providers() if table is None else table
    for host in hosts:
        name = "." + host.rstrip(".").lower()
        for provider in providers.values():
            if any(name.endswith("." + suffix) for suffix in provider.mx):
                return provider.name
    return OTHER
