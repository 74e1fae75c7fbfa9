"""What a server's refusal is about: a table decides, by phase, code, enhanced code and words.

The codes are those of RFC 5321 4.2.3, RFC 3463 and, for SPF, DKIM and DMARC, RFC 7372; for login
and encryption RFC 5248; greylisting is described in RFC 6647.

Whom a refusal is about decides who pays for it. A blocked sender must never cost a good address
its place on the list, so only a clear word about the address itself gives `Cause.ADDRESS`.
"""

import re
from collections.abc import Sequence

from deliverability.answer_table import AnswerRow, shipped_answers
from deliverability.outcome import Cause, Outcome, Phase, Verdict

#: RFC 3463 2: class.subject.detail.
_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")


def classify(
    phase: Phase, code: int, text: str, answers: Sequence[AnswerRow] | None = None
) -> Outcome:
    """The outcome of an answer that ends an attempt, by `answers` or the shipped table.

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
    row = deciding(phase, code, enhanced, words, answers)
    cause = row.cause if row else _by_phase(phase, code)
    if cause is Cause.ADDRESS and (code < 500 or phase in (Phase.CONNECT, Phase.MAIL)):
        # Whatever a workspace's own row says: nobody has spoken about the recipient for good yet.
        cause = Cause.OTHER
    if code == 421 and cause is Cause.NETWORK and phase is not Phase.BODY:
        verdict = Verdict.UNSENT
    return Outcome(
        verdict=verdict,
        phase=phase,
        cause=cause,
        code=code,
        enhanced=enhanced,
        reply=words,
        suspend=row.suspend if row else None,
    )


def deciding(
    phase: Phase,
    code: int,
    enhanced: str | None,
    text: str,
    answers: Sequence[AnswerRow] | None = None,
) -> AnswerRow | None:
    """The first row that fits; None when nothing in the table does."""
    for row in shipped_answers() if answers is None else answers:
        if row.matches(phase, code, enhanced or "", text):
            return row
    return None


def cause_of(phase: Phase, code: int, enhanced: str | None, text: str) -> Cause:
    """What it is about by the shipped table; `OTHER` when nothing in it says."""
    row = deciding(phase, code, enhanced, text)
    return row.cause if row else _by_phase(phase, code)


def _by_phase(phase: Phase, code: int) -> Cause:
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
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())[:1000]
