"""Rules on one lead, written a third time and as plainly as can be, from docs/segments.md alone.

It shares the tree and the facts with the product and nothing else: no folding, no calendar, no
pattern and no comparison of the product's is used here, so that a mistake in one of them shows.
"""

import calendar
import contextlib
import fnmatch
import hashlib
import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import idna

from segments import tree
from segments.facts import Facts

COLUMNS = {"created": "created_at", "stage_age": "stage_at"}
DEAL_COLUMNS = {"closes": "expected_close", "opened": "created_at", "closed": "closed_at"}
LETTERS = {"ł": "l", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"}


class Naive:
    def __init__(self, rule: tree.Rule, facts: Facts, now: datetime, zone: ZoneInfo) -> None:
        self.rule, self.facts, self.now, self.zone = rule, facts, now, zone

    def yes(self, node: Any) -> bool:
        answer: bool = getattr(self, f"on_{type(node).__name__.lower()}")(node)
        return answer

    # Joining ------------------------------------------------------------------------------------

    def on_everyone(self, node: Any) -> bool:
        return True

    def on_not(self, node: Any) -> bool:
        return not self.yes(node.condition)

    def on_allof(self, node: Any) -> bool:
        return min(self.yes(each) for each in node.conditions)

    def on_anyof(self, node: Any) -> bool:
        return max(self.yes(each) for each in node.conditions)

    def on_insegment(self, node: Any) -> bool:
        return self.yes(self.rule.segments[node.name])

    def on_sample(self, node: Any) -> bool:
        digest = hashlib.sha256(node.label.encode()).hexdigest()
        prime = 2**31 - 1
        a, b = int(digest[:16], 16) % (prime - 1) + 1, int(digest[16:32], 16) % prime
        return (self.facts.columns["draw"] * a + b) % prime % 10_000 < node.share

    # Comparing ----------------------------------------------------------------------------------

    def on_compare(self, node: Any) -> bool:
        return self.compare(node, self.values(node.operand), self.kind(node.operand))

    def on_oneof(self, node: Any) -> bool:
        return self.one_of(node, self.values(node.operand), self.kind(node.operand))

    def on_between(self, node: Any) -> bool:
        return self.between(node, self.values(node.operand), self.kind(node.operand))

    def on_has(self, node: Any) -> bool:
        return any(value not in (None, "") for value in self.values(node.operand))

    def compare(self, node: Any, values: list[Any], kind: str) -> bool:
        if node.operator in ("!=", "!~"):
            sign = node.operator[1]
            return not any(self.passes(v, sign, node.value, kind) for v in values)
        return any(self.passes(v, node.operator, node.value, kind) for v in values)

    def one_of(self, node: Any, values: list[Any], kind: str) -> bool:
        found = any(self.passes(v, "=", wanted, kind) for v in values for wanted in node.values)
        return not found if node.negated else found

    def between(self, node: Any, values: list[Any], kind: str) -> bool:
        found = any(
            self.passes(v, ">=", node.low, kind) and self.passes(v, "<=", node.high, kind)
            for v in values
        )
        return not found if node.negated else found

    def kind(self, operand: Any) -> str:
        match operand:
            case tree_field if type(tree_field).__name__ == "Field":
                if operand.name in ("country", "language", "stage", "pipeline"):
                    return f"exact {operand.name}"
                return operand.name if operand.name in ("domain", "stage_age") else "plain"
            case _:
                return {"Attribute": "json", "Preferred": "stated"}.get(
                    type(operand).__name__, "plain"
                )

    def values(self, operand: Any) -> list[Any]:
        match type(operand).__name__:
            case "Field":
                return [self.facts.columns[COLUMNS.get(operand.name, operand.name)]]
            case "Attribute":
                return listed(self.facts.attributes.get(operand.name))
            case "Preferred":
                return [p for p in self.facts.preferences if p.name == operand.name]
            case "Tag":
                return list(self.facts.tags)
        return [e.data["text"] for e in self.facts.events if e.kind == "note" and "text" in e.data]

    def passes(self, found: Any, sign: str, wanted: Any, kind: str) -> bool:
        """One value against one wanted value."""
        what = type(wanted).__name__
        if kind == "stated":
            found = found.number if what == "Number" else found.value
            kind = "plain"
        if found is None:
            return False
        if what == "Number":
            number = numeric(found, loose=kind == "json")
            return number is not None and ordered(number, sign, Decimal(repr(wanted.number)))
        if what == "YesNo":
            words = {True: ("yes", "true"), False: ("no", "false")}[wanted.yes]
            said = found if isinstance(found, bool) else str(found).lower() in words
            return (
                said == wanted.yes if isinstance(found, bool) else isinstance(found, str) and said
            )
        if what == "Span":
            # Older than a span: began before the moment it reaches back to.
            return ordered(self.back(wanted, -1), sign, found)
        if isinstance(found, datetime):
            return self.instant(found, sign, wanted)
        if what in ("Day", "Today", "Ago"):
            day = self.day(wanted)
            if isinstance(found, date):
                return ordered(found, sign, day)
            if not isinstance(found, str) or not re.match("[0-9]{4}-[0-9]{2}-[0-9]{2}", found):
                return False
            return ordered(found[:10], sign, day.isoformat())
        return isinstance(found, str) and self.text(found, sign, wanted.text, kind)

    def text(self, found: str, sign: str, wanted: str, kind: str) -> bool:
        if kind == "exact stage":
            homes = self.rule.stages.get(wanted)
            return found == wanted and (not homes or self.facts.columns["pipeline"] in homes)
        if kind.startswith("exact"):
            return found == wanted
        if sign.startswith("~"):
            found, wanted, sign = stripped(found), stripped(wanted), sign[1:].strip() or "="
        else:
            if kind == "domain" and not wanted.isascii():
                with contextlib.suppress(idna.IDNAError):
                    wanted = idna.encode(wanted, uts46=True).decode()
            # Domains are kept in small letters.
            found, wanted = found if kind == "domain" else small(found), small(wanted)
        match sign:
            case "=":
                return found == wanted
            case "contains":
                return found.find(wanted) >= 0
            case "starts with":
                return found[: len(wanted)] == wanted
            case "ends with":
                return len(wanted) <= len(found) and found[len(found) - len(wanted) :] == wanted
        return fnmatch.fnmatchcase(found, shell(wanted))

    # Time ---------------------------------------------------------------------------------------

    def back(self, span: Any, way: int) -> datetime:
        if span.unit in ("minute", "hour", "day", "week"):
            return self.now + way * span.count * timedelta(**{span.unit + "s": 1})
        here = self.now.astimezone(self.zone)
        months = way * span.count * {"month": 1, "year": 12}[span.unit] + here.month - 1
        year, month = here.year + months // 12, months % 12 + 1
        day = min(here.day, calendar.monthrange(year, month)[1])
        return here.replace(year=year, month=month, day=day, fold=0).astimezone(UTC)

    def day(self, wanted: Any) -> date:
        match type(wanted).__name__:
            case "Day":
                found: date = wanted.day
                return found
            case "Today":
                return self.now.astimezone(self.zone).date()
        return self.back(wanted.span, 1 if wanted.ahead else -1).astimezone(self.zone).date()

    def instant(self, found: datetime, sign: str, wanted: Any) -> bool:
        match type(wanted).__name__:
            case "Ago":
                return ordered(found, sign, self.back(wanted.span, 1 if wanted.ahead else -1))
            case "Moment":
                return ordered(found, sign, wanted.local.replace(tzinfo=self.zone).astimezone(UTC))
        # A day is all of it, as the clock on the wall has it; midnight exists in Warsaw.
        begins = datetime.combine(self.day(wanted), time(), self.zone).astimezone(UTC)
        ends = datetime.combine(self.day(wanted) + timedelta(days=1), time(), self.zone)
        inside = begins <= found < ends.astimezone(UTC)
        return {
            "=": inside,
            "<": found < begins,
            "<=": found < begins or inside,
            ">": not inside and found > begins,
            ">=": inside or found > begins,
        }[sign]

    # Records ------------------------------------------------------------------------------------

    def often(self, node: Any, meant: Any) -> bool:
        events = [event for event in self.facts.events if meant(event)]
        if node.within is not None:
            events = [event for event in events if not event.at < self.back(node.within, -1)]
        return len(events) >= getattr(node, "times", 1)

    def on_did(self, node: Any) -> bool:
        return self.often(
            node, lambda e: e.kind == node.kind and node.campaign in (None, e.campaign)
        )

    def on_eventthat(self, node: Any) -> bool:
        return self.often(
            node,
            lambda e: (
                e.kind == node.name
                and all(self.on_property(test, e.data.get("properties", {})) for test in node.tests)
            ),
        )

    def on_property(self, test: Any, properties: Any) -> bool:
        return self.tested(test, listed(properties.get(test.operand.name)), "json")

    def tested(self, test: Any, values: list[Any], kind: str) -> bool:
        match type(test).__name__:
            case "Has":
                return any(value not in (None, "") for value in values)
            case "Compare":
                return self.compare(test, values, kind)
            case "OneOf":
                return self.one_of(test, values, kind)
        return self.between(test, values, kind)

    def on_dealthat(self, node: Any) -> bool:
        return any(
            all(
                self.tested(
                    test,
                    [getattr(deal, DEAL_COLUMNS.get(test.operand.name, test.operand.name))],
                    "exact" if test.operand.name in ("currency", "state") else "plain",
                )
                for test in node.tests
            )
            for deal in self.facts.deals
        )

    def on_nexttask(self, node: Any) -> bool:
        still = [task for task in self.facts.tasks if task.done_at is None]
        if not node.overdue:
            return bool(still)
        due = sorted(task.due_at for task in still if task.due_at is not None)
        edge = self.back(node.by, -1) if node.by else self.now
        return bool(due) and due[0] < edge

    def on_wasin(self, node: Any) -> bool:
        here = self.text(self.facts.columns["stage"], "=", node.stage.text, "exact stage")
        return here or self.often(
            node, lambda e: e.kind == "stage" and e.data.get("from") == node.stage.text
        )

    def on_moved(self, node: Any) -> bool:
        return self.often(
            node,
            lambda e: (
                e.kind == "stage"
                and (node.origin is None or e.data.get("from") == node.origin.text)
                and (node.goal is None or e.data.get("to") == node.goal.text)
            ),
        )

    def on_consented(self, node: Any) -> bool:
        said = [s for topic, s in self.facts.consents.items() if topic in ("", node.topic)]
        if node.pending:
            return "pending" in (said if node.topic else self.facts.consents.values())
        if node.withdrawn:
            return "withdrawn" in said
        return "given" in said and "withdrawn" not in said

    def on_suppressed(self, node: Any) -> bool:
        return self.facts.suppressed == node.reason if node.reason else bool(self.facts.suppressed)


def listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]


def shell(pattern: str) -> str:
    """The pattern as shells write it: what means itself stands in square brackets."""

    def spelt(found: re.Match[str]) -> str:
        itself = found[1] or found[0]
        return "\\" if itself == "\\" else f"[{itself}]"

    return re.sub(r"\\([*?\\])|[\[\\]", spelt, pattern)


def small(text: str) -> str:
    return "".join(c.lower() if "A" <= c <= "Z" else c for c in text)


def stripped(text: str) -> str:
    taken = (c for c in unicodedata.normalize("NFKD", text) if not "\u0300" <= c <= "\u036f")
    return "".join(LETTERS.get(c.lower(), c.lower()) for c in taken)


def numeric(found: Any, *, loose: bool) -> Decimal | None:
    if isinstance(found, bool):
        return None
    if isinstance(found, int | float):
        return Decimal(repr(found))
    if isinstance(found, Decimal):
        return found
    if loose and isinstance(found, str) and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", found):
        return Decimal(found) if len(found) <= 15 else None
    return None


def ordered(a: Any, sign: str, b: Any) -> bool:
    return {"=": a == b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[sign]
