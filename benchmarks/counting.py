"""Twelve typical rules, and for each the SQL a careful person would write for the same numbers.

The answer of both is the same: everybody the rule fits, and how many of them are left out by each
reason. Where an index says who is meant, the hand-written SQL counts there and finds those left
out from their side; else it groups all leads in one pass.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from sqlmodel import Session

from benchmarks.crowd import NOW, PIPELINES
from leads import Permission
from segments import Audience, Rule, audience, parse

ZONE = ZoneInfo("Europe/Warsaw")
#: What the counts ask for: a topic some people took their consent back for.
PERMISSION = Permission(topic="news")
#: A segment one of the rules names.
HOT = "stage in (demo, proposal) and prefers.topic = pricing"

_WHY = """CASE WHEN merged_into IS NOT NULL THEN 'merged' WHEN erased_at IS NOT NULL THEN 'erased'
 WHEN suppressed IN ('manual', 'imported') THEN 'suppressed' ELSE suppressed END"""
_BARRED = "(merged_into IS NOT NULL OR erased_at IS NOT NULL OR suppressed IS NOT NULL)"
_FREE = f"NOT EXISTS (SELECT 1 FROM lead AS other WHERE other.id = {{}} AND {_BARRED})"
#: Who switched the topic off, paused, or has had what it wants a week: from their own, few side.
_WISHES = """SELECT lead_id, CASE WHEN paused_until > {now} THEN 'paused_by_lead' ELSE 'capped' END
 AS reason FROM wish WHERE paused_until > {now} OR (per_week IS NOT NULL AND per_week <= (SELECT
 count(*) FROM event WHERE event.lead_id = wish.lead_id AND +event.kind = 'sent'
 AND event.at > {7}))
 UNION ALL SELECT id, 'consent_withdrawn' FROM lead JOIN barred_topic USING (address_key)
 WHERE topic = 'news'"""
_WITHDREW = "(SELECT lead_id FROM consent WHERE topic IN ('', 'news') AND state = 'withdrawn')"


def _put_off(fits: str) -> str:
    """Those of them whom the rule fits."""
    return f"""
        UNION ALL SELECT reason, count(*) FROM ({_WISHES}) AS few
            WHERE {fits} AND lead_id NOT IN {_WITHDREW} AND {_FREE.format("lead_id")}
            GROUP BY reason"""


def _in_range(where: str) -> str:
    """For leads that one range of an index of `lead` holds; + keeps SQLite in that range."""
    return f"""
        SELECT 'all', count(*) FROM lead WHERE {where}
        UNION ALL SELECT {_WHY}, count(*) FROM lead WHERE {where} AND {_BARRED} GROUP BY 1
        UNION ALL SELECT 'consent_withdrawn', count(*) FROM lead
            WHERE {where} AND +lead.id IN {_WITHDREW}
            AND {_FREE.format("lead.id")}
        {_put_off(f"EXISTS (SELECT 1 FROM lead WHERE lead.id = few.lead_id AND {where})")}"""


def _in_table(table: str, where: str, *, distinct: str = "count(DISTINCT lead_id)") -> str:
    """For leads that one range of another table's index names."""
    ids = f"SELECT lead_id FROM {table} WHERE {where}"
    return f"""
        SELECT 'all', {distinct} FROM {table} WHERE {where}
        UNION ALL SELECT {_WHY}, count(*) FROM lead WHERE +lead.id IN ({ids}) AND {_BARRED}
            GROUP BY 1
        UNION ALL SELECT 'consent_withdrawn', {distinct} FROM {table}
            WHERE {where} AND lead_id IN {_WITHDREW} AND {_FREE.format("lead_id")}
        {_put_off(f"+lead_id IN ({ids})")}"""


def _not_in(ids: str) -> str:
    """For all but those that another table's index names."""
    return f"""
        SELECT 'all', count(*) FROM lead WHERE +lead.id NOT IN ({ids})
        UNION ALL SELECT {_WHY}, count(*) FROM lead WHERE +lead.id NOT IN ({ids}) AND {_BARRED}
            GROUP BY 1
        UNION ALL SELECT 'consent_withdrawn', count(DISTINCT lead_id)
            FROM {_WITHDREW} AS back
            WHERE lead_id NOT IN ({ids}) AND {_FREE.format("lead_id")}
        {_put_off(f"+lead_id NOT IN ({ids})")}"""


def _often(ids: str) -> str:
    return f"""
        SELECT 'all', count(*) FROM ({ids}) AS many
        UNION ALL SELECT {_WHY}, count(*) FROM lead WHERE +lead.id IN ({ids}) AND {_BARRED}
            GROUP BY 1
        UNION ALL SELECT 'consent_withdrawn', count(*) FROM ({ids}) AS many
            WHERE lead_id IN {_WITHDREW} AND {_FREE.format("lead_id")}
        {_put_off(f"+lead_id IN ({ids})")}"""


def _one_pass(where: str) -> str:
    return f"""
        SELECT CASE WHEN {_BARRED} THEN {_WHY}
            WHEN lead.id IN {_WITHDREW} THEN 'consent_withdrawn' ELSE
            (SELECT reason FROM ({_WISHES}) AS few WHERE few.lead_id = lead.id) END AS why, count(*)
        FROM lead WHERE {where} GROUP BY why"""


@dataclass(frozen=True, kw_only=True)
class Typical:
    """A rule, and the same by hand; {14} in it is the moment 14 days ago."""

    rule: str
    sqlite: str
    postgresql: str = ""

    def by_hand(self, dialect: str, now: datetime = NOW) -> str:
        statement = self.sqlite
        if dialect == "postgresql":
            statement = self.postgresql or self.sqlite
            statement = statement.replace("+lead", "lead").replace("+event", "event")
        for days in (0, 7, 14, 30):
            moment = (now - timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S.000000")
            said = f"'{moment}+00'" if dialect == "postgresql" else f"'{moment}'"
            statement = statement.replace(f"{{{days or 'now'}}}", said)
        return statement


def _said(topic: str) -> tuple[str, str]:
    """The clause on `preference` in SQLite's and PostgreSQL's words."""
    return (
        f"name = 'topic' AND lower(value) = '{topic}'",
        f"name = 'topic' AND lower(value COLLATE \"C\") = '{topic}'",
    )


_DEMO = "pipeline = 'sales' AND stage = 'demo'"
_HOT = "pipeline = 'sales' AND stage IN ('demo', 'proposal')"
_SAMPLE = "((draw * {a} + {b}) % 2147483647) % 10000 < 1000"
_WANTS = "EXISTS (SELECT 1 FROM preference WHERE lead_id = lead.id AND {0})"
_TWICE = (
    "SELECT lead_id FROM event WHERE kind = 'sent' AND campaign = 'nurture' AND at >= {30}"
    " GROUP BY lead_id HAVING count(*) >= 2"
)


def _typical() -> list[Typical]:
    from segments import factors

    a, b = factors("holdout-1")
    reporting, pricing = _said("reporting"), _said("pricing")
    wants = [_WANTS.format(each) for each in pricing]
    hot = [f"{_HOT} AND {each} AND {_SAMPLE.format(a=a, b=b)}" for each in wants]
    return [
        Typical(rule="stage = demo", sqlite=_in_range(_DEMO)),
        Typical(
            rule="prefers.topic = reporting",
            sqlite=_in_table("preference", reporting[0]),
            postgresql=_in_table("preference", reporting[1]).replace("+lead", "lead"),
        ),
        Typical(
            rule="prefers.budget >= 5000",
            sqlite=_in_table("preference", "name = 'budget' AND number >= 5000"),
        ),
        Typical(
            rule="prefers.topic = pricing and stage = demo",
            sqlite=_in_range(f"{_DEMO} AND {wants[0]}"),
            postgresql=_in_range(f"{_DEMO} AND {wants[1]}").replace("+lead", "lead"),
        ),
        Typical(
            rule="tag = webinar",
            sqlite=_one_pass(
                "EXISTS (SELECT 1 FROM json_each(tags) WHERE lower(value) = 'webinar')"
            ),
            postgresql=_one_pass(
                "EXISTS (SELECT 1 FROM jsonb_array_elements_text(tags) AS tag (value)"
                " WHERE lower(value COLLATE \"C\") = 'webinar')"
            ),
        ),
        Typical(
            rule="attr.industry = healthcare",
            sqlite=_one_pass("lower(json_extract(attributes, '$.industry')) = 'healthcare'"),
            postgresql=_one_pass("lower((attributes ->> 'industry') COLLATE \"C\") = 'healthcare'"),
        ),
        Typical(
            rule="attr.employees >= 1000",
            sqlite=_one_pass("CAST(json_extract(attributes, '$.employees') AS REAL) >= 1000"),
            postgresql=_one_pass("(attributes ->> 'employees')::numeric >= 1000"),
        ),
        Typical(
            rule="replied within 14 days",
            sqlite=_in_table("event", "kind = 'replied' AND at >= {14}"),
        ),
        Typical(rule='sent "nurture" at least 2 times within 30 days', sqlite=_often(_TWICE)),
        Typical(
            rule="not sent any in 7 days",
            sqlite=_not_in("SELECT lead_id FROM event WHERE kind = 'sent' AND at >= {7}"),
        ),
        Typical(
            rule='in segment hot and sample 10% by "holdout-1"',
            sqlite=_in_range(hot[0]),
            postgresql=_in_range(hot[1]).replace("+lead", "lead"),
        ),
        Typical(
            rule="stage in (qualified, demo) and stage_age > 30 days and country = PL",
            sqlite=_in_range(
                "pipeline = 'sales' AND stage IN ('qualified', 'demo') AND stage_at < {30}"
                " AND country = 'PL'"
            ),
        ),
    ]


TYPICAL = _typical()


def read_rule(text: str) -> Rule:
    """The rule as the product reads it, with the segment it may name."""
    rule = parse(text, stages=PIPELINES)
    if "segment" not in text:
        return rule
    hot = parse(HOT, stages=PIPELINES)
    return Rule(
        condition=rule.condition,
        text=text,
        segments={"hot": hot.condition},
        stages={**hot.stages, **rule.stages},
    )


def product(session: Session, text: str) -> Audience:
    """From the rule's text to the numbers."""
    return audience(session, read_rule(text), PERMISSION, now=NOW, zone=ZONE)


def by_hand(connection: Connection, statement: str) -> Audience:
    """The same numbers through the driver."""
    rows: Callable[[], Any] = connection.connection.cursor().execute(statement).fetchall
    left_out: dict[str, int] = {}
    everybody = mailable = 0
    several = False
    for why, count in rows():
        if why == "all":
            everybody, several = count, True
        elif why is None:
            mailable = count
        elif count:
            left_out[why] = left_out.get(why, 0) + count
    out = sum(left_out.values())
    ranked = dict(sorted(left_out.items(), key=lambda each: (-each[1], each[0])))
    if several:
        mailable = everybody - out
    return Audience(matching=mailable + out, mailable=mailable, left_out=ranked)
