"""What may come next in a rule somebody is typing: pure, from the words and values at hand.

A rule is one argument of a command, so the answer is the whole argument with its last word
completed. Where a single word would fit, it comes with what can follow it, so that the shell fills
in what is certain and leaves the quote open.
"""

from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import Protocol

from console.rule_words import ORDER, PLAIN, SIGNS, TOKENS, cut, joined, quoted, quoted_text, stated

_AFTER = ("and ", "or ")
_SPANS = ("7 days", "14 days", "30 days", "3 months", "1 year")


class Source(Protocol):
    """What the workspace can tell (`glimpse.Glimpse`)."""

    def files(self, *folders: str) -> list[str]: ...
    def stages(self) -> list[str]: ...
    def pipelines(self) -> list[str]: ...
    def column(self, name: str, begins: str = "") -> list[str]: ...
    def attributes(self) -> list[str]: ...
    def attribute(self, name: str) -> list[str]: ...
    def preferences(self) -> list[str]: ...
    def preference(self, name: str) -> list[str]: ...
    def tags(self) -> list[str]: ...
    def events(self) -> list[str]: ...


def complete_rule(
    text: str, words: ModuleType, source: Source, *, names: Sequence[str] = ()
) -> list[str]:
    """The texts that `text` may become by completing its last word; empty for nothing to offer.

    `names` are segments, which may stand instead of a whole rule. `words` is the vocabulary.
    """
    before, typed = cut(text)
    found = _Place(before=[t.lower() for t in before], words=words, source=source).offers(typed)
    head = text[: len(text) - len(typed)]
    if not typed and head.endswith((*"\"')=<>~",)):
        head += " "
    fitting = _fitting(found, typed)
    if len(fitting) > 1:
        # What is there already is no offer beside what it can become.
        fitting = [each for each in fitting if each.lower() != typed.lower()]
    if len(fitting) == 1:
        fitting = _opened(fitting[0], before, words, source)
    offers = [head + each for each in fitting]
    if not before:
        offers = [name for name in names if name.startswith(text)] + offers
    return list(dict.fromkeys(offers))


def complete_field(text: str, words: ModuleType, source: Source) -> list[str]:
    """What `segments values` may be asked about."""
    place = _Place(before=["has"], words=words, source=source)
    offers = [each.strip() for each in place.operands(text)]
    offers += [
        "event",
        *(f'event."{name}"' for name in source.events() if text.startswith("event")),
    ]
    offers += [f"deal.{name}" for name in words.DEAL_FIELDS]
    return _fitting(dict.fromkeys(offers), text)


def _fitting(offers: Iterable[str], typed: str) -> list[str]:
    """Those that begin as typed; a quote somebody has not opened yet is no difference."""
    begun = typed.lower()
    bare = begun.lstrip("\"'")
    return [
        each
        for each in offers
        if each.lower().startswith(begun) or each.lower().lstrip('"').startswith(bare)
    ]


def _opened(only: str, before: Sequence[str], words: ModuleType, source: Source) -> list[str]:
    """The one that fits, with each word that can follow it."""
    if only.endswith((".", "(")):
        return [only]
    read = [*before, *(token.group() for token in TOKENS.finditer(only))]
    place = _Place(before=[each.lower() for each in read], words=words, source=source)
    following = place.offers("")
    offers = [only.strip() + ("" if each[0] in ",)" else " ") + each for each in following[:12]]
    # Where the rule could end here, that is one of the ways.
    return [only, *offers] if set(_AFTER) <= set(following) or not offers else offers


class _Place:
    """Where the next word stands: the words before it, in lower case."""

    def __init__(self, *, before: Sequence[str], words: ModuleType, source: Source) -> None:
        # Words of two parts are one here, as in the language.
        self._before = joined(before)
        self._words = words
        self._source = source

    def offers(self, typed: str) -> list[str]:
        """Everything that may stand here."""
        before = self._before
        last = before[-1] if before else ""
        earlier = before[:-1]
        if last in ("", "and", "or", "not") or (last == "(" and not self._in_list(earlier)):
            return self.openers(typed)
        if last in ("(", ",") and self._in_list(before):
            return self._values(self._listed(before), typed)
        if last in ("in", "not in"):
            return ["("] if earlier and self._is_operand(earlier[-1]) else ["segment "]
        if last in SIGNS or last.removeprefix("~ ") in self._words.WORDING:
            return self._values(earlier[-1] if earlier else "", typed, ordered=last in ORDER)
        if earlier and earlier[-1] == "deal where" and last in self._words.DEAL_FIELDS:
            return self._operators(last)
        handlers: dict[str, Callable[[], list[str]]] = {
            "in segment": lambda: quoted(self._source.files("segments")),
            "was in": lambda: quoted(self._source.stages()),
            "moved from": lambda: quoted(self._source.stages()),
            "moved to": lambda: quoted(self._source.stages()),
            "to": lambda: quoted(self._source.stages()),
            "event": lambda: quoted(self._own_events(), always=True),
            "deal where": lambda: [f"{name} " for name in self._words.DEAL_FIELDS],
            "has": lambda: [*self.operands(typed), "consent ", "deal ", "next task "],
            "within": lambda: list(_SPANS),
            "between": list,
            "everyone": lambda: list(_AFTER),
            "sample": lambda: ["10% by "],
            "10%": lambda: ["by "],
            "by": lambda: ['"holdout"'] if "sample" in earlier[-2:] else list(_SPANS),
            "at least": lambda: ["2 times "],
            "times": lambda: ["within ", *_AFTER],
            "where": list,
        }
        if last in handlers:
            return handlers[last]()
        if last in self._words.VERBS:
            mails = quoted(self._source.files("campaigns", "sequences"), always=True)
            return [*mails, "any ", "at least ", "within ", *_AFTER]
        if self._is_operand(last) and (not earlier or earlier[-1] in ("and", "or", "not", "(")):
            return self._operators(last)
        if last.isdigit() and earlier and earlier[-1] == "at least":
            return ["times "]
        if last.rstrip("s") in self._words.UNITS and len(before) > 3 and before[-3] in ORDER:
            return ["ago "] if self._kind(before[-4]) in ("time", "day") else list(_AFTER)
        if last.isdigit():
            return [f"{unit}s" for unit in self._words.UNITS]
        if earlier and earlier[-1] == "moved from":
            return ["to ", "within ", *_AFTER]
        if earlier and earlier[-1] == "was in":
            return ["within ", *_AFTER]
        if earlier and earlier[-1] in (*self._words.VERBS, "event"):
            return ["within ", "at least ", *(["where "] * (earlier[-1] == "event")), *_AFTER]
        if self._in_list(before):
            return [", ", ") "]
        return list(_AFTER)

    def _own_events(self) -> list[str]:
        # Those a rule names; what the program itself writes down has verbs of its own.
        return [name for name in self._source.events() if "." in name]

    def openers(self, typed: str) -> list[str]:
        """What a condition may begin with."""
        openers = [each if each.endswith(".") else f"{each} " for each in self._words.OPENERS]
        verbs = [f"{each} " for each in self._words.VERBS]
        return [*self.operands(typed), *verbs, *openers]

    def operands(self, typed: str) -> list[str]:
        """What can be compared: fields; names of attributes and preferences once one is begun."""
        fields = [f"{name} " for name in self._words.FIELDS] + ["tag "]
        for head, names in (
            ("attr.", self._source.attributes),
            ("prefers.", self._source.preferences),
        ):
            if typed.lower().startswith(head):
                return [
                    f"{head}{name if PLAIN.fullmatch(name) else quoted_text(name)} "
                    for name in names()
                ]
            fields.append(head)
        return fields

    def _is_operand(self, word: str) -> bool:
        return word in self._words.FIELDS or word in ("tag", "notes") or word.startswith(_HEADS)

    def _operators(self, operand: str) -> list[str]:
        kind = self._kind(operand)
        texts = ["= ", "!= ", "in (", "not in (", *(f"{w} " for w in self._words.WORDING), "~ "]
        order = ["= ", "!= ", "< ", "<= ", "> ", ">= ", "between "]
        return {
            "text": texts,
            "code": texts[:4],
            "choice": texts[:4],
            "number": order,
            "time": ["within ", "< ", "> ", "<= ", ">= ", "between ", "= "],
            "day": ["within ", "< ", "> ", "<= ", ">= ", "between ", "= "],
            "age": ["< ", "> ", "<= ", ">= ", "between "],
        }.get(kind, [*texts, *order[2:]])

    def _kind(self, operand: str) -> str:
        if operand in ("tag", "notes"):
            return "text"
        field = self._words.FIELDS.get(operand) or self._words.DEAL_FIELDS.get(operand)
        return str(field.kind.value) if field else ""

    def _values(self, operand: str, typed: str, *, ordered: bool = False) -> list[str]:
        name = operand.partition(".")[2].strip("\"'")
        begins = typed.lstrip("\"'")
        if operand.startswith("attr."):
            # Names of attributes are exact; what was typed went through lower case.
            exact = {each.lower(): each for each in self._source.attributes()}
            return stated(self._source.attribute(exact.get(name, name)), ordered=ordered)
        if operand.startswith("prefers."):
            return stated(self._source.preference(name), ordered=ordered)
        if operand == "tag":
            return quoted(self._source.tags())
        if operand in ("stage", "pipeline"):
            known = self._source.stages() if operand == "stage" else self._source.pipelines()
            return quoted(known)
        if operand == "state":
            return list(self._words.DEAL_STATES)
        kind = self._kind(operand)
        if kind in ("text", "code") and operand in self._words.FIELDS:
            return quoted(self._source.column(self._words.FIELDS[operand].column, begins))
        if kind in ("time", "day"):
            return ["today", *(f"{span} ago" for span in _SPANS if ordered)]
        return list(_SPANS) if kind == "age" else []

    def _in_list(self, before: Sequence[str]) -> bool:
        """Whether a list after `in` is open."""
        opened = [n for n, word in enumerate(before) if word == "("]
        if not opened or ")" in before[opened[-1] :]:
            return bool(before) and before[-1] in ("in", "not in")
        return opened[-1] > 0 and before[opened[-1] - 1] in ("in", "not in")

    def _listed(self, before: Sequence[str]) -> str:
        opened = max(n for n, word in enumerate(before) if word == "(")
        return before[opened - 2] if opened >= 2 else ""


_HEADS = ("attr.", "prefers.")


def _named(name: str) -> str:
    """`industry`, `"Company size"`."""
    return name if PLAIN.fullmatch(name) else quoted_text(name)
