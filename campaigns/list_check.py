"""LIST-1 and REP-1 of the preflight: what our rows say of a list and of a sender's last week."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlmodel import Session, col

from campaigns.planning import left_out
from campaigns.start import Prepared
from campaigns.states import WRITTEN
from campaigns.tables import Message
from deliverability import CLOSED, Domain, Lane, PreflightRow, RowLevel, worst
from leads import Event, Lead

#: Leads looked at closely; their shares stand for all.
SAMPLE = 2_000
#: Mailboxes of a function and not of a person (RFC 2142): several read them, and complain.
ROLES = frozenset(
    (
        *("info", "office", "biuro", "kontakt", "contact", "admin", "sales", "marketing"),
        *("support", "help", "hello", "team", "jobs", "billing", "abuse", "noc", "security"),
        *("postmaster", "hostmaster", "webmaster", "usenet", "news", "www", "uucp", "ftp"),
        *("noreply", "no-reply", "mail", "all"),
    )
)
#: Shares from which receivers notice (bounces of earlier mail, domains without mail).
_BOUNCED_WARN, _BOUNCED_ERROR = 0.02, 0.05
_CLOSED_WARN, _CLOSED_ERROR = 0.01, 0.05
#: Fewer leads than this say nothing about shares.
_FEW = 50

#: The days REP-1 looks back.
WEEK = timedelta(days=7)
_HARD_WARN, _HARD_ERROR = 0.02, 0.03
#: Google and Yahoo: stay under 0.1 %, never reach 0.3 %.
_COMPLAINED_WARN, _COMPLAINED_ERROR, _ENOUGH = 0.001, 0.003, 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class ListFacts:
    """A sample of those who would get a campaign."""

    sampled: int
    #: At domains that take no mail.
    closed: int
    #: At mailboxes of a function.
    roles: int
    #: Never written to by us.
    new: int
    #: Mail to them came back for good, or they complained.
    bounced: int


def list_facts(
    session: Session, prepared: Prepared, *, of: int, rule: ColumnElement[bool]
) -> ListFacts:
    """Looks at some of the `of` leads that would get the campaign, picked by their draw."""
    most = round(2**31 * min(1.0, SAMPLE / max(of, 1)))
    written = exists().where(
        col(Message.lead_id) == col(Lead.id), col(Message.state).in_(sorted(WRITTEN))
    )
    came_back = exists().where(
        col(Event.lead_id) == col(Lead.id),
        func.coalesce(col(Event.kind), "").in_(("bounced", "complained")),
    )
    reason = left_out(prepared.terms, prepared.definition.name)
    rows = session.execute(
        select(col(Lead.email), col(Domain.route), written, came_back)
        .select_from(Lead)
        .outerjoin(Domain, col(Domain.name) == col(Lead.domain))
        .where(rule, reason.is_(None), col(Lead.draw) <= most)
        .limit(2 * SAMPLE)
    ).all()
    return ListFacts(
        sampled=len(rows),
        closed=sum(route in CLOSED for _, route, _, _ in rows),
        roles=sum(email.partition("@")[0].lower() in ROLES for email, *_ in rows),
        new=sum(not known for _, _, known, _ in rows),
        bounced=sum(bool(back) for *_, back in rows),
    )


def list_row(facts: ListFacts, *, matching: int, left_out: dict[str, int]) -> PreflightRow:
    """LIST-1 from a plan's sums and a sample of its leads."""
    seen = [f"{matching:,} leads match"]
    seen += [f"{count:,} left out: {why.replace('_', ' ')}" for why, count in left_out.items()]
    levels: list[RowLevel] = ["ok"]
    told, remedies = [], []
    n = facts.sampled
    if n:
        seen += [
            f"{_share(facts.new, n)} never written to",
            f"{_share(facts.roles, n)} mailboxes of a function (info@, office@)",
            f"{_share(facts.closed, n)} at domains that take no mail",
            f"{_share(facts.bounced, n)} whose mail came back or who complained before",
        ]
    if facts.closed:
        levels.append(_level(facts.closed, n, _CLOSED_WARN, _CLOSED_ERROR))
        told.append(f"{_share(facts.closed, n)} are at domains that take no mail; they are skipped")
        remedies.append("see where the list came from")
    if facts.bounced:
        levels.append(_level(facts.bounced, n, _BOUNCED_WARN, _BOUNCED_ERROR))
        told.append(f"mail to {_share(facts.bounced, n)} came back before, or they complained")
        remedies.append("leave them out")
    if n >= _FEW and facts.roles / n > 0.2:
        levels.append("warn")
        told.append(f"{_share(facts.roles, n)} are mailboxes of a function and not of a person")
        remedies.append("write to people")
    if n >= _FEW and facts.new / n > 0.5:
        levels.append("info")
        told.append(f"{_share(facts.new, n)} never got a mail from us: their addresses are untried")
        remedies.append("send to some first: potok campaigns start NAME --first 50")
    return PreflightRow(
        id="LIST-1",
        level=worst(levels),
        what="; ".join(told) or "nothing speaks against this list",
        evidence=tuple(seen),
        remedy="; ".join(remedies),
    )


def _share(count: int, of: int) -> str:
    return f"{count / of:.0%} ({count} of {of})" if of else "none"


def _level(count: int, of: int, warn: float, error: float) -> RowLevel:
    share = count / of if of else 0.0
    if of < _FEW:
        return "info"
    return "error" if share >= error else "warn" if share >= warn else "info"


def reputation_row(session: Session, identity: str, *, now: datetime) -> PreflightRow:
    """REP-1: of the identity's mails of the last week, how many came back, how many complained."""
    ours = and_(col(Lane.id) == col(Message.lane_id), col(Lane.identity) == identity)

    def count(kind: str) -> int:
        found = session.scalar(
            select(func.count())
            .select_from(Event)
            .join(Message, col(Message.id) == col(Event.message_id))
            .join(Lane, ours)
            .where(col(Event.kind) == kind, col(Event.at) > now - WEEK, col(Event.at) <= now)
        )
        return found or 0

    sent, bounced, complained = count("sent"), count("bounced"), count("complained")
    return judged(sent=sent, bounced=bounced, complained=complained)


def judged(*, sent: int, bounced: int, complained: int) -> PreflightRow:
    """REP-1 from its numbers. A refusal in the dialogue is a bounce that was never sent."""
    tried = sent + bounced
    seen = (f"last 7 days: {sent:,} sent, {bounced:,} came back, {complained:,} complained",)
    if tried < _FEW:
        what = "too few mails in the last 7 days to say anything"
        return PreflightRow(id="REP-1", level="ok", what=what, evidence=seen)
    levels: list[RowLevel] = ["ok"]
    told, remedies = [], []
    if bounced / tried >= _HARD_WARN:
        levels.append("error" if bounced / tried >= _HARD_ERROR else "warn")
        told.append(f"{bounced / tried:.1%} of the last week's mail came back for good")
        remedies.append("stop, and leave out what was not written to for long")
    share = complained / tried
    # Below a thousand mails one complaint is no rate; two are a reason to stop.
    if (tried >= _ENOUGH and share >= _COMPLAINED_ERROR) or (tried < _ENOUGH and complained >= 2):
        levels.append("error")
    elif complained and share >= _COMPLAINED_WARN:
        levels.append("warn")
    if levels[-1] != "ok" and complained:
        told.append(f"{share:.2%} complained ({complained}); receivers act from 0.3 %")
        remedies.append("write to those only who asked for it")
    return PreflightRow(
        id="REP-1",
        level=worst(levels),
        what="; ".join(told) or f"{bounced / tried:.1%} came back, {share:.2%} complained",
        evidence=seen,
        remedy="; ".join(dict.fromkeys(remedies)),
    )
