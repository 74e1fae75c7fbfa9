"""The preflight as wired for a workspace: real DNS, real web, rows remembered for an hour.

`check_sender` is about who writes, `check_campaign` adds the rows about one campaign,
`audience_preflight` says what of it forbids a start.
"""

import asyncio
import http.client
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlmodel import Session

from campaigns import (
    NOBODY,
    UNSUBSCRIBE,
    Finding,
    Plan,
    Prepared,
    left_out,
    list_facts,
    list_row,
    reputation_row,
)
from console.dns import resolver_of, sends_away
from console.settings import Settings
from console.spam_checks import audience_spam
from console.wiring import Workspace
from deliverability import (
    HttpReply,
    Identity,
    PreflightRow,
    ResolverError,
    RowLevel,
    check_identity,
    make_token,
    remember,
    remembered,
    worst,
)
from leads import Lead, content_hash

#: Seconds for each check, and for one web request.
_TIMEOUT, _WEB = 20.0, 8.0
_LEVELS: dict[RowLevel, str] = {"error": "error", "warn": "warning", "unknown": "info"}


def check_sender(
    workspace: Workspace, identity: Identity, *, bulk: bool = True, fresh: bool = True
) -> tuple[PreflightRow, ...]:
    """The rows about who writes; without `fresh` those of the last hour will do.

    Raises ResolverError when there is no DNS server to ask. Not to be called inside a transaction.
    """
    settings, now = workspace.settings, workspace.now()
    facts = _facts(settings, identity, bulk=bulk)
    if not fresh:
        kept = workspace.database.read(lambda s: remembered(s, identity.name, facts, now=now))
        if kept is not None:
            return kept
    rows = asyncio.run(
        check_identity(
            identity,
            resolver_of(settings),
            link=_link(workspace),
            fetch=_fetch,
            ehlo_name=socket.gethostname(),
            bulk=bulk,
            now=now,
            timeout=_TIMEOUT,
        )
    )
    workspace.database.write(lambda s: remember(s, identity.name, facts, rows, now=now))
    return rows


def _facts(settings: Settings, identity: Identity, *, bulk: bool) -> str:
    body = asdict(identity)
    body["smtp"].pop("password")
    if body["mailbox"] is not None:
        body["mailbox"] = None
    web, dns = settings.web.base_url, settings.dns.nameservers
    return content_hash({"identity": repr(body), "web": web, "dns": repr(dns), "bulk": bulk})


def _link(workspace: Workspace) -> str:
    """An opt-out link signed for nobody; empty without a page."""
    base = workspace.settings.web.base_url
    keys = tuple(reversed(workspace.keys.links))
    return f"{base}/u/{make_token(keys, UNSUBSCRIBE, NOBODY, 0)}" if base else ""


async def _fetch(method: str, link: str, body: bytes) -> HttpReply:
    return await asyncio.to_thread(_request, method, link, body)


def _request(method: str, link: str, body: bytes) -> HttpReply:
    parts = urlsplit(link)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    line = kind(parts.hostname or "", parts.port, timeout=_WEB)
    headers = {"User-Agent": "Potok preflight"}
    if body:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        line.request(method, parts.path, body or None, headers)
        reply = line.getresponse()
        return HttpReply(status=reply.status, body=reply.read(4_000).decode("utf-8", "replace"))
    except socket.gaierror:
        return HttpReply(status=0, why=f"there is no host called {parts.hostname}")
    except (OSError, http.client.HTTPException) as wrong:
        why = str(getattr(wrong, "strerror", None) or wrong or type(wrong).__name__)
        return HttpReply(status=0, why=" ".join(why.split()))
    finally:
        line.close()


def check_campaign(
    workspace: Workspace, prepared_in: Callable[[Session], Prepared], plan: Plan
) -> list[PreflightRow]:
    """LIST-1, CONTENT-1, SPAM-1 and PLAN-1 of a campaign that was looked at."""
    found = list(_list_rows(workspace, prepared_in, plan.mailable, plan.matching, plan.left_out))
    spam = [f for f in plan.findings if f.id.startswith("spam-") or f.id == "no-spam-score"]
    ours = {"paused-by-lead", "variants-too-few"} | {row.id for row in found}
    content = [
        f for f in plan.findings if f not in spam and f.id not in ours and not f.id.isupper()
    ]
    found.append(_of_findings("CONTENT-1", content, "every text can be made and read"))
    silent = [f for f in spam if f.id in ("no-spam-score", "spamd-silent")]
    if silent or not spam:
        why = silent[0] if silent else None
        found.append(
            PreflightRow(
                id="SPAM-1",
                level="unknown",
                what=why.what if why else "SpamAssassin was not asked",
                remedy=why.do if why else "name yours: [templates] spamd",
            )
        )
    else:
        found.append(_of_findings("SPAM-1", spam, spam[0].what))
    found.append(_plan_row(workspace, plan))
    return found


def _of_findings(id: str, findings: Sequence[Finding], good: str) -> PreflightRow:
    levels: dict[str, RowLevel] = {"error": "error", "warning": "warn"}
    bad = [f for f in findings if f.level in levels]
    return PreflightRow(
        id=id,
        level=worst([levels[f.level] for f in bad] or ["ok"]),
        what="; ".join(f"{f.where}: {f.what}" for f in bad) or good,
        evidence=tuple(f"{f.where}: {f.what}" for f in findings),
        remedy="; ".join(dict.fromkeys(f.do for f in bad)),
    )


def _plan_row(workspace: Workspace, plan: Plan) -> PreflightRow:
    finish, days = plan.forecast.finish_at, plan.forecast.per_day
    seen = (
        *(f"{p}: {count:,} at about {rate:.3g} a minute" for p, count, rate in plan.lanes),
        *(f"{day}: {count:,}" for day, count in days[:14]),
    )
    if not plan.mailable:
        return PreflightRow(id="PLAN-1", level="info", what="nobody would get it", evidence=seen)
    if finish is None:
        return PreflightRow(
            id="PLAN-1",
            level="error",
            what="it would take more than ten years",
            evidence=seen,
            remedy="raise the pace or the day cap",
        )
    local = finish.astimezone(workspace.settings.time_zone)
    over = f", over {len(days)} days" if len(days) > 1 else ""
    return PreflightRow(
        id="PLAN-1",
        level="info",
        what=f"{plan.mailable:,} mails end about {local:%Y-%m-%d %H:%M %Z}{over}",
        evidence=seen,
    )


def audience_preflight(
    workspace: Workspace,
    prepared_in: Callable[[Session], Prepared],
    *,
    plan: Plan | None = None,
) -> list[Finding]:
    """What the preflight says against a start: nothing unless mail for many leaves this machine.

    Not to be called inside a transaction.
    """
    settings = workspace.settings

    def work(session: Session) -> tuple[Prepared, int]:
        prepared = prepared_in(session)
        if not settings.preflight_from or not any(map(sends_away, prepared.identities)):
            return prepared, 0
        return prepared, plan.mailable if plan else _mailable(workspace, session, prepared)

    prepared, count = workspace.database.read(work)
    if not settings.preflight_from or count < settings.preflight_from:
        return []
    found: dict[Finding, None] = {}
    for identity in filter(sends_away, prepared.identities):
        where = f"potok.toml [identity.{identity.name}]"
        try:
            rows = [*check_sender(workspace, identity, fresh=False)]
        except ResolverError as error:
            # No network at all is no reason to forbid anything.
            what = f"DNS could not be asked: {error}"
            found[Finding(id="DNS", level="info", where=where, what=what, do="go online")] = None
            continue
        rows.append(
            workspace.database.read(
                lambda s, name=identity.name: reputation_row(s, name, now=workspace.now())  # type: ignore[misc]
            )
        )
        found.update(dict.fromkeys(_findings(rows, where)))
    matching = plan.matching if plan else count
    out = plan.left_out if plan else {}
    listed = _list_rows(workspace, prepared_in, count, matching, out)
    found.update(dict.fromkeys(_findings([*listed], f"campaigns/{prepared.definition.name}.toml")))
    return list(found)


def opinions_of(workspace: Workspace, prepared_in: Callable[[Session], Prepared]) -> list[Finding]:
    """What others say of a campaign that is about to start: the spam filter, and DNS of who sends.

    Not to be called inside a transaction.
    """
    spam = audience_spam(workspace, prepared_in)
    return [*spam, *audience_preflight(workspace, prepared_in)]


def _findings(rows: Sequence[PreflightRow], where: str) -> Iterator[Finding]:
    for row in rows:
        if row.level in _LEVELS:
            yield Finding(
                id=row.id,
                level=_LEVELS[row.level],
                where=where,
                what=row.what,
                do=row.remedy or "See potok deliverability check",
            )


def _mailable(workspace: Workspace, session: Session, prepared: Prepared) -> int:
    rule = prepared.rule(workspace.settings.time_zone)(workspace.now())
    reason = left_out(prepared.terms, prepared.definition.name)
    counted = select(func.count()).select_from(Lead).where(rule, reason.is_(None))
    return session.scalar(counted) or 0


def _list_rows(
    workspace: Workspace,
    prepared_in: Callable[[Session], Prepared],
    mailable: int,
    matching: int,
    out: dict[str, int],
) -> Iterator[PreflightRow]:
    def work(session: Session) -> PreflightRow:
        prepared, now = prepared_in(session), workspace.now()
        rule = prepared.rule(workspace.settings.time_zone)(now)
        facts = list_facts(session, prepared, of=mailable, rule=rule)
        return list_row(facts, matching=matching, left_out=out)

    yield workspace.database.read(work)
