"""What a server's refusal is about: a table decides, by phase, code, enhanced code and words.

The codes are those of RFC 5321 4.2.3, RFC 3463 and, for SPF, DKIM and DMARC, RFC 7372; for login
and encryption RFC 5248; greylisting is described in RFC 6647.

Whom a refusal is about decides who pays for it. A blocked sender must never cost a good address
its place on the list, so only a clear word about the address itself gives `Cause.ADDRESS`.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from deliverability.outcome import Cause, Outcome, Phase, Verdict

#: RFC 3463 2: class.subject.detail.
_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One line of `answers.toml`; every condition that is given must hold."""

    cause: Cause
    phases: frozenset[Phase]
    codes: re.Pattern[str] | None
    enhanced: re.Pattern[str] | None
    words: re.Pattern[str] | None
    source: str

    def matches(self, phase: Phase, code: int, enhanced: str, text: str) -> bool:
        return (
            (not self.phases or phase in self.phases)
            and (self.codes is None or bool(self.codes.fullmatch(str(code))))
            and (self.enhanced is None or bool(self.enhanced.fullmatch(enhanced)))
            and (self.words is None or bool(self.words.search(text)))
        )


@lru_cache(maxsize=1)
def table() -> Sequence[Row]:
    """The shipped table, in order: the first row that matches decides."""
    data = tomllib.loads(files("deliverability").joinpath("answers.toml").read_text("utf-8"))

    def pattern(text: str | None) -> re.Pattern[str] | None:
        return None if text is None else re.compile(text, re.IGNORECASE)

    return tuple(
        Row(
            cause=Cause(row["cause"]),
            phases=frozenset(map(Phase, row.get("phases", ()))),
            codes=pattern(row.get("codes")),
            enhanced=pattern(row.get("enhanced")),
            words=pattern(row.get("words")),
            source=row["source"],
        )
        for row in data["answer"]
    )


def classify(phase: Phase, code: int, text: str) -> Outcome:
    """The outcome of an answer that ends an attempt.

    2xx is ACCEPTED, 4xx DEFERRED, 5xx REJECTED (RFC 5321 4.2.1); the cause comes from the table.
    A server that hangs up because the line was idle refused nothing: UNSENT.
    """
    words = one_line(text)
    enhanced = enhanced_code(words, code)
    if 200 <= code < 300:
        return Outcome(
            verdict=Verdict.ACCEPTED, phase=Phase.DONE, code=code, enhanced=enhanced, reply=words
        )
    verdict = Verdict.DEFERRED if code < 500 else Verdict.REJECTED
    cause = cause_of(phase, code, enhanced, words)
    if code == 421 and cause is Cause.NETWORK and phase is not Phase.BODY:
        verdict = Verdict.UNSENT
    return Outcome(
        verdict=verdict, phase=phase, cause=cause, code=code, enhanced=enhanced, reply=words
    )


def cause_of(phase: Phase, code: int, enhanced: str | None, text: str) -> Cause:
    """What it is about; `OTHER` when nothing in the table says."""
    for row in table():
        if row.matches(phase, code, enhanced or "", text):
            return row.cause
    # RFC 5321 3.3: MAIL is where a server judges the sender, before it knows the recipient.
    if phase in (Phase.CONNECT, Phase.MAIL) and code >= 500:
        return Cause.SENDER
    return Cause.OTHER


def enhanced_code(text: str, code: int) -> str | None:
    """The first enhanced code in `text` that is of the reply's own class (RFC 2034 4)."""
    for found in _ENHANCED.finditer(text):
        if found[1] == str(code)[0]:
            return found[0]
    return None


def one_line(text: str) -> str:
    """The server's words on one line without control characters, at most 1,000 of them."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:1000]
