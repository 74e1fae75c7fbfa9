"""Leads that get nothing for now but may later: they asked for a pause, or have had their share."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    String,
    Subquery,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlmodel import col

from leads import WEEK, Event, FrequencyCap, Instant, Permission, Wish, who_paused, who_switched_off
from segments.dialects import unindexed

#: Reason -> the leads that get nothing now, but may later.
Later = Mapping[str, Select[Any]]


def later(cap: FrequencyCap | None, now: datetime) -> Later:
    return {"paused_by_lead": who_paused(now), "capped": often_written(cap, now)}


def often_written(cap: FrequencyCap | None, now: datetime) -> Select[Any]:
    """Ids of the leads that have had their share, by the workspace's limit or their own; counted
    like the claim does."""
    own = select(col(Wish.lead_id)).where(_has_own_share(now - timedelta(days=WEEK)))
    if cap is None:
        return own
    both = union_all(_has_share(cap, now - timedelta(days=cap.days)), own).subquery()
    return select(both.c.lead_id)


_SENT, _PAUSED, _CAPPED, _WITHDRAWN = (
    # Spelt out: parameters cost more than a short count.
    literal_column(f"'{word}'", String)
    for word in ("sent", "paused_by_lead", "capped", "consent_withdrawn")
)
#: A moment, or the parameter that stands for it.
_Moment = datetime | BindParameter[datetime]


def _has_own_share(week_ago: _Moment) -> ColumnElement[bool]:
    """Few leads have a limit of their own: each is asked for its own few events."""
    sent = unindexed(col(Event.kind)) == _SENT
    mine = and_(col(Event.lead_id) == col(Wish.lead_id), sent, col(Event.at) > week_ago)
    got = select(func.count()).select_from(Event).where(mine).correlate(Wish).scalar_subquery()
    return and_(col(Wish.per_week).is_not(None), got >= col(Wish.per_week))


def _has_share(cap: FrequencyCap, since: _Moment) -> Select[Any]:
    return (
        select(col(Event.lead_id))
        .where(col(Event.kind) == _SENT, col(Event.at) > since)
        .group_by(col(Event.lead_id))
        .having(func.count() >= cap.messages)
    )


def put_off(permission: Permission, cap: FrequencyCap | None) -> Subquery:
    """(lead, reason), each once, of those that get nothing now, and of those that switched the
    topic off: all who are left out by what few people chose, in one list.

    Its moments are parameters, so that it can be made once: `moments`.
    """
    paused = col(Wish.paused_until) > _NOW
    wished = or_(paused, _has_own_share(_WEEK_AGO))
    reason = case(
        (paused, literal_column("'paused_by_lead'", String)),
        else_=literal_column("'capped'", String),
    ).label("reason")
    lists = [select(col(Wish.lead_id).label("lead_id"), reason).where(wished)]
    if cap is not None:
        mine = select(col(Wish.lead_id)).where(wished)
        often = _has_share(cap, _SINCE).where(col(Event.lead_id).not_in(mine))
        lists.append(often.add_columns(_CAPPED))
    if permission.topic:
        off = who_switched_off(permission)
        lists = [each.where(each.selected_columns[0].not_in(off)) for each in lists]
        lists.append(off.add_columns(_WITHDRAWN))
    return lists[0].subquery() if len(lists) == 1 else union_all(*lists).subquery()


_NOW, _WEEK_AGO, _SINCE = (
    bindparam(f"put_off_{name}", type_=Instant) for name in ("now", "week_ago", "since")
)


def moments(cap: FrequencyCap | None, now: datetime) -> dict[str, datetime]:
    """The parameters of a statement that holds `put_off`."""
    week = timedelta(days=WEEK)
    return {
        "put_off_now": now,
        "put_off_week_ago": now - week,
        "put_off_since": now - (timedelta(days=cap.days) if cap else week),
    }
