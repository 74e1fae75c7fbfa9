"""An SPF record read to its end: what the worst receiver would have to ask, and what is wrong.

Receivers stop at the first term that matches; here nothing is left out.
"""

from dataclasses import dataclass, field

from deliverability.preflight.spf import MOST_LOOKUPS, MOST_VOID
from deliverability.preflight.spf_macros import has_macros
from deliverability.preflight.spf_record import ASKING, Mechanism, SpfSyntaxError, is_spf, read_spf
from deliverability.resolver import Kind, Resolver


@dataclass(kw_only=True)
class SpfAudit:
    """What a domain's record makes receivers do, whatever address they check."""

    #: The record as DNS holds it; empty when there is none.
    record: str = ""
    lookups: int = 0
    #: Names of terms whose lookups find nothing.
    void: list[str] = field(default_factory=list)
    #: What is wrong, in words.
    faults: list[str] = field(default_factory=list)
    #: DNS did not answer for these.
    unanswered: list[str] = field(default_factory=list)
    #: The qualifier of `all` where the record (with its redirects) ends; empty without one.
    everybody_else: str = ""


async def audit(resolver: Resolver, domain: str) -> SpfAudit:
    """Reads the record and all it includes, to the end."""
    found = SpfAudit()
    await _audit(resolver, domain, found, (), top=True)
    if found.lookups > MOST_LOOKUPS:
        found.faults.append(
            f"receivers would have to ask DNS {found.lookups} times, and stop after {MOST_LOOKUPS}"
        )
    if len(found.void) > MOST_VOID:
        found.faults.append(f"lookups find nothing: {', '.join(found.void)}")
    return found


#: Lookups after which a record is wrong enough: nobody is kept asking for ever.
_ENOUGH = 40


async def _audit(
    resolver: Resolver, domain: str, found: SpfAudit, path: tuple[str, ...], *, top: bool
) -> None:
    if domain.lower() in path:
        found.faults.append(f"the record of {domain} includes itself")
        return
    answer = await resolver.ask(domain, "TXT")
    texts = [text for text in answer.records if is_spf(text)]
    if top and texts:
        found.record = texts[0]
    if not answer.definite:
        found.unanswered.append(domain)
        return
    if len(texts) != 1:
        told = f"{domain} has {len(texts)} SPF records" if texts else f"{domain} has no SPF record"
        found.faults.append(told)
        return
    try:
        record = read_spf(texts[0])
    except SpfSyntaxError as wrong:
        found.faults.append(f"the SPF record of {domain} is wrong: {wrong}")
        return
    below = (*path, domain.lower())
    for term in record.mechanisms:
        if term.name == "all" and top:
            found.everybody_else = term.qualifier
        if term.name not in ASKING or found.lookups > _ENOUGH:
            continue
        found.lookups += 1
        if has_macros(term.domain):
            continue  # what it leads to depends on the mail
        target = term.domain or domain
        if term.name == "include":
            await _audit(resolver, target, found, below, top=False)
        elif term.name in ("a", "mx", "exists"):
            await _note_void(resolver, target, term, found)
    ended = any(term.name == "all" for term in record.mechanisms)
    if record.redirect and not ended and found.lookups <= _ENOUGH:
        found.lookups += 1
        if not has_macros(record.redirect):
            kept = found.record
            await _audit(resolver, record.redirect, found, below, top=top)
            found.record = kept


async def _note_void(resolver: Resolver, target: str, term: Mechanism, found: SpfAudit) -> None:
    kinds: tuple[Kind, ...] = ("MX",) if term.name == "mx" else ("A", "AAAA")
    answers = [await resolver.ask(target, kind) for kind in kinds]
    if not any(each.definite for each in answers):
        found.unanswered.append(target)
    elif all(each.void for each in answers):
        found.void.append(term.text)
