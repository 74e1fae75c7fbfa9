"""The table of what refusals are about: the shipped rows, and those of a workspace before them."""

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from importlib.resources import files

from deliverability.errors import ProviderError
from deliverability.outcome import Cause, Phase


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerRow:
    """One line of `answers.toml`; every condition that is given must hold."""

    cause: Cause
    phases: frozenset[Phase] = frozenset()
    codes: re.Pattern[str] | None = None
    enhanced: re.Pattern[str] | None = None
    words: re.Pattern[str] | None = None
    #: The receiving provider it is for; empty: for all.
    provider: str = ""
    #: How long such an answer keeps the lane still; None: as its cause says.
    suspend: timedelta | None = None
    source: str = ""

    def matches(self, phase: Phase, code: int, enhanced: str, text: str) -> bool:
        return (
            (not self.phases or phase in self.phases)
            and (self.codes is None or bool(self.codes.fullmatch(str(code))))
            and (self.enhanced is None or bool(self.enhanced.fullmatch(enhanced)))
            and (self.words is None or bool(self.words.search(text)))
        )


def answer_row(
    *,
    cause: str,
    phases: Iterable[str] = (),
    codes: str | None = None,
    enhanced: str | None = None,
    words: str | None = None,
    provider: str = "",
    suspend_minutes: float | None = None,
    source: str = "",
) -> AnswerRow:
    """A row out of what a file says.

    Raises ProviderError: a pattern that is none, or a row without a condition, which would be true
    of every answer.
    """
    if not (codes or enhanced or words):
        raise ProviderError("an answer is known by codes, enhanced or words: write one of them")
    return AnswerRow(
        cause=Cause(cause),
        phases=frozenset(map(Phase, phases)),
        codes=_pattern("codes", codes),
        enhanced=_pattern("enhanced", enhanced),
        words=_pattern("words", words),
        provider=provider,
        suspend=None if suspend_minutes is None else timedelta(minutes=suspend_minutes),
        source=source,
    )


def _pattern(key: str, text: str | None) -> re.Pattern[str] | None:
    if not text:
        return None
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error as wrong:
        raise ProviderError(f"{key} is no regular expression: {wrong}") from wrong


@lru_cache(maxsize=1)
def shipped_answers() -> tuple[AnswerRow, ...]:
    """The shipped table, in order: the first row that matches decides."""
    data = tomllib.loads(files("deliverability").joinpath("answers.toml").read_text("utf-8"))
    return tuple(answer_row(**row) for row in data["answer"])


def answers_of(provider: str, own: Sequence[AnswerRow] = ()) -> tuple[AnswerRow, ...]:
    """The rows that answers of `provider` are judged by: the workspace's own come first."""
    return tuple(
        row for row in (*own, *shipped_answers()) if not row.provider or row.provider == provider
    )
