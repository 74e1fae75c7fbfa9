"""What SpamAssassin says of a template, as findings; it is shown the mail that would leave."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from sqlmodel import Session, col, select

import campaigns
from campaigns import Prepared
from console.previews import specimen, trial
from console.wiring import Workspace
from deliverability import Identity, SpamdError, SpamRule, SpamScore, spam_score
from leads import Lead, Recipient, recipients
from templates import Compiled, Finding, RenderError

#: Points from which a score is worth a warning; SpamAssassin itself calls 5.0 spam.
WARNING, ERROR = 2.0, 5.0
#: Where findings stand that are about this machine and not about one template.
SPAMD = "potok.toml [templates] spamd"


def spam_findings(
    workspace: Workspace, compiled: Compiled, sender: Identity, lead: Recipient | None
) -> list[Finding]:
    """The score of the mail in each language, as `lead` (or somebody invented) would get it.

    Without spamd it is one notice how to get it, or a warning when potok.toml names one that does
    not answer; nothing when potok.toml says so. Not to be called while a transaction is open.
    """
    checks = workspace.settings.templates
    if checks.spamd is None:
        return []
    host, port = checks.spamd
    found: list[Finding] = []
    for language in compiled.languages:
        texts = compiled.texts[compiled.texts_for(language)]
        part = texts.html or texts.text or texts.subject
        message, for_whom = _message(workspace, compiled, sender, lead, language)
        if message is None:
            found.append(_unscored(part.file, for_whom))
            continue
        try:
            score = asyncio.run(
                spam_score(message, host=host, port=port, timeout=checks.spamd_timeout)
            )
        except SpamdError as error:
            return [_silent(error, named=checks.spamd_named)]
        found += scored(score, part.file, for_whom)
    return found


def somebody(workspace: Workspace) -> Recipient | None:
    """The first lead there is, to render for; None in an empty workspace."""
    with workspace.database.reading() as session:
        lead_id = session.scalar(select(col(Lead.id)).order_by(col(Lead.id)).limit(1))
        return recipients(session, [lead_id])[lead_id] if lead_id is not None else None


def audience_spam(
    workspace: Workspace, prepared_in: Callable[[Session], Prepared]
) -> list[campaigns.Finding]:
    """The same for a campaign: the mail the first of its audience would get."""
    settings = workspace.settings
    if settings.templates.spamd is None:
        return []

    def work(session: Session) -> tuple[Prepared, Recipient | None]:
        prepared = prepared_in(session)
        matching = prepared.rule(settings.time_zone)(workspace.now())
        lead_id = session.scalar(select(col(Lead.id)).where(matching).limit(1))
        return prepared, recipients(session, [lead_id])[lead_id] if lead_id else None

    prepared, lead = workspace.database.read(work)
    found: dict[campaigns.Finding, None] = {}
    for compiled in prepared.templates:
        for each in spam_findings(workspace, compiled, prepared.identity, lead):
            about_us = each.where == SPAMD
            finding = campaigns.Finding(
                id=each.id,
                level=each.level,
                where=SPAMD if about_us else f"templates/{compiled.name}/{each.where}",
                what=each.what,
                do=each.do,
            )
            found[finding] = None
            if about_us:
                # Who does not answer for one mail is not waited for again with the next.
                return list(found)
    return list(found)


def _message(
    workspace: Workspace,
    compiled: Compiled,
    sender: Identity,
    lead: Recipient | None,
    language: str,
) -> tuple[bytes | None, str]:
    """The mail and for whom it is; None with the reason why there is none."""
    invented = specimen(sender.from_address, language, now=workspace.now())
    reason = ""
    for each in (lead, invented):
        if each is None:
            continue
        try:
            written = trial(workspace, compiled, sender, replace(each, language=language))
        except RenderError as error:
            reason = reason or str(error)
            continue
        return written.envelope.data, each.email if each is lead else "an invented lead"
    return None, reason


def scored(score: SpamScore, where: str, for_whom: str) -> Iterator[Finding]:
    """A score as findings: itself, and when it is worth a warning every rule with points."""
    high = score.score >= WARNING
    small = ", ".join(f"{rule.points:+.1f} {rule.name}" for rule in _counted(score))
    yield Finding(
        id="spam-score",
        level="error" if score.score >= ERROR else "warning" if high else "notice",
        where=where,
        # Adding nothing turns a negative zero into a zero.
        what=f"SpamAssassin gives {score.score + 0.0:.1f} points ({score.threshold:.1f} make spam) "
        f"to the mail as for {for_whom}" + (f": {small}" if small and not high else ""),
        do="change what its rules complain about; potok templates check lists them"
        if high
        else "nothing, this is good",
    )
    if high:
        yield from _rules(score, where)


def _counted(score: SpamScore) -> list[SpamRule]:
    return [rule for rule in score.rules if rule.points >= 0.1]


def _rules(score: SpamScore, where: str) -> Iterator[Finding]:
    for rule in _counted(score):
        yield Finding(
            id="spam-rule",
            level="notice",
            where=where,
            what=f"{rule.points:+.1f} {rule.name}: {rule.description or 'no description'}",
            do=_advice(rule.name),
        )


def _advice(name: str) -> str:
    for part, advice in _ADVICE:
        if part in name:
            return advice
    return "say it in other words, or leave it out"


#: What a rule's name tells about where the fault is.
_ADVICE: Sequence[tuple[str, str]] = (
    ("IMAGE", "say more in text, or use fewer pictures"),
    ("HTML", "look at the HTML of the template"),
    ("MIME", "look at the parts of the mail"),
    ("URI", "look at the links"),
    ("URL", "look at the links"),
    ("SUBJ", "write another subject"),
    ("FROM", "look at the sender in potok.toml"),
    ("DKIM", "look at the identity's DKIM key in potok.toml"),
    ("SPF", "look at the sender's domain in DNS"),
)


def _silent(error: SpamdError, *, named: bool) -> Finding:
    if named:
        return Finding(
            id="spamd-silent",
            level="warning",
            where=SPAMD,
            what=f"no spam score: {error}",
            do='start it, correct the address, or write spamd = "" to do without',
        )
    return Finding(
        id="no-spam-score",
        level="notice",
        where=SPAMD,
        what=f"no spam score: {error}",
        do="for one, install SpamAssassin and run spamd (apt-get install spamassassin spamd), "
        'or name yours: spamd = "HOST:PORT"; spamd = "" ends this notice',
    )


def _unscored(where: str, reason: str) -> Finding:
    return Finding(
        id="no-spam-score",
        level="notice",
        where=where,
        what=f"no spam score, because no mail could be made: {reason}",
        do="give a lead that has what is missing: --lead EMAIL",
    )
