"""A large invented crowd as rows of the tables: the same rows for the same seed and number.

Texts are as both databases take them: instants in UTC without a zone, JSON in ASCII. What is in it
has the skews of real lists: one stage holds nearly half of the leads, two topics most wishes, a
few providers most mailboxes; events fall day by day over a year, and newer mail is answered more.
"""

import hmac
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import Any
from zoneinfo import available_timezones

from benchmarks.invent_leads import plain
from benchmarks.invented_names import COMPANIES, COUNTRIES, MEETINGS, PEOPLE, PROVIDERS, TITLES

#: The crowd's present.
NOW = datetime(2026, 3, 10, 11, 0, tzinfo=UTC)
#: Days of events before it, the last one yesterday.
DAYS = 365
PIPELINES = {
    "sales": ("new", "contacted", "qualified", "demo", "proposal", "won", "lost"),
    "partners": ("asked", "signed", "ended"),
}
#: (pipeline, stage) and its share of the leads in per mille.
PLACES = {
    ("sales", "new"): 430,
    ("sales", "contacted"): 160,
    ("sales", "qualified"): 110,
    ("sales", "demo"): 80,
    ("sales", "proposal"): 60,
    ("sales", "won"): 60,
    ("sales", "lost"): 60,
    ("partners", "asked"): 20,
    ("partners", "signed"): 15,
    ("partners", "ended"): 5,
}
TOPICS = {"pricing": 38, "integrations": 28, "onboarding": 20, "reporting": 10, "security": 4}
FREQUENCIES = {"weekly": 50, "monthly": 35, "daily": 10, "never": 5}
TAGS = {
    "newsletter": 34,
    "webinar": 18,
    "trial": 12,
    "fair-2025": 9,
    "vip": 5,
    "press": 2,
    **{f"list-{n}": 1 for n in range(1, 21)},
}
PLANS = {"free": 60, "pro": 30, "enterprise": 10}
REASONS = {"opted_out": 55, "hard_bounce": 25, "manual": 10, "complaint": 5, "imported": 5}
#: Campaigns that run all year, and what share of the mail is theirs; the rest is the month's news.
STANDING = {"welcome": 25, "nurture": 45}
#: Of a hundred mails sent.
ANSWERS = {"opened": 35.0, "clicked": 8.0, "replied": 2.5, "bounced": 1.2, "autoreplied": 1.0}

Row = tuple[Any, ...]

LEAD = (
    *("id", "email", "address_key", "domain", "name", "first_name", "last_name", "company"),
    *("job_title", "phone", "country", "language", "timezone", "owner", "source", "pipeline"),
    *("stage", "stage_at", "score", "attributes", "tags", "draw", "token", "created_at"),
    *("updated_at", "merged_into", "erased_at"),
)
PREFERENCE = ("id", "lead_id", "name", "value", "number", "said_by", "said_at")
CONSENT = ("id", "lead_id", "topic", "state", "source", "at", "by")
SUPPRESSION = ("address_key", "reason", "at", "by")
EVENT = ("id", "lead_id", "at", "kind", "campaign", "template", "message_id", "by", "data")
DOMAIN = ("name", "provider", "mx", "checked_at")

_FIRST_DAY = NOW.date() - timedelta(days=DAYS)
_CLOCK = [
    f"{h:02d}:{m:02d}:{s:02d}.000000" for h in range(24) for m in range(60) for s in range(60)
]
_DATES = [(NOW.date() - timedelta(days=n)).isoformat() for n in range(3 * 365)]


class _Urn:
    """Draws by weight without building the weights each time."""

    def __init__(self, weights: dict[Any, int]) -> None:
        self._names = list(weights)
        self._sums = list(accumulate(weights.values()))

    def some(self, dice: random.Random, count: int) -> list[Any]:
        return dice.choices(self._names, cum_weights=self._sums, k=count)


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """So many leads, and five events for each."""

    leads: int
    seed: int = 1410

    def _dice(self, what: str) -> random.Random:
        return random.Random(f"{self.seed} {self.leads} {what}")

    def key(self, email: str) -> str:
        """`leads.address_key` for addresses that are normal already."""
        return hmac.digest(b"%032d" % self.seed, email.encode(), "sha256").hex()[:32]

    def lead_rows(self) -> Iterator[Row]:
        """Rows of `lead`, by id."""
        for first in range(1, self.leads + 1, 10_000):
            yield from self._leads(first, min(first + 10_000, self.leads + 1))

    def _leads(self, first: int, end: int) -> Iterator[Row]:
        dice, count = self._dice(f"leads {first}"), end - first
        countries = _Urn({code: share for code, (share, _, _) in COUNTRIES.items()})
        places, tags = _Urn(PLACES).some(dice, count), _Urn(TAGS)
        zones = sorted(available_timezones())
        chance, pick = dice.random, dice.choice
        for number, country, place in zip(
            range(first, end), countries.some(dice, count), places, strict=True
        ):
            _, language, zone = COUNTRIES[country]
            women, men, surnames_of_women, surnames_of_men = _PEOPLE[country]
            woman = chance() < 0.52
            given = pick(women if woman else men)
            family = pick(surnames_of_women if woman else surnames_of_men)
            company, domain, industry = pick(COMPANIES[country])
            if chance() < 0.45:
                domain = _MAILBOXES[country].some(dice, 1)[0]
            else:
                # Thousands of small companies besides the few that have a name.
                domain = f"{int(chance() ** 3 * 20_000)}.{domain}"
            email = f"{_PLAIN[given]}.{_PLAIN[family]}{number}@{domain}"
            created = int((1 - number / (self.leads + 1)) * (len(_DATES) - 1))
            moved = created if place[1] in ("new", "asked") else int(chance() * (created + 1))
            title = pick(TITLES.get(country, TITLES[""]))[0 if woman else 1]
            attributes: dict[str, Any] = {
                "industry": industry,
                "employees": str(int(10 ** (chance() * 4))),
            }
            if chance() < 0.4:
                attributes["plan"] = _PLAN.some(dice, 1)[0]
            if chance() < 0.3:
                attributes["renewal"] = _DATES[int(chance() * 700)]
            worn = sorted(set(tags.some(dice, int(chance() * 4))))
            fate = chance()
            stage_at = f"{_DATES[moved]} {_CLOCK[int(chance() * 36_000)]}"
            created_at = f"{_DATES[created]} 00:00:00.000000"
            yield (
                *(number, email, self.key(email), domain, f"{given} {family}", given, family),
                *(company, title, "", country, language),
                # Everybody's own zone, and a few leads in each of the others.
                zone if chance() < 0.93 else pick(zones),
                pick(("ola", "tomek", "")),
                pick(_SOURCES[country]),
                *(*place, stage_at, round(chance() * 100, 1)),
                json.dumps(attributes),
                json.dumps(worn),
                *(dice.getrandbits(31) % 2_147_483_647, f"{dice.getrandbits(64):016x}"),
                *(created_at, stage_at),
                max(1, number - 7) if fate < 0.003 else None,
                stage_at if fate > 0.999 else None,
            )

    def preference_rows(self) -> Iterator[Row]:
        """Three for each lead: a topic, a budget as number, how often to write."""
        dice = self._dice("preferences")
        at = 0
        for first in range(1, self.leads + 1, 10_000):
            numbers = range(first, min(first + 10_000, self.leads + 1))
            topics = _Urn(TOPICS).some(dice, len(numbers))
            often = _Urn(FREQUENCIES).some(dice, len(numbers))
            for number, topic, how_often in zip(numbers, topics, often, strict=True):
                when = f"{_DATES[int(dice.random() * 700)]} 08:00:00.000000"
                budget = int(10 ** (2.3 + dice.random() * 2.2)) // 100 * 100
                yield (at + 1, number, "topic", topic, None, "form", when)
                yield (at + 2, number, "budget", str(budget), float(budget), "ola", when)
                yield (at + 3, number, "frequency", how_often, None, "form", when)
                at += 3

    def consent_rows(self) -> Iterator[Row]:
        """A third gave it for everything, some for the news; few took it back."""
        dice, at = self._dice("consent"), 0
        when = f"{_DATES[400]} 09:00:00.000000"
        for number in range(1, self.leads + 1):
            fate = dice.random()
            if fate < 0.45:
                at += 1
                topic = "" if fate < 0.36 else "news"
                state = "withdrawn" if fate < 0.012 or fate > 0.445 else "given"
                yield (at, number, topic, state, "form", when, "")

    def suppression_rows(self) -> Iterator[Row]:
        """Two leads of a hundred, and half as many addresses nobody has as a lead."""
        dice = self._dice("suppressions")
        for row in self.lead_rows():
            fate = dice.random()
            if fate < 0.03:
                key = row[2] if fate < 0.02 else self.key(f"x{row[0]}@gone.example")
                reason = _REASON.some(dice, 1)[0]
                yield (key, reason, f"{_DATES[int(dice.random() * 600)]} 10:00:00.000000", "")

    def domain_rows(self) -> Iterator[Row]:
        """The providers of mailboxes; companies' own domains have not been looked up."""
        names = sorted({name for rows in PROVIDERS.values() for name, _ in rows})
        return ((name, name.split(".")[0], "", None) for name in names)

    def event_rows(self) -> Iterator[Row]:
        """Five a lead, in order of time."""
        moves = self._moves()
        at = 0
        for day in range(DAYS):
            for row in sorted(self._day(day, moves)):
                at += 1
                yield (at, row[2], f"{_date_of(day)} {_CLOCK[row[0]]}", *row[3:])

    def _moves(self) -> dict[int, list[tuple[int, str, str]]]:
        """Day -> (lead, from, to): how leads came to the stage they are in, as far back as a year
        of events reaches, and for half of them the step before."""
        dice, found = self._dice("moves"), {}
        for row in self.lead_rows():
            number, pipeline, stage, moved = row[0], row[15], row[16], row[17]
            stages = PIPELINES[pipeline]
            step = stages.index(stage)
            before = stages[min(step, 5) - 1] if step else ""
            day = (date.fromisoformat(moved[:10]) - _FIRST_DAY).days
            if before and 0 <= day < DAYS:
                found.setdefault(day, []).append((number, before, stage))
            earlier = day - 1 - int(dice.random() * 60)
            if step > 1 and 0 <= earlier < DAYS:
                found.setdefault(earlier, []).append(
                    (number, stages[stages.index(before) - 1], before)
                )
        return found

    def _day(self, day: int, moves: dict[int, list[tuple[int, str, str]]]) -> Iterator[Row]:
        """(second, tiebreak, lead, kind, campaign, template, message, by, data), unsorted."""
        dice = self._dice(f"day {day}")
        chance, leads = dice.random, self.leads
        tie = iter(range(10_000_000))
        news = f"news-{_date_of(day)[:7]}"
        kinds = list(ANSWERS.items())
        moved = moves.get(day, [])
        for number, before, after in moved:
            data = f'{{"from": "{before}", "to": "{after}"}}'
            at = int(chance() * 36_000)
            yield (at, next(tie), number, "stage", None, None, None, "ola", data)
        wanted = leads * 5 * (day + 1) // DAYS - leads * 5 * day // DAYS - len(moved)
        asked, noted = wanted // 60, wanted // 30
        for _ in range(asked):
            data = f'{{"plan": "{_PLAN.some(dice, 1)[0]}", "seats": {int(chance() * 50)}}}'
            at, number = int(chance() * 86_400), 1 + int(chance() * leads)
            yield (at, next(tie), number, "demo.requested", None, None, None, "web", data)
        for _ in range(noted):
            at, number = int(chance() * 36_000), 1 + int(chance() * leads)
            data = '{"text": "call again in spring"}'
            yield (at, next(tie), number, "note", None, None, None, "tomek", data)
        left = wanted - asked - noted
        while left > 0:
            luck = chance() * 100
            campaign = "welcome" if luck < 25 else "nurture" if luck < 70 else news
            # Nurture goes to the same three of ten leads again and again.
            number = 1 + int(chance() * leads)
            if campaign == "nurture":
                number = number // 10 * 10 + 1 + number % 3
                number = number if number <= leads else 1
            at = 28_800 + int(chance() * 28_800)
            message = day * 1_000_000 + left
            yield (at, next(tie), number, "sent", campaign, campaign, message, "", "{}")
            left -= 1
            for kind, share in kinds:
                if left > 0 and chance() * 100 < share:
                    then = at + int(chance() * (86_399 - at))
                    yield (then, next(tie), number, kind, campaign, campaign, message, "", "{}")
                    left -= 1


def _date_of(day: int) -> str:
    return _DATES[DAYS - day]


_PLAN, _REASON = _Urn(PLANS), _Urn(REASONS)
_PEOPLE = {code: tuple(names.split() for names in people) for code, people in PEOPLE.items()}
_PLAIN = {name: plain(name) for people in _PEOPLE.values() for names in people for name in names}
_MAILBOXES = {code: _Urn(dict(PROVIDERS.get(code, PROVIDERS[""]))) for code in COUNTRIES}
_SOURCES = {code: [name for name, _ in MEETINGS.get(code, MEETINGS[""])] for code in COUNTRIES}
