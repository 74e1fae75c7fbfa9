"""The frozen segment of a run as SQL: the version it started with, never today's file."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement
from sqlmodel import Session

from campaigns.tables import Run
from segments import SegmentVersion, rule_of, where


def frozen_rule(
    session: Session, run_id: int, *, zone: ZoneInfo
) -> Callable[[datetime], ColumnElement[bool]]:
    """`rule(now)` gives the where-clause on Lead that the run's segment meant when it started."""
    run = session.get_one(Run, run_id)
    version = session.get_one(SegmentVersion, run.segment_version_id)
    rule = rule_of(version.body or {})
    return lambda now: where(rule, now=now, zone=zone)
