"""How fast mail leaves, out of `potok.toml`: `[pace.NAME]`, `[provider.NAME]`, `[[answer]]`."""

import difflib
from collections.abc import Collection, Mapping

from console.sections import Section
from deliverability import (
    OTHER,
    AnswerRow,
    PaceSettings,
    Phase,
    Provider,
    ProviderError,
    answer_row,
    provider_table,
    shipped_providers,
)


def read_providers(root: Section) -> Mapping[str, Provider]:
    """Every provider by name, the workspace's own in front.

    Raises SettingsError for one that nothing belongs to.
    """
    own = []
    for name, table in root.tables("provider"):
        domains, mx = table["domains"] or (), table["mx"] or ()
        if not domains and not mx:
            raise table.error(
                "", f'write domains = ["..."] or mx = ["..."]: what belongs to {name}?'
            )
        own.append(
            Provider(
                name=name,
                domains=tuple(each.strip().lower().lstrip("@") for each in domains),
                mx=tuple(each.strip().lower().strip(".") for each in mx),
            )
        )
    return provider_table(own)


def read_paces(root: Section, providers: Mapping[str, Provider]) -> dict[str, PaceSettings]:
    """What `[pace.NAME]` says by provider; `default` is always there.

    What a provider's table does not say comes from `[pace.default]`. Raises SettingsError for an
    unknown provider, and for a start above the maximum.
    """
    tables = dict(root.tables("pace"))
    default = tables["default"].data if "default" in tables else {}
    paces = {"default": PaceSettings()}
    for name, table in tables.items():
        provider = _known(table, "", name, {"default", OTHER, *providers})
        written = {**default, **table.data}
        pace = PaceSettings(**written)
        most = pace.at_most_per_minute
        if most is not None and written.get("per_minute", 0) > most:
            raise table.error(
                "per_minute" if table.given("per_minute") else "at_most_per_minute",
                f"per_minute = {pace.per_minute:g} is more than at_most_per_minute = {most:g}: a "
                "lane begins with the one and never passes the other",
            )
        paces[provider] = pace
    return paces


def read_answers(root: Section, providers: Mapping[str, Provider]) -> tuple[AnswerRow, ...]:
    """The workspace's own rows of what answers mean, in the file's order.

    Raises SettingsError: no condition, a pattern that is none, an unknown provider or phase.
    """
    return tuple(_answer(table, providers) for table in root.array("answer"))


def _answer(table: Section, providers: Mapping[str, Provider]) -> AnswerRow:
    phases = table["phases"] or ()
    for phase in phases:
        if phase not in set(Phase):
            raise table.error("phases", f'"{phase}" in phases: write {", ".join(Phase)}')
    provider = table["provider"] or ""
    if provider:
        provider = _known(table, "provider", provider, {OTHER, *providers})
    try:
        return answer_row(
            cause=table["cause"],
            phases=phases,
            codes=table["codes"],
            enhanced=table["enhanced"],
            words=table["words"],
            provider=provider,
            suspend_minutes=table["suspend_minutes"],
            source="potok.toml",
        )
    except ProviderError as wrong:
        raise table.error("", str(wrong)) from wrong


def _known(table: Section, key: str, name: str, known: Collection[str]) -> str:
    """The provider called `name`, also by its mail service's name."""
    provider = name if name in known else _owner_of(name)
    if provider is None:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}"
        raise table.error(
            key,
            f"there is no provider {name!r}; {hint} [provider.{name}] with domains = [...] adds "
            "one",
        )
    return provider


def provider_named(name: str, providers: Mapping[str, Provider]) -> str:
    """The provider that people mean by `name`; `name` itself when nobody knows it."""
    return name if name in providers else _owner_of(name) or name


def _owner_of(mail: str) -> str | None:
    """The provider people mean by a mail service's name: `gmail` is google's."""
    for provider in shipped_providers().values():
        if f"{mail}.com" in provider.domains or mail in provider.domains:
            return provider.name
    return None
