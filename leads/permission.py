"""Whether we may write: one SQL expression, asked when planning and again when claiming."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, String, case, exists, func, literal, null, select
from sqlmodel import col

from leads.tables import Consent, Lead, Suppression


@dataclass(frozen=True, kw_only=True, slots=True)
class Permission:
    """What a campaign needs to be allowed."""

    #: The template's topic; empty for mail about no topic in particular.
    topic: str = ""
    #: Whether a lead without a recorded consent is left out.
    consent_required: bool = False


def why_left_out(permission: Permission) -> ColumnElement[str | None]:
    """Why a lead must not be written to, as SQL on Lead; NULL when it may."""
    suppressed = (
        select(
            case(
                (col(Suppression.reason).in_(["manual", "imported"]), literal("suppressed")),
                else_=col(Suppression.reason),
            )
        )
        .where(col(Suppression.address_key) == col(Lead.address_key))
        .scalar_subquery()
    )
    topics = [""] if not permission.topic else ["", permission.topic]

    def consent(state: str) -> ColumnElement[bool]:
        return exists().where(
            col(Consent.lead_id) == col(Lead.id),
            col(Consent.topic).in_(topics),
            col(Consent.state) == state,
        )

    rules: list[tuple[ColumnElement[bool], ColumnElement[str]]] = [
        (col(Lead.merged_into).is_not(None), literal("merged")),
        (col(Lead.erased_at).is_not(None), literal("erased")),
        (suppressed.is_not(None), suppressed),
        (consent("withdrawn"), literal("consent_withdrawn")),
    ]
    if permission.consent_required:
        rules.append((~consent("given"), literal("no_consent")))
    return func.coalesce(case(*rules, else_=null()), null(), type_=String)


def mailable(permission: Permission) -> ColumnElement[bool]:
    """Whether a lead may be written to, as SQL on Lead."""
    return why_left_out(permission).is_(None)
