"""Everything held about one person as one document, queued mails included (GDPR Art. 15 and 20)."""

from typing import Any

from sqlalchemy.exc import NoResultFound
from sqlmodel import Session

from campaigns import Mailed, came_back, mailed, show, walked
from console.errors import Refused, SettingsError
from console.mail_parts import open_mail
from console.parting import found_person
from console.previews import trial
from console.wiring import Workspace
from deliverability import DeliverabilityError
from leads import Recipient, personal_record, recipients
from templates import Compiled, TemplateError, TemplateVersion

#: What stands at the head of the document, for whoever gets it.
ABOUT = (
    "All that this workspace holds about one person. Not in it: backups, imported files and the "
    "mailbox itself, which are outside the database."
)


def person_document(workspace: Workspace, email: str) -> dict[str, Any]:
    """The document; its values are what `console.document` writes.

    Raises UnknownLead, AddressError. A mail that waits is made as it would be now: what it says
    when it leaves depends on what is known then.
    """
    # Written, because the records of one person are locked while they are gathered.
    with workspace.database.writing() as session:
        lead, ids = found_person(workspace, session, email)
        told = personal_record(session, ids)
        found = mailed(session, ids)
        people = recipients(session, ids)
        compiled = {
            number: _compiled(session, number)
            for number in {each.template_version_id for each in found if each.queued}
        }
        sent = [_sent(workspace, session, each) for each in found if not each.queued]
        inbound, sequences = came_back(session, ids), walked(session, ids)
    queued = [
        each.facts
        | _will_say(workspace, each, compiled[each.template_version_id], people[each.lead_id])
        for each in found
        if each.queued
    ]
    return {
        "about": ABOUT,
        "email": lead.email,
        "made_at": workspace.now(),
        **told,
        "messages": sent,
        "queued": queued,
        "answers": inbound,
        "sequences": sequences,
    }


def _compiled(session: Session, number: int) -> Compiled:
    version = session.get_one(TemplateVersion, number)
    return Compiled.from_body(version.name, version.body or {})


def _sent(workspace: Workspace, session: Session, message: Mailed) -> dict[str, Any]:
    """The message with what it said, when it was written at all."""
    if message.context is None:
        return message.facts | {"subject": message.subject, "text": None}
    try:
        shown = show(session, str(message.id), identities=dict(workspace.settings.identities))
    except (LookupError, NoResultFound, TemplateError, DeliverabilityError):
        shown = None
    if shown is None or shown.mail is None:
        # It cannot be made again; what it was made of is the person's all the same.
        return message.facts | {"subject": message.subject, "made_of": message.context}
    mail = open_mail(shown.mail)
    return message.facts | {
        "subject": shown.subject,
        "text": mail.text,
        "attached": list(mail.attached),
    }


def _will_say(
    workspace: Workspace, message: Mailed, compiled: Compiled, person: Recipient
) -> dict[str, Any]:
    """What a mail that waits would say now; or why that cannot be told."""
    try:
        sender = workspace.settings.identities.get(message.identity)
        if sender is None:
            raise Refused(f"its identity {message.identity} is no longer in potok.toml")
        written = trial(workspace, compiled, sender, person)
    except (TemplateError, DeliverabilityError, Refused, SettingsError) as error:
        return {"would_say": None, "why_not": str(error)}
    mail = open_mail(written.envelope.data)
    return {
        "would_say": {
            "subject": written.sent.subject,
            "text": mail.text,
            "attached": list(mail.attached),
        }
    }
