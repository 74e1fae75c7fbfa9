"""What the parser makes of conditions about records: events, deals, tasks, stages, consent."""

from typing import Any

from lark import Token, Transformer

from leads import STRENGTH
from segments.fitting import Unfit, Written
from segments.slots import Loose, column_of, property_of, settle
from segments.terms import Place, Text
from segments.tree import Consented, DealThat, EventThat, Moved, NextTask, Suppressed, WasIn
from segments.vocabulary import VERBS, nearest


def of(token: Token) -> Place:
    """Where a token stands."""
    return Place(token.start_pos or 0, token.end_pos or 0)


def across(first: Place, last: Place) -> Place:
    """From the beginning of the first to the end of the last."""
    return Place(first.start, last.end)


def operator_of(token: Token) -> str:
    """In one spelling: `~contain` is `~ contains`."""
    word = " ".join(token.lower().replace("~", "~ ").split())
    word = word.removesuffix("contain") + "contains" if word.endswith("contain") else word
    return "!~" if word == "!~" else word


def _name(label: Written) -> Text:
    return Text(text=label.text, place=label.place)


def _consent(
    start: Token,
    end: Place,
    label: Written | None,
    *,
    withdrawn: bool = False,
    pending: bool = False,
) -> Consented:
    topic = label.text.strip() if label else ""
    if label is not None and not topic:
        raise Unfit(label.place, "an empty text is no topic")
    place = across(of(start), end)
    return Consented(topic=topic, withdrawn=withdrawn, pending=pending, place=place)


class RecordBuilder(Transformer[Token, Any]):
    """The part of `Builder` that is about records beside the lead's own row."""

    def tests(self, items: list[Loose]) -> list[Loose]:
        return items

    def slot(self, items: list[Token]) -> Token:
        return items[0]

    def test_comparison(self, items: list[Any]) -> Loose:
        slot, sign, value = items
        return Loose(slot, "compare", operator_of(sign), (value,))

    def test_one_of(self, items: list[Any]) -> Loose:
        return Loose(items[0], "in", values=tuple(items[2]))

    def test_none_of(self, items: list[Any]) -> Loose:
        return Loose(items[0], "in", values=tuple(items[2]), negated=True)

    def test_between(self, items: list[Any]) -> Loose:
        return Loose(items[0], "between", values=tuple(items[2:]))

    def test_outside(self, items: list[Any]) -> Loose:
        return Loose(items[0], "between", values=tuple(items[2:]), negated=True)

    def test_within(self, items: list[Any]) -> Loose:
        written = Written("span", "", items[2].place, items[2].span)
        return Loose(items[0], "within", values=(written,))

    def test_has(self, items: list[Any]) -> Loose:
        return Loose(items[1], "has")

    def event_that(self, items: list[Any]) -> EventThat:
        start, label, tests, times, within = items
        if "." not in label.text:
            message = f'events of your own have a dot in their name: "{label.text}.done"'
            near = nearest(label.text, VERBS)
            raise Unfit(label.place, message, near)
        settled = tuple(settle(each, property_of(each.slot)) for each in tests or ())
        ends = [label.place, *(each.place for each in settled), *([within.place] if within else ())]
        return EventThat(
            name=label.text,
            tests=settled,
            times=times or 1,
            within=within,
            place=across(of(start), ends[-1]),
        )

    def deal_that(self, items: list[Any]) -> DealThat:
        start, tests = items
        settled = tuple(settle(each, column_of(each.slot)) for each in tests)
        return DealThat(tests=settled, place=across(of(start), settled[-1].place))

    def any_deal(self, items: list[Token]) -> DealThat:
        return DealThat(place=across(of(items[0]), of(items[1])))

    def next_task(self, items: list[Token]) -> NextTask:
        return NextTask(place=across(of(items[0]), of(items[1])))

    def overdue(self, items: list[Any]) -> NextTask:
        first, last, by = items
        place = across(of(first), by.place if by else of(last))
        return NextTask(overdue=True, by=by.span if by else None, place=place)

    def was_in(self, items: list[Any]) -> WasIn:
        start, label, within = items
        end = within.place if within else label.place
        return WasIn(stage=_name(label), within=within, place=across(of(start), end))

    def moved(self, items: list[Any]) -> Moved:
        *ends, times, within = items
        labels = {
            str(word).lower(): label
            for word, label in zip(ends[1::2], ends[2::2], strict=True)
            if label is not None
        }
        last = within.place if within else list(labels.values())[-1].place
        return Moved(
            origin=_name(labels["from"]) if "from" in labels else None,
            goal=_name(labels["to"]) if "to" in labels else None,
            times=times or 1,
            within=within,
            place=across(of(ends[0]), last),
        )

    def consented(self, items: list[Any]) -> Consented:
        start, last, label = items
        return _consent(start, label.place if label else of(last), label)

    def withdrew(self, items: list[Any]) -> Consented:
        start, label = items
        return _consent(start, label.place if label else of(start), label, withdrawn=True)

    def pending(self, items: list[Any]) -> Consented:
        start, label = items
        return _consent(start, label.place if label else of(start), label, pending=True)

    def suppressed(self, items: list[Any]) -> Suppressed:
        start, label = items
        if label is None:
            return Suppressed(place=of(start))
        reason = "_".join(label.text.lower().split())
        reason = {"bounced": "hard_bounce", "complained": "complaint"}.get(reason, reason)
        if reason not in STRENGTH:
            message = f'there is no reason "{label.text}"; known: {", ".join(STRENGTH)}'
            raise Unfit(label.place, message, nearest(label.text, STRENGTH))
        return Suppressed(reason=reason, place=across(of(start), label.place))
