"""Hypothesis strategies: random rules, and random small worlds of leads to try them on."""

from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from leads import STRENGTH, Consent, Deal, Event, Lead, Preference, Suppression, Task
from segments.facts import DealFacts, Facts, Happened, Stated, TaskFacts
from segments.terms import (
    Ago,
    Attribute,
    Day,
    DealField,
    Field,
    Moment,
    Notes,
    Number,
    Preferred,
    Property,
    Span,
    Tag,
    Text,
    Today,
    YesNo,
)
from segments.tree import (
    AllOf,
    AnyOf,
    Between,
    Compare,
    Consented,
    DealThat,
    Did,
    EventThat,
    Everyone,
    Has,
    Moved,
    NextTask,
    Not,
    OneOf,
    Sample,
    Suppressed,
    WasIn,
)
from segments.vocabulary import DEAL_FIELDS, FIELDS, LOOSE, VERBS, Kind

NOW = datetime(2026, 3, 10, 11, 0, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Warsaw")

#: Few words, so that rules and leads meet; among them what is awkward in SQL, LIKE and JSON.
WORDS = [
    "a",
    "A",
    "ab",
    "Ąb",
    "ąb",
    "b%",
    "_",
    "Łódź",
    "LODZ",
    "5",
    "-5",
    "05",
    "5.0",
    "yes",
    "No",
    "it's",
    "/",
    "\\",
]
WORDS += ['"', "2026-03-10", "2026-03-01T10:00", "1e5", ".5", "5.", "--5", "12345678901234567", "?"]
NAMES = ["x", "Größe", "Company size", "a.b", "in"]
STAGES = ["new", "demo", "won"]
CAMPAIGNS = ["spring", "o'hara"]
EVENTS = ["demo.requested", "trial.o'hara"]
TOPICS = ["", "news", "o'hara"]
DAYS = [date(2026, 3, 9), date(2026, 3, 10), date(2026, 4, 9)]

words = st.sampled_from(WORDS)
texts = words.map(lambda text: Text(text=text))
numbers = st.sampled_from([0.0, 5.0, -5.0, 5.5, 0.1, 100000.0, 123456789012345.0]).map(
    lambda number: Number(number=number)
)
spans = st.builds(
    Span,
    count=st.sampled_from([1, 2, 30]),
    unit=st.sampled_from(["minute", "day", "month", "year"]),
)
days = st.sampled_from([date(2026, 3, 9), date(2026, 3, 10), date(2026, 3, 29)]).map(
    lambda day: Day(day=day)
)
agos = st.builds(Ago, span=spans, ahead=st.booleans())
whole_days = days | st.just(Today())
moments = st.sampled_from(["2026-03-10T12:00", "2026-03-29T02:30"]).map(
    lambda local: Moment(local=datetime.fromisoformat(local))
)
EQUAL = st.sampled_from(["=", "!="])
WORDING = st.sampled_from(
    ["=", "!=", "contains", "starts with", "ends with"]
    + [word for word in LOOSE if not word.endswith("matches")]
)
PATTERNS = ["*", "a*", "*b", "?", "A?*", "*%", "_*", "?5", "*\\*", "2026-??-*", "ą*", "*a*b*"]
patterns = st.sampled_from(PATTERNS).map(lambda text: Text(text=text))
MATCHING = st.sampled_from(["matches", "~ matches"])
ORDER = st.sampled_from(["<", "<=", ">", ">="])
SIGNS = EQUAL | ORDER


def _of_kind(*kinds: Kind) -> st.SearchStrategy[Field]:
    return st.sampled_from([Field(name=w.name) for w in FIELDS.values() if w.kind in kinds])


def _codes(name: str) -> st.SearchStrategy[Any]:
    words = {
        "country": ["PL", "IN", "DE"],
        "language": ["pl", "en"],
        "stage": STAGES,
        "pipeline": ["sales", "partners"],
    }[name]
    field, values = Field(name=name), st.sampled_from([Text(text=word) for word in words])
    return st.builds(Compare, operand=st.just(field), operator=EQUAL, value=values) | st.builds(
        OneOf,
        operand=st.just(field),
        values=st.lists(values, min_size=1, max_size=3).map(tuple),
        negated=st.booleans(),
    )


_many = {
    "values": st.lists(texts, min_size=1, max_size=3).map(tuple),
    "negated": st.booleans(),
}
_mixed = {
    "values": st.lists(texts | numbers, min_size=1, max_size=3).map(tuple),
    "negated": st.booleans(),
}
text_fields = _of_kind(Kind.TEXT)
attributes = st.sampled_from(NAMES).map(lambda name: Attribute(name=name))
preferences = st.sampled_from(["topic", "budget"]).map(lambda name: Preferred(name=name))


@st.composite
def _betweens(draw: st.DrawFn) -> Between:
    operand, value = draw(
        st.sampled_from(
            [
                (Field(name="score"), numbers),
                (Field(name="created"), days),
                (Field(name="stage_age"), spans),
                (Preferred(name="budget"), numbers),
                (Attribute(name="x"), numbers),
                (Attribute(name="Größe"), days),
            ]
        )
    )
    low, high = draw(value), draw(value)
    if isinstance(low, Number) and low.number > high.number:
        low, high = high, low
    if isinstance(low, Day) and low.day > high.day:
        low, high = high, low
    return Between(operand=operand, low=low, high=high, negated=draw(st.booleans()))


def _named(operand: Any, kind: str) -> st.SearchStrategy[Any]:
    """Tests on one property or column: Compare, OneOf, Between and Has, of its kind."""
    named = st.just(operand)
    has = st.builds(Has, operand=named)
    match kind:
        case "number":
            return has | st.builds(Compare, operand=named, operator=SIGNS, value=numbers)
        case "day" | "instant":
            whole = st.builds(Compare, operand=named, operator=SIGNS, value=whole_days)
            return has | whole | st.builds(Compare, operand=named, operator=ORDER, value=agos)
        case "text":
            return (
                has
                | st.builds(Compare, operand=named, operator=WORDING, value=texts)
                | st.builds(Compare, operand=named, operator=MATCHING, value=patterns)
                | st.builds(OneOf, operand=named, **_many)
            )
    words = st.sampled_from([Text(text=word) for word in kind.split()])
    return has | st.builds(Compare, operand=named, operator=EQUAL, value=words)


def _property_tests(name: str) -> st.SearchStrategy[Any]:
    operand = Property(name=name)
    return (
        _named(operand, "text")
        | _named(operand, "number")
        | _named(operand, "day")
        | st.builds(OneOf, operand=st.just(operand), **_mixed)
        | st.builds(
            Compare,
            operand=st.just(operand),
            operator=EQUAL,
            value=st.builds(YesNo, yes=st.booleans()),
        )
    )


property_tests = st.sampled_from(NAMES).flatmap(_property_tests)
_DEAL_KINDS = {
    "amount": "number",
    "currency": "EUR PLN",
    "state": "open won lost",
    "closes": "day",
    "name": "text",
    "opened": "instant",
    "closed": "instant",
}
deal_tests = st.sampled_from(sorted(DEAL_FIELDS)).flatmap(
    lambda name: _named(DealField(name=name), _DEAL_KINDS[name])
)
stages = st.sampled_from([Text(text=name) for name in STAGES])


def _several(tests: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(tests, min_size=1, max_size=2).map(tuple)


atoms = st.one_of(
    st.just(Everyone()),
    st.builds(Compare, operand=text_fields | st.just(Tag()), operator=WORDING, value=texts),
    st.builds(Compare, operand=attributes | preferences, operator=WORDING, value=texts),
    st.builds(Compare, operand=st.just(Notes()), operator=WORDING, value=texts),
    st.builds(
        Compare,
        operand=text_fields | st.just(Tag()) | attributes | preferences | st.just(Notes()),
        operator=MATCHING,
        value=patterns,
    ),
    st.builds(Compare, operand=attributes | preferences, operator=SIGNS, value=numbers),
    st.builds(Compare, operand=attributes, operator=SIGNS, value=whole_days),
    st.builds(Compare, operand=attributes, operator=ORDER, value=agos),
    st.builds(
        Compare, operand=attributes, operator=EQUAL, value=st.builds(YesNo, yes=st.booleans())
    ),
    st.builds(Compare, operand=st.just(Field(name="score")), operator=SIGNS, value=numbers),
    st.builds(Compare, operand=st.just(Field(name="created")), operator=SIGNS, value=whole_days),
    st.builds(
        Compare, operand=st.just(Field(name="created")), operator=ORDER, value=moments | agos
    ),
    st.builds(Compare, operand=st.just(Field(name="stage_age")), operator=ORDER, value=spans),
    _codes("country"),
    _codes("language"),
    _codes("stage"),
    _codes("pipeline"),
    st.builds(OneOf, operand=text_fields | st.just(Tag()), **_many),
    st.builds(OneOf, operand=attributes | preferences, **_mixed),
    _betweens(),
    st.builds(Has, operand=_of_kind(*Kind) | attributes | preferences | st.just(Tag())),
    st.builds(Has, operand=st.just(Notes())),
    st.builds(
        EventThat,
        name=st.sampled_from(EVENTS),
        tests=_several(property_tests),
        times=st.sampled_from([1, 1, 2]),
        within=st.none() | spans,
    ),
    st.builds(DealThat, tests=_several(deal_tests)),
    st.just(DealThat()),
    st.just(NextTask()),
    st.builds(NextTask, overdue=st.just(True), by=st.none() | spans),
    st.builds(WasIn, stage=stages, within=st.none() | spans),
    st.builds(
        Moved, origin=stages, goal=st.none() | stages, times=st.just(1), within=st.none() | spans
    ),
    st.builds(Moved, goal=stages, times=st.sampled_from([1, 2]), within=st.none() | spans),
    st.builds(Consented, topic=st.sampled_from(TOPICS), withdrawn=st.booleans()),
    st.builds(Consented, topic=st.sampled_from(TOPICS), pending=st.just(True)),
    st.builds(Suppressed, reason=st.none() | st.sampled_from(sorted(STRENGTH))),
    st.builds(
        Did,
        kind=st.sampled_from(sorted(VERBS.values())),
        campaign=st.none() | st.sampled_from(CAMPAIGNS),
        times=st.sampled_from([1, 1, 2]),
        within=st.none() | spans,
    ),
    st.builds(Sample, share=st.sampled_from([1, 1250, 5000, 10_000]), label=words),
)

conditions = st.recursive(
    atoms,
    lambda below: st.one_of(
        st.builds(Not, condition=below),
        st.builds(AllOf, conditions=st.lists(below, min_size=2, max_size=3).map(tuple)),
        st.builds(AnyOf, conditions=st.lists(below, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)

# Worlds ---------------------------------------------------------------------------------------

instants = st.sampled_from(
    [
        NOW,
        NOW - timedelta(minutes=1),
        NOW - timedelta(days=1),
        NOW - timedelta(days=30),
        NOW - timedelta(days=30, microseconds=1),
        datetime(2026, 3, 8, 23, 0, tzinfo=UTC),
        datetime(2026, 3, 9, 22, 59, 59, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        datetime(2025, 1, 1, tzinfo=UTC),
    ]
)
maybe = st.just("") | words
_scalars = st.one_of(
    words, st.sampled_from(["", None, True, False, 5, -5, 5.5, 0.1, 10**20, "Łódź"])
)
_attribute_values = st.one_of(
    _scalars,
    st.sampled_from([["a"], {"a": 1}, [], [["a"], "b"]]),
    st.lists(_scalars, max_size=3),
)
_happenings = st.one_of(
    st.builds(
        Happened,
        kind=st.sampled_from(sorted(VERBS.values())),
        at=instants,
        campaign=st.none() | st.sampled_from(CAMPAIGNS),
    ),
    st.builds(
        Happened,
        kind=st.sampled_from(EVENTS),
        at=instants,
        data=st.just({})
        | st.dictionaries(st.sampled_from(NAMES), _attribute_values, max_size=3).map(
            lambda found: {"properties": found}
        ),
    ),
    st.builds(
        Happened,
        kind=st.just("stage"),
        at=instants,
        data=st.fixed_dictionaries(
            {"from": st.sampled_from(STAGES), "to": st.sampled_from(STAGES)}
        ),
    ),
    st.builds(
        Happened,
        kind=st.just("note"),
        at=instants,
        data=words.map(lambda text: {"text": text}) | st.just({}),
    ),
)
_deals = st.builds(
    DealFacts,
    name=maybe,
    amount=st.none() | st.sampled_from([Decimal("0.10"), Decimal(5), Decimal("5.50")]),
    currency=st.sampled_from(["", "EUR", "PLN"]),
    state=st.sampled_from(["open", "won", "lost"]),
    expected_close=st.none() | st.sampled_from(DAYS),
    created_at=instants,
    closed_at=st.none() | instants,
)
_tasks = st.builds(
    TaskFacts, title=words, due_at=st.none() | instants, done_at=st.none() | instants
)


@dataclass(frozen=True, kw_only=True)
class LeadRow:
    """One lead as rows of the database and as the judge's facts."""

    facts: Facts

    def rows(self, number: int) -> list[Any]:
        columns = dict(self.facts.columns)
        lead = Lead(
            id=number,
            address_key=f"{number:032x}",
            token=f"{number:016x}",
            updated_at=NOW,
            attributes=dict(self.facts.attributes),
            tags=list(self.facts.tags),
            **columns,
        )
        said = [
            Preference(lead_id=number, name=s.name, value=s.value, number=s.number, said_at=NOW)
            for s in self.facts.preferences
        ]
        happened = [
            Event(lead_id=number, at=h.at, kind=h.kind, campaign=h.campaign, data=dict(h.data))
            for h in self.facts.events
        ]
        allowed = [
            Consent(lead_id=number, topic=topic, state=state, at=NOW)
            for topic, state in self.facts.consents.items()
        ]
        held = [
            Suppression(address_key=lead.address_key, reason=reason, at=NOW)
            for reason in ([self.facts.suppressed] if self.facts.suppressed else [])
        ]
        deals = [
            Deal(
                lead_id=number,
                updated_at=NOW,
                **{field.name: getattr(d, field.name) for field in fields(d) if field.name != "id"},
            )
            for d in self.facts.deals
        ]
        tasks = [
            Task(lead_id=number, title=t.title, due_at=t.due_at, done_at=t.done_at, created_at=NOW)
            for t in self.facts.tasks
        ]
        return [lead, *said, *happened, *allowed, *held, *deals, *tasks]


def _number_of(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


leads = st.builds(
    LeadRow,
    facts=st.builds(
        Facts,
        columns=st.fixed_dictionaries(
            {word.column: maybe for word in FIELDS.values() if word.kind is Kind.TEXT}
            | {
                "country": st.sampled_from(["", "PL", "IN"]),
                "language": st.sampled_from(["", "pl", "en"]),
                "created_at": instants,
                "stage_at": instants,
                "score": st.sampled_from([0.0, 5.0, 5.5, -5.0]),
                "stage": st.sampled_from(STAGES),
                "pipeline": st.sampled_from(["sales", "partners", "old"]),
                "draw": st.integers(0, 2**31 - 1),
            }
        ),
        attributes=st.dictionaries(st.sampled_from(NAMES), _attribute_values, max_size=4),
        tags=st.lists(words, max_size=2),
        preferences=st.lists(
            st.builds(
                lambda name, value: Stated(name=name, value=value, number=_number_of(value)),
                st.sampled_from(["topic", "budget"]),
                words,
            ),
            max_size=3,
            unique_by=lambda stated: (stated.name, stated.value),
        ),
        events=st.lists(_happenings, max_size=4),
        consents=st.dictionaries(
            st.sampled_from(TOPICS), st.sampled_from(["given", "withdrawn", "pending"]), max_size=2
        ),
        suppressed=st.none() | st.sampled_from(sorted(STRENGTH)),
        deals=st.lists(_deals, max_size=2),
        tasks=st.lists(_tasks, max_size=2),
    ),
)
