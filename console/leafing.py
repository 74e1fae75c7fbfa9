"""Leads one after another, as one leafs through them: first, next, previous, found by a word."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import tzinfo as Zone  # noqa: N812
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from leads import (
    Brief,
    Lead,
    Permission,
    browse,
    containing,
    count_leads,
    present,
    why_left_out,
)
from segments import Rule, where


@dataclass(frozen=True, kw_only=True, slots=True)
class Crowd:
    """The leads that are leafed through: those a rule fits, else everybody."""

    #: What it is called: a segment's name, a rule, or empty for everybody.
    name: str = ""
    rule: Rule | None = None
    permission: Permission
    now: datetime
    zone: Zone

    def first(self, session: Session, count: int = 1) -> list[int]:
        """The ids of the first leads, oldest first."""
        return self._ids(session, True, count)

    def beside(self, session: Session, lead_id: int, *, forward: bool) -> int | None:
        """The id of the lead behind or before this one; None at the end."""
        beyond = col(Lead.id) > lead_id if forward else col(Lead.id) < lead_id
        return next(iter(self._ids(session, forward, 1, beyond)), None)

    def found(self, session: Session, text: str, *, limit: int) -> Sequence[Brief]:
        """Leads whose address, name or company contains `text`; all of them for an empty one."""
        said = [containing(text)] if text else []
        return browse(session, *self._fitting(), *said, limit=limit)

    def count(self, session: Session) -> int:
        """How many there are."""
        return count_leads(session, *self._fitting(whole=True))

    def left_out(self, session: Session, lead_id: int) -> str:
        """Why nobody writes to this lead; empty when one may."""
        reason = select(why_left_out(self.permission)).where(col(Lead.id) == lead_id)
        return str(session.scalar(reason) or "")

    def _fitting(self, *, whole: bool = False) -> list[ColumnElement[bool]]:
        if self.rule is None:
            return []
        fits: Any = where(self.rule, now=self.now, zone=self.zone, whole=whole)
        return [fits]

    def _ids(
        self, session: Session, forward: bool, count: int, *beyond: ColumnElement[bool]
    ) -> list[int]:
        order = col(Lead.id) if forward else col(Lead.id).desc()
        query = select(col(Lead.id)).where(present(), *self._fitting(), *beyond)
        return list(session.scalars(query.order_by(order).limit(count)))
