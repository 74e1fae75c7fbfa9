"""What a mail that came back is: a report of failure, a complaint, a machine's or a person's word.

Pure: bytes in, a frozen value out; never raises, whatever the bytes are. Structure first (RFC 3464,
RFC 5965, RFC 3834, RFC 8098), then the words of `inbound.toml`.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from deliverability.inbound_mime import Part, read_mail
from deliverability.inbound_notice import is_notice, judge, read_notice, told_by
from deliverability.inbound_origin import Origin, find_origin, known_senders
from deliverability.inbound_people import (
    is_automatic,
    is_bulk,
    is_button,
    opt_out_token,
    wants_out,
    words_of,
)
from deliverability.inbound_report import (
    Told,
    addresses_in,
    delivery_report,
    feedback_report,
)
from deliverability.outcome import Cause

#: RFC 3464 2.3.3: nothing went wrong.
_DONE = ("deliver", "relay", "expand")


class InboundKind(StrEnum):
    """What came back."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    AUTOREPLY = "autoreply"
    UNSUBSCRIBE = "unsubscribe"
    HUMAN = "human"
    #: Delivery successes, read receipts, list mail: nothing to act on.
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """One recipient a report names."""

    #: The names it goes by in the report (final and original recipient), best first.
    addresses: tuple[str, ...]
    cause: Cause
    #: The address will never work: unknown user or host, moved, takes no mail.
    hard: bool
    #: RFC 3463, `5.1.1`, or empty.
    status: str = ""
    #: The server's words, at most 500 characters.
    words: str = ""
    #: The message is still being tried.
    delayed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What a mail that came back says."""

    kind: InboundKind
    #: For bounces, one per recipient; for complaints, whom the report names, when it does.
    failures: tuple[Failure, ...] = ()
    #: Where the mail that this one is about can be recognised.
    origin: Origin = field(default_factory=Origin)
    #: The signed token of an `unsubscribe <token>` mail.
    token: str | None = None
    from_address: str = ""
    subject: str = ""
    #: The Date field as it stands.
    date: str = ""

    @property
    def hard(self) -> bool | None:
        """For bounces: whether every recipient failed for good."""
        if self.kind is not InboundKind.BOUNCE or not self.failures:
            return None
        return all(failure.hard for failure in self.failures)

    @property
    def delayed(self) -> bool:
        """A bounce that only says that the message is still being tried."""
        return bool(self.failures) and all(failure.delayed for failure in self.failures)


def classify_inbound(raw: bytes) -> Reading:
    """Says what the mail is and which mail of ours it may be about."""
    mail = read_mail(raw)
    kind, failures, token = _decide(mail)
    senders = addresses_in(mail.get("from")[:1000])
    return Reading(
        kind=kind,
        failures=failures,
        origin=find_origin(mail),
        token=token,
        from_address=senders[0] if senders else "",
        subject=mail.get("subject")[:500],
        date=mail.get("date")[:100],
    )


def readable(raw: bytes) -> str:
    """The words of a mail as text, at most some thousand of them; never raises."""
    return words_of(read_mail(raw))[:20_000].strip()


def _decide(mail: Part) -> tuple[InboundKind, tuple[Failure, ...], str | None]:
    complaint = _complaint(mail)
    if complaint is not None:
        return complaint, _accused(mail), None
    token = opt_out_token(mail)
    if token is not None:
        return InboundKind.UNSUBSCRIBE, (), token
    failures = _failures(mail)
    if failures is not None:
        return (InboundKind.BOUNCE if failures else InboundKind.OTHER), failures, None
    if _is_receipt(mail):
        return InboundKind.OTHER, (), None
    if is_automatic(mail) and not is_button(mail):
        return InboundKind.AUTOREPLY, (), None
    if is_bulk(mail):
        return InboundKind.OTHER, (), None
    if wants_out(mail):
        return InboundKind.UNSUBSCRIBE, (), None
    return InboundKind.HUMAN, (), None


def _complaint(mail: Part) -> InboundKind | None:
    fields = feedback_report(mail)
    if fields is not None:
        # RFC 5965 7.3: abuse, fraud, virus, other. `not-spam` takes a complaint back; opt-out and
        # auth-failure (RFC 6591) come in the same shape.
        said = " ".join(fields.get("feedback-type", [])).strip().lower()
        if said.startswith("opt-out"):
            return InboundKind.UNSUBSCRIBE
        if said.startswith(("auth-failure", "not-spam", "dmarc")):
            return InboundKind.OTHER
        return InboundKind.COMPLAINT
    # Microsoft's junk mail reports are no ARF: a subject and the mail itself enclosed.
    enclosed = any(part.type == "message/rfc822" for part in mail.parts)
    if enclosed and re.match(r"complaint about message from ", mail.get("subject"), re.IGNORECASE):
        return InboundKind.COMPLAINT
    return None


def _accused(mail: Part) -> tuple[Failure, ...]:
    fields = feedback_report(mail) or {}
    named: dict[str, None] = {}
    for name in ("original-rcpt-to", "removal-recipient"):
        for value in fields.get(name, [])[:100]:
            named.update(dict.fromkeys(addresses_in(value)))
    if not named:
        for part in mail.walk():
            if part is not mail and part.all("to"):
                for name in ("x-hmxmroriginalrecipient", "delivered-to", "to"):
                    named.update(dict.fromkeys(addresses_in(part.get(name)[:2000])))
                    if named:
                        break
                break
    return tuple(Failure(addresses=(one,), cause=Cause.POLICY, hard=False) for one in named)


def _failures(mail: Part) -> tuple[Failure, ...] | None:
    """Whom a report of failure names; empty for a report of success, None for no report."""
    notice = read_notice(mail)
    report = delivery_report(mail)
    told: tuple[Told, ...] = ()
    if report is not None:
        bad = tuple(one for one in report.recipients if not one.action.startswith(_DONE))
        if not bad:
            return ()
        told = bad
        if not any(one.addresses for one in told):
            told = told_by(mail, notice, ours=known_senders(mail)) or told
    elif is_notice(mail, notice):
        told = told_by(mail, notice, ours=known_senders(mail))
        if not told:
            told = (_unnamed(mail, notice.text),)
    else:
        return None
    return tuple(_failure(one, notice.text) for one in told)


def _unnamed(mail: Part, text: str) -> Told:
    """A report without a name: the mail that failed says whom it was for."""
    found: list[str] = []
    for part in mail.walk():
        if part is not mail and part.all("to"):
            found = addresses_in(part.get("to")[:2000])
            break
    said = " ".join(text.split())[:3000]
    only = tuple(found) if len(found) == 1 else ()
    return Told(addresses=only, action="", status="", diagnostic=said)


def _failure(told: Told, notice: str) -> Failure:
    cause, hard = judge(told)
    if cause is Cause.OTHER and notice:
        # The machine's part says nothing; the words for people often do.
        said = f"{told.diagnostic} {' '.join(notice.split())[:2000]}"
        cause, hard = judge(
            Told(
                addresses=told.addresses,
                action=told.action,
                status=told.status,
                diagnostic=said,
            )
        )
    return Failure(
        addresses=told.addresses,
        cause=cause,
        hard=hard,
        status=told.status,
        words=" ".join(told.diagnostic.split())[:500],
        delayed=told.action == "delayed",
    )


def _is_receipt(mail: Part) -> bool:
    """A read receipt (RFC 8098): somebody's program opened the mail, nobody answered."""
    return any(part.type == "message/disposition-notification" for part in mail.walk())
