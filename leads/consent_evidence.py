"""The evidence of double opt-in: who was asked when, with which words, and confirmed them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, or_, select
from sqlmodel import Session, col

from leads.consent_tables import ConsentRequest, ConsentWording
from leads.tables import Lead


def requests_of(session: Session, lead_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """The evidence: every time each of the leads, or a record merged into it, was asked, newest
    last, with the words of both moments. Who was never asked is not there."""
    whose = func.coalesce(col(Lead.merged_into), col(Lead.id))
    found = session.execute(
        select(whose, ConsentRequest)
        .join(Lead, col(Lead.id) == col(ConsentRequest.lead_id))
        .where(or_(col(Lead.id).in_(lead_ids), col(Lead.merged_into).in_(lead_ids)))
        .order_by(col(ConsentRequest.asked_at), col(ConsentRequest.id))
    ).all()
    named = {n for _, row in found for n in (row.wording, row.confirmed_wording) if n}
    kept = session.scalars(select(ConsentWording).where(col(ConsentWording.hash).in_(named)))
    known = {each.hash: each for each in kept}

    def wording(digest: str) -> dict[str, str] | None:
        words = known.get(digest)
        if words is None:
            return None
        return {
            "sha256": digest,
            "version": words.version,
            "language": words.language,
            "text": words.text,
        }

    told: dict[int, list[dict[str, Any]]] = {}
    for lead_id, row in found:
        told.setdefault(lead_id, []).append(
            {
                "topics": row.topics,
                "source": row.source,
                "asked_at": row.asked_at,
                "asked_from": row.asked_from,
                "asked_agent": row.asked_agent,
                "asked_by": row.by,
                "asked_with": wording(row.wording),
                "sent_at": row.sent_at,
                "expires_at": row.expires_at,
                "confirmed_at": row.confirmed_at,
                "confirmed_from": row.confirmed_from,
                "confirmed_agent": row.confirmed_agent,
                "confirmed_with": wording(row.confirmed_wording),
            }
        )
    return told
