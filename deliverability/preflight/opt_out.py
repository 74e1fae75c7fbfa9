"""UNSUB-1 and UNSUB-2: one click must be enough, and the fields that announce it must be signed."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from deliverability.envelope import compose
from deliverability.errors import EnvelopeError, SigningError
from deliverability.identity import Identity
from deliverability.preflight.dmarc import TreeWalk, walk
from deliverability.preflight.row import PreflightRow, RowLevel
from deliverability.resolver import Resolver
from deliverability.transport import is_loopback

#: What mail programs post (RFC 8058 3.1).
ONE_CLICK = b"List-Unsubscribe=One-Click"


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpReply:
    """What a web server answered; no redirect was followed."""

    #: 0 when nobody answered.
    status: int
    body: str = ""
    #: Why nobody answered.
    why: str = ""


#: (method, address, body) -> the reply; never raises for what the network does.
Fetch = Callable[[str, str, bytes], Awaitable[HttpReply]]


async def endpoint_row(
    resolver: Resolver, identity: Identity, author: TreeWalk, *, link: str, fetch: Fetch
) -> PreflightRow:
    """`link` is an opt-out link that is signed for nobody: following it opts nobody out."""
    if not link:
        return PreflightRow(
            id="UNSUB-1",
            level="error",
            what="there is no opt-out page: people can opt out by mail only, and mail programs "
            "show no button for that",
            remedy='set [web] base_url = "https://mail.your-domain" and have your web server pass '
            "it on to potok run",
        )
    parts = urlsplit(link)
    where = f"{parts.scheme}://{parts.netloc}"
    if is_loopback(parts.hostname or ""):
        what = f"the opt-out link leads to {where}, which only this machine can open"
        return _wrong("error", what, (), "set base_url to the public https address of this server")
    if parts.scheme != "https":
        # RFC 8058 3.1.
        what = f"the opt-out link leads to {where}; one click needs https"
        return _wrong("error", what, (), "put a web server with a certificate in front of it")
    got, posted = await fetch("GET", link, b""), await fetch("POST", link, ONE_CLICK)
    seen = (_said("GET", got), _said("POST", posted))
    if not got.status or not posted.status:
        what = f"nobody answers at {where} now: {posted.why or got.why}"
        return _wrong("warn", what, seen, "potok run must run, and be reachable, when mails leave")
    if posted.status in (502, 503, 504):
        what = f"the web server at {where} has nobody behind it now"
        return _wrong("warn", what, seen, "potok run must run when mails leave")
    if 300 <= posted.status < 400 or posted.status in (401, 403, 407):
        # RFC 8058 3.2: no login, no cookie, no redirect.
        what = f"{where} wants a login or leads elsewhere, so one click does nothing"
        return _wrong("error", what, seen, "let the path /u/ through to potok run as it comes")
    if posted.status != 200 or not posted.body.startswith("Unsubscribed"):
        what = f"what answers at {where} is not this workspace's opt-out page"
        return _wrong("error", what, seen, "let the path /u/ through to potok run as it comes")
    if got.status != 200 or got.body.startswith("Unsubscribed"):
        what = f"opening the link (GET) at {where} does not show the page"
        return _wrong("error", what, seen, "let the path /u/ through to potok run as it comes")
    host = (parts.hostname or "").lower()
    if (await walk(resolver, host)).organisation != author.organisation and not host.endswith(
        "." + author.organisation
    ):
        what = f"the opt-out page is at {host} and not in {author.organisation}"
        return _wrong("warn", what, seen, f"receivers trust a name in {author.organisation} more")
    return PreflightRow(
        id="UNSUB-1",
        level="ok",
        what=f"one click at {where} opts out; opening the link only shows the page",
        evidence=seen,
    )


def _wrong(level: RowLevel, what: str, seen: tuple[str, ...], remedy: str) -> PreflightRow:
    return PreflightRow(id="UNSUB-1", level=level, what=what, evidence=seen, remedy=remedy)


def _said(method: str, reply: HttpReply) -> str:
    if not reply.status:
        return f"{method}: no answer ({reply.why})"
    return f"{method}: {reply.status} {' '.join(reply.body.split())[:60]}".strip()


def signed_row(identity: Identity, *, link: str, now: datetime) -> PreflightRow:
    """Looks into a mail as it would leave (RFC 8058 4: both fields must be signed)."""
    if not identity.keys:
        return PreflightRow(
            id="UNSUB-2",
            level="unknown",
            what="Potok does not sign this identity's mail: whether your mail company signs the "
            "opt-out fields is seen in a mail that arrived",
            remedy="look for list-unsubscribe in h= of its DKIM-Signature, or sign with a key of "
            "your own",
        )
    try:
        envelope = compose(
            identity,
            to_address=identity.from_address,
            to_name="",
            subject="Preflight",
            text="Preflight\n",
            html=None,
            message_id=f"preflight@{identity.domain}",
            date=now,
            list_id=f"preflight.{identity.domain}",
            unsubscribe_url=link or None,
            unsubscribe_mailto=identity.reply_to or identity.from_address,
        )
    except (EnvelopeError, SigningError) as wrong:
        return PreflightRow(
            id="UNSUB-2", level="error", what=str(wrong), remedy="correct the identity"
        )
    head = envelope.data.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
    fields = re.findall(r"(?mi)^(list-unsubscribe(?:-post)?|list-id):", head)
    signatures = re.findall(r"(?m)^DKIM-Signature:[^\r\n]*(?:\r\n[ \t][^\r\n]*)*", head)
    missing = [
        name.lower()
        for name in fields
        for signature in signatures
        if name.lower() not in _signed(signature)
    ]
    seen = tuple(f"h={':'.join(sorted(_signed(each)))}" for each in signatures)
    if missing:
        what = f"not signed: {', '.join(dict.fromkeys(missing))}"
        return PreflightRow(id="UNSUB-2", level="error", what=what, evidence=seen)
    if "List-Unsubscribe-Post" not in fields:
        return PreflightRow(
            id="UNSUB-2",
            level="error",
            what="mails announce no one-click, because there is no https opt-out page",
            evidence=seen,
            remedy="see UNSUB-1",
        )
    what = f"{', '.join(fields)} are signed"
    return PreflightRow(id="UNSUB-2", level="ok", what=what, evidence=seen)


def _signed(signature: str) -> set[str]:
    found = re.search(r"\bh=([^;]*)", signature)
    return set("".join(found[1].split()).lower().split(":")) if found else set()
