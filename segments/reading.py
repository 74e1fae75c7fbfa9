"""Rule text to tree. The grammar is `rules.lark`; errors are made in `misreading.py`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from lark import Lark
from lark.exceptions import UnexpectedInput

from segments.building import Builder
from segments.errors import RuleError, SegmentCycleError
from segments.fitting import Unfit
from segments.misreading import place_error, unexpected
from segments.stages import Stages, settle_stages
from segments.terms import Place
from segments.tree import Condition, InSegment, Rule, walk
from segments.vocabulary import nearest

#: Longer rules are refused: nobody can read them aloud, and databases have limits of their own.
MAX_LENGTH = 8_000
MAX_DEPTH = 50
MAX_CONDITIONS = 500


def parse(
    text: str,
    *,
    stages: Stages | None = None,
    segments: Mapping[str, str] | None = None,
    name: str | None = None,
) -> Rule:
    """The rule that `text` says.

    With `stages` (each pipeline's stage names) stages and pipelines are checked and take their
    exact spelling. With `segments` (name to rule text) every segment named is read too, and those
    it names, so that the rule is closed; `name` says which of them the text itself is.

    Raises RuleError, which shows the place; SegmentCycleError when segments go in a circle.
    """
    reading = _Reading(stages=stages, known=segments or {})
    condition = reading.read(text)
    if segments is not None:
        reading.close(text, condition, (name,) if name is not None else ())
        total = sum(1 for each in (condition, *reading.below.values()) for _ in walk(each))
        if total > MAX_CONDITIONS:
            raise RuleError(text, 1, 1, _TOO_MANY)
    return Rule(condition=condition, text=text, segments=reading.below, stages=reading.homes)


_TOO_DEEP = f"more than {MAX_DEPTH} levels of parentheses and 'not'"
_TOO_MANY = (
    f"more than {MAX_CONDITIONS} conditions, with those of the segments it names; "
    "use lists: country in (PL, DE)"
)


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """One rule on its way in, with what it gathers from the segments it names."""

    stages: Stages | None
    #: Rule texts by segment.
    known: Mapping[str, str]
    #: Conditions of the segments named so far.
    below: dict[str, Condition] = field(default_factory=dict)
    #: The pipelines of each stage named so far.
    homes: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def read(self, text: str) -> Condition:
        if len(text) > MAX_LENGTH:
            message = f"the rule has {len(text)} characters, {MAX_LENGTH} are allowed"
            raise RuleError(text, 1, 1, message)
        try:
            _measure(text)
            condition: Condition = _parser().parse(text)  # type: ignore[assignment]
            for count, (each, depth) in enumerate(walk(condition), 1):
                if depth > MAX_DEPTH:
                    start = Place(each.place.start, each.place.start + 1)
                    raise Unfit(start, _TOO_DEEP)
                if count > MAX_CONDITIONS:
                    raise Unfit(each.place, _TOO_MANY)
            return settle_stages(condition, self.stages, self.homes)
        except UnexpectedInput as error:
            raise unexpected(text, error) from None
        except Unfit as error:
            raise place_error(text, error.place, error.message, error.suggestion) from None

    def close(self, text: str, condition: Condition, path: tuple[str, ...]) -> None:
        """Reads every segment that `condition`, read from `text`, names."""
        for each, _ in walk(condition):
            if not isinstance(each, InSegment):
                continue
            name = each.name
            if name in path:
                raise SegmentCycleError((*path[path.index(name) :], name))
            if name not in self.known:
                message = f'there is no segment "{name}"'
                raise place_error(text, each.place, message, nearest(name, self.known))
            if name not in self.below:
                try:
                    below = self.read(self.known[name])
                except RuleError as error:
                    raise error.inside(name) from None
                self.close(self.known[name], below, (*path, name))
                self.below[name] = below


#: Parentheses, and what may hold some that do not count.
_NESTING = re.compile(r"[()]|#[^\n]*|\"(?:\\.|[^\"\\\n])*\"?|'(?:\\.|[^'\\\n])*'?")


def _measure(text: str) -> None:
    """Raises Unfit when parentheses are nested too deep: the tree does not show needless ones."""
    depth = 0
    for found in _NESTING.finditer(text):
        depth += {"(": 1, ")": -1}.get(found.group(), 0)
        if depth > MAX_DEPTH:
            raise Unfit(Place(*found.span()), _TOO_DEEP)


@cache
def _parser() -> Lark:
    # Reading the grammar takes some 40 ms, so it is done when the first rule comes.
    grammar = files("segments").joinpath("rules.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual", transformer=Builder())
