"""Leads asked by mail to confirm that we may write: written down here, sent by the postman."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from console.errors import Refused
from console.web.pages import texts
from console.web.postman import asking_identity
from console.web.signup_page import mail_wording
from console.wiring import Workspace
from leads import Lead, present, request_consent

#: Leads asked in one transaction.
_PORTION = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What became of asking one lead."""

    email: str
    #: `asked`, `confirmed` (it was before), `suppressed`, or `again` (asked a short while ago).
    became: str


def ask_leads(
    workspace: Workspace,
    conditions: Sequence[ColumnElement[bool]],
    topics: Sequence[str],
    *,
    source: str,
    identity: str = "",
    language: str = "",
    by: str,
) -> list[Asked]:
    """Asks each lead that fits; the mails leave while the page for recipients is served.

    Without `language`, in the lead's own when the pages speak it, else in English. Raises Refused
    when there is no page to confirm on or nobody to ask.
    """
    settings = workspace.settings
    if not settings.web.base_url or not settings.web.listen:
        raise Refused(
            "A consent is confirmed on a page of yours, and there is none: set [web] base_url in "
            "potok.toml (and listen, unless it is left out)"
        )
    if identity and identity not in settings.identities:
        known = ", ".join(settings.identities) or "none yet"
        raise Refused(f"There is no identity {identity!r} in potok.toml; there is: {known}")
    sender = asking_identity(settings, identity)
    found: list[Asked] = []
    last = 0

    def portion(session: Session) -> list[Asked]:
        nonlocal last
        now = workspace.now()
        rows = session.scalars(
            select(Lead)
            .where(present(), col(Lead.id) > last, *conditions)
            .order_by(col(Lead.id))
            .limit(_PORTION)
        ).all()
        told = []
        for lead in rows:
            speaks = language or (lead.language if lead.language in texts() else "en")
            name = sender.from_name or sender.from_address
            became = request_consent(
                session,
                lead,
                topics,
                source=source,
                wording=mail_wording(speaks, name, topics, settings.topics),
                identity=sender.name,
                at=now,
                by=by,
            )
            told.append(Asked(email=lead.email, became=became))
            last = lead.id or last
        return told

    while told := workspace.database.write(portion):
        found += told
    return found
