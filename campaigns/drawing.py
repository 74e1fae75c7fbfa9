"""What a lead's draw decides about its message, as SQL on Lead.

Planning writes by it; results and proofs ask it again, so the draw stands nowhere else.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import BigInteger, ColumnElement, String, and_, case, literal, not_
from sqlmodel import Session, col

from campaigns.runs import Terms
from campaigns.states import State
from campaigns.tables import Run
from campaigns.variants import Drawn, label
from campaigns.window import Window, at_hour
from deliverability import OTHER, Domain, lanes
from leads import Lead
from segments import drawn_below

Fact = TypeVar("Fact")


def drew(campaign: str, variants: Sequence[Drawn], number: int) -> ColumnElement[bool]:
    """Whether a lead drew the variant with this number, counted from 0."""
    here = drawn_below(label(campaign), variants[number].below)
    if not number:
        return here
    return and_(here, not_(drawn_below(label(campaign), variants[number - 1].below)))


def lane(session: Session, run: Run, terms: Terms) -> ColumnElement[int]:
    """The lane of who writes to a lead, to the provider of its Domain."""

    def to_provider(identity: str) -> ColumnElement[int]:
        by_provider = lanes(session, identity or run.identity)
        return case(by_provider, value=col(Domain.provider), else_=by_provider[OTHER])

    return _by_variant(run.campaign, terms, lambda each: each.identity, to_provider, "")


def template(run: Run, terms: Terms) -> ColumnElement[int]:
    """The template version a lead gets."""

    def version(number: int | None) -> ColumnElement[int]:
        return literal(number, BigInteger())

    return _by_variant(
        run.campaign, terms, lambda each: each.version, version, run.template_version_id
    )


def rfc_message_id(run: Run, terms: Terms) -> ColumnElement[str]:
    """The Message-ID, in the domain of who writes; its parts are those of `rfc_message_id.py`."""

    def named(domain: str) -> ColumnElement[str]:
        return message_id(run, domain or terms.domain)

    return _by_variant(run.campaign, terms, lambda each: each.domain, named, "")


def message_id(run: Run, domain: str) -> ColumnElement[str]:
    """The Message-ID of a lead's mail in this run, in one domain."""
    start = literal(f"{run.token}.mail.0.", String)
    return start + col(Lead.token) + literal(f"@{domain}", String)


def state(campaign: str, terms: Terms) -> ColumnElement[str]:
    """Whether a lead that may be written to is, or is kept back for the better variant."""
    planned = literal(State.PLANNED.value)
    if not terms.keeps_back:
        return planned
    tries = drawn_below(label(campaign), terms.variants[-1].below)
    return case((tries, planned), else_=literal(State.RESERVED.value))


def due(
    run: Run, terms: Terms, opening: Callable[[Window | None], ColumnElement[datetime]]
) -> ColumnElement[datetime]:
    """`opening` of the window in which a lead's message begins to leave."""

    def opens(hour: int | None) -> ColumnElement[datetime]:
        return opening(at_hour(hour, terms.window))

    return _by_variant(run.campaign, terms, lambda each: each.hour, opens, None)


def sender(campaign: str, identity: str, terms: Terms) -> ColumnElement[str]:
    """Who writes to a lead: the identity's name."""

    def named(other: str) -> ColumnElement[str]:
        return literal(other or identity, String)

    return _by_variant(campaign, terms, lambda each: each.identity, named, "")


def _by_variant(
    campaign: str,
    terms: Terms,
    fact: Callable[[Drawn], Fact],
    value: Callable[[Fact], ColumnElement[Any]],
    without: Fact,
) -> ColumnElement[Any]:
    """`value(fact(variant))` of the variant a lead drew; for those kept back of the last one."""
    if not terms.variants:
        return value(without)
    *others, last = terms.variants
    usual = fact(last)
    if all(fact(each) == usual for each in others):
        return value(usual)
    drawn = label(campaign)
    return case(
        *((drawn_below(drawn, each.below), value(fact(each))) for each in others),
        else_=value(usual),
    )
