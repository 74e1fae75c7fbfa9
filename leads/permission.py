"""Whether we may write: one SQL expression, asked when planning and again when claiming."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    String,
    and_,
    case,
    exists,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased
from sqlmodel import col

from leads.tables import Consent, Lead, Suppression
from leads.wish_tables import BarredTopic, Wish


def _word(text: str) -> ColumnElement[str]:
    """A word that is always the same, spelt out: parameters cost more than a short count."""
    return literal_column(f"'{text}'", String)


_WITHDRAWN = _word("consent_withdrawn")
# As expressions: a list of values would be spelt out anew each time a statement is executed.
_LISTED = [_word("manual"), _word("imported")]


@dataclass(frozen=True, kw_only=True, slots=True)
class Permission:
    """What a campaign needs to be allowed."""

    #: The template's topic; empty for mail about no topic in particular.
    topic: str = ""
    #: Whether a lead without a recorded consent is left out.
    consent_required: bool = False
    #: Whether that consent must have been confirmed by the link in a mail (double opt-in).
    double: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class FrequencyCap:
    """At most `messages` to one lead within `days`, over all campaigns and sequences."""

    messages: int
    days: int


def why_left_out(permission: Permission) -> ColumnElement[str | None]:
    """Why a lead must not be written to, as SQL on Lead; NULL when it may."""
    suppressed = (
        select(
            case(
                (col(Suppression.reason).in_(_LISTED), _word("suppressed")),
                else_=col(Suppression.reason),
            )
        )
        .where(col(Suppression.address_key) == col(Lead.address_key))
        .scalar_subquery()
    )

    def consent(state: ColumnElement[bool]) -> ColumnElement[bool]:
        return exists().where(
            col(Consent.lead_id) == col(Lead.id),
            col(Consent.topic).in_(_topics(permission)),
            state,
        )

    withdrew = consent(col(Consent.state) == "withdrawn")
    if permission.topic:
        topic = exists().where(
            col(BarredTopic.address_key) == col(Lead.address_key),
            col(BarredTopic.topic) == permission.topic,
        )
        withdrew = or_(withdrew, topic)
    rules: list[tuple[ColumnElement[bool], ColumnElement[str]]] = [
        (col(Lead.merged_into).is_not(None), _word("merged")),
        (col(Lead.erased_at).is_not(None), _word("erased")),
        (suppressed.is_not(None), suppressed),
        (withdrew, _WITHDRAWN),
    ]
    if permission.consent_required:
        rules.append((~consent(_allows(permission)), literal("no_consent")))
    return func.coalesce(case(*rules, else_=null()), null(), type_=String)


def mailable(permission: Permission) -> ColumnElement[bool]:
    """Whether a lead may be written to, as SQL on Lead."""
    return why_left_out(permission).is_(None)


# The same asked of many leads at once; `tests/segments/test_counting.py` holds both to Python.


def why_left_out_of(
    permission: Permission, low: int | None = None, high: int | None = None
) -> ColumnElement[str | None]:
    """`why_left_out` for a whole range of leads, `low` < id <= `high`, or for all of them.

    Reads the lead's own copy of its suppression, and consents once instead of lead by lead.
    """
    rules: list[tuple[ColumnElement[bool], ColumnElement[str]]] = [
        (barred(), why_barred()),
        (col(Lead.id).in_(who_withdrew(permission, low, high)), _WITHDRAWN),
    ]
    if permission.consent_required:
        gave = select(col(Consent.lead_id)).where(
            col(Consent.topic).in_(_topics(permission)), _allows(permission)
        )
        gave = _between(gave, col(Consent.lead_id), low, high)
        rules.append((col(Lead.id).not_in(gave), literal("no_consent")))
    return func.coalesce(case(*rules, else_=null()), null(), type_=String)


def _between(ids: Select[Any], lead_id: Any, low: int | None, high: int | None) -> Select[Any]:
    if low is not None:
        ids = ids.where(lead_id > low)
    return ids if high is None else ids.where(lead_id <= high)


def barred(lead: type[Lead] = Lead) -> ColumnElement[bool]:
    """A lead nobody writes to, whatever the mail is about, as SQL on Lead or an alias of it."""
    return or_(
        col(lead.merged_into).is_not(None),
        col(lead.erased_at).is_not(None),
        col(lead.suppressed).is_not(None),
    )


def why_barred() -> ColumnElement[str]:
    """The reason of a barred lead, as `why_left_out` calls it; NULL for others."""
    listed = col(Lead.suppressed).in_(_LISTED)
    return case(
        (col(Lead.merged_into).is_not(None), _word("merged")),
        (col(Lead.erased_at).is_not(None), _word("erased")),
        (listed, _word("suppressed")),
        else_=col(Lead.suppressed),
    )


def who_withdrew(
    permission: Permission, low: int | None = None, high: int | None = None
) -> Select[Any]:
    """Ids of the leads that took their consent back or switched the topic off, barred or not.

    All of them, or those with `low` < id <= `high`.
    """
    took_back = who_took_back(permission, low, high)
    if not permission.topic:
        return took_back
    both = union_all(took_back, who_switched_off(permission, low, high)).subquery()
    return select(both.c.lead_id)


# Made once for each permission: a short count takes no longer.
@lru_cache(maxsize=64)
def who_took_back(
    permission: Permission, low: int | None = None, high: int | None = None
) -> Select[Any]:
    """Those of them that took their consent back."""
    took_back = select(col(Consent.lead_id)).where(
        col(Consent.topic).in_(_topics(permission)),
        # Spelt out, or SQLite would not know that the index is for this state.
        col(Consent.state) == _word("withdrawn"),
    )
    return _between(took_back, col(Consent.lead_id), low, high)


@lru_cache(maxsize=64)
def who_switched_off(
    permission: Permission, low: int | None = None, high: int | None = None
) -> Select[Any]:
    """Those of them that switched the topic off, which nobody does about no topic.

    Mostly they took it back as well: but the bar belongs to the address and is older than a lead
    may be.
    """
    other = aliased(Lead)
    switched_off: Select[Any] = (
        select(col(other.id).label("lead_id"))
        .join(BarredTopic, col(BarredTopic.address_key) == col(other.address_key))
        .where(col(BarredTopic.topic) == permission.topic)
    )
    return _between(switched_off, col(other.id), low, high)


def who_paused(now: datetime) -> Select[Any]:
    """Ids of the leads that want no mail for a while, at this moment."""
    return select(col(Wish.lead_id)).where(col(Wish.paused_until) > now)


def _allows(permission: Permission) -> ColumnElement[bool]:
    """A consent that is enough for this mail."""
    given = col(Consent.state) == "given"
    return and_(given, col(Consent.confirmed_at).is_not(None)) if permission.double else given


def _topics(permission: Permission) -> list[BindParameter[str]]:
    return [literal(topic) for topic in ("", permission.topic)[: 1 + bool(permission.topic)]]
