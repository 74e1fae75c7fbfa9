"""Reports of failure written as prose: is it one, whom does it name, what does it say of each?

Older and smaller mail systems write no RFC 3464 report. What they have in common: they come from a
daemon or with an empty return path (RFC 5321 4.5.5), say that something could not be delivered,
name addresses at the beginning of lines, and put the mail that failed underneath.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from deliverability.classify import cause_of
from deliverability.inbound_mime import Part, html_to_text
from deliverability.inbound_report import Told, addresses_in, status_in
from deliverability.inbound_words import reasons, words
from deliverability.outcome import Cause, Phase

_CODE = re.compile(r"(?<![\d.])([45]\d\d)(?=[ \-,:;#'\"<]|$)")
#: A server that took RCPT and says after the text that it knows no such user is filtering.
_AFTER_DATA = re.compile(
    r"(in reply to|in response to|after|our( final)?|command:?)\W{0,3}"
    r"(end of )?(the )?(DATA|dot)\b|"
    r"\[?MAIL_DATA\]|>>> (DATA|\.)$",
    re.MULTILINE,
)
_MOST_LINES = 250
_HEAD = r"[>\s*\"'\[(-]{0,10}(?:[45]\d\d[ -](?:[45][.\d]+ )?)?<?\"?(?:mailto:|rfc822;\s?)?"
_AT_START = re.compile(rf"{_HEAD}([^\s<>()\[\]:;,\"'|\\@]{{1,120}}@[\w.-]{{1,255}}\w)")
_NAMED = re.compile(
    r"(?:your (?:mail|message) to|address(?:es)?|recipients?|delivered to|rcpt to|able to|"
    r"delivery to|attempts|user|mail to|following):?[\s\"'<(]{1,6}"
    r"([^\s<>()\[\]:;,\"'|\\@]{1,120}@[\w.-]{1,255}\w)",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """The part of a report that the daemon wrote, without the mail that failed."""

    text: str
    #: What stands behind it, where the failed mail's header may be.
    rest: str


def is_daemon(mail: Part) -> bool:
    """Whether the sender is a mail system's own address, or nobody."""
    sender = mail.get("from")[:500]
    if "mailer-daemon" in sender.lower() or not sender.strip("<> "):
        return True
    # Not email.utils.parseaddr: it recurses into parentheses and can be driven to the limit.
    name, _, rest = sender.rpartition("<")
    local = rest.partition("@")[0].strip()
    name = name.strip("\"' ")
    return bool(words("daemon", "local").search(local)) or bool(
        name and words("daemon", "name").search(name)
    )


def is_notice(mail: Part, notice: Notice) -> bool:
    """Whether prose is a report of failure: two signs of different kinds must agree."""
    if mail.all("x-failed-recipients"):
        return True
    nobody = mail.get("return-path") in ("<>", "<MAILER-DAEMON>", "MAILER-DAEMON")
    daemon = is_daemon(mail) or nobody
    subject = bool(words("failed", "subject").search(mail.get("subject")[:300]))
    body = bool(words("failed", "body").search(notice.text[:3000]))
    if daemon:
        return subject or body
    report = mail.type == "multipart/report" and "status" in mail.parameters.get("report-type", "")
    enclosed = any(part.type in ("message/rfc822", "text/rfc822-headers") for part in mail.parts)
    return body and (report or (subject and (enclosed or bool(notice.rest))))


def read_notice(mail: Part) -> Notice:
    """The daemon's words: text up to the line behind which the failed mail begins."""
    texts = []
    for part in mail.walk():
        if part.type in ("message/rfc822", "text/rfc822-headers", "message/delivery-status"):
            break
        if part.type == "text/plain" or (part.type.startswith("text/") and not part.parts):
            texts.append(html_to_text(part.text) if part.type == "text/html" else part.text)
        if part.type == "text/plain" and part.text.strip():
            break
    if not texts and mail.body:
        # multipart without a boundary that works
        texts.append(mail.text)
    lines = "\n".join(texts).splitlines()
    mark = words("original", "line")
    for number, line in enumerate(lines[:_MOST_LINES]):
        if (
            number
            and len(line) < 200
            and (mark.match(line.strip("> *")) or _is_header(lines, number))
        ):
            return Notice(text="\n".join(lines[:number]), rest="\n".join(lines[number:][:400]))
    return Notice(text="\n".join(lines[:_MOST_LINES]), rest="")


def _is_header(lines: Sequence[str], number: int) -> bool:
    """A header block begins here: at least three lines of the forms that mail headers have."""
    seen = 0
    for line in lines[number : number + 8]:
        if re.match(
            r">?(Received|Return-Path|From|To|Subject|Date|Message-ID|X-[\w-]+|Mime-Version):",
            line,
            re.IGNORECASE,
        ):
            seen += 1
        elif not line[:1].isspace() or not line.strip():
            break
    return seen >= 3 and bool(re.match(r">?(Received|Return-Path):", lines[number], re.IGNORECASE))


def told_by(mail: Part, notice: Notice, *, ours: Sequence[str]) -> tuple[Told, ...]:
    """What the prose says about each recipient. `ours` are the sender's addresses, no failures."""
    named = [a for value in mail.all("x-failed-recipients") for a in addresses_in(value)]
    found: dict[str, int] = dict.fromkeys(named, -1)
    lines = notice.text.splitlines()
    for look in (_at_line_starts, _named, _somewhere):
        found = found or look(lines, ours)
    order = list(found.items())
    told = []
    for at, (address, number) in enumerate(order[:200]):
        after = [n for _, n in order[at + 1 :] if n > number]
        said = "\n".join(lines[number : after[0] if after else number + 25]) if number >= 0 else ""
        # Words stand under the address, or, where all share one reason, anywhere in the notice.
        if not (_CODE.search(said) or cause_of_words(said) is not Cause.OTHER):
            said = notice.text
        said = " ".join(said.split())[:3000]
        told.append(Told(addresses=(address,), action="", status=status_in(said), diagnostic=said))
    return tuple(told)


def _at_line_starts(lines: Sequence[str], ours: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for number, line in enumerate(lines):
        hit = _AT_START.match(line)
        if hit and words("contact", "line").search(line[: hit.start(1)] + line[hit.end(1) :]):
            hit = None if not line.lstrip().startswith("<") else hit
        if hit and hit[1].lower() not in ours:
            found.setdefault(hit[1].strip("."), number)
    return found


def _named(lines: Sequence[str], ours: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for number, line in enumerate(lines):
        hit = _NAMED.search(line)
        if hit and hit[1].lower() not in ours:
            found.setdefault(hit[1].strip("."), number)
    return found


def _somewhere(lines: Sequence[str], ours: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for number, line in enumerate(lines):
        if words("contact", "line").search(line):
            continue
        for address in addresses_in(line):
            if address.lower() not in ours and "daemon" not in address.lower():
                found.setdefault(address, number)
    return found


def cause_of_words(text: str) -> Cause:
    """What words of a report are about, by the table of `inbound.toml`."""
    for cause, pattern in reasons():
        if pattern.search(text[:3000]):
            return cause
    return Cause.OTHER


def judge(told: Told) -> tuple[Cause, bool]:
    """(what it is about, whether the address will never work).

    Hard is only what says so of the address itself: everything else may pass, and a good address
    lost is worse than a bad one tried once more.
    """
    return _judge(told.action, told.status, told.diagnostic[:3000])


# A report may say the same of five hundred recipients.
@lru_cache(maxsize=64)
def _judge(action: str, status: str, said: str) -> tuple[Cause, bool]:
    found = _CODE.search(said)
    code = int(found[1]) if found else {"4": 450, "5": 550}.get(status[:1], 550)
    cause = cause_of(Phase.RCPT, code, status, said)
    if cause in (Cause.OTHER, Cause.POLICY, Cause.NETWORK):
        more = cause_of_words(said)
        cause = cause if more is Cause.OTHER else more
    temporary = action == "delayed" or (status.startswith("4") and code < 500)
    return cause, cause is Cause.ADDRESS and not temporary and not _AFTER_DATA.search(said)
