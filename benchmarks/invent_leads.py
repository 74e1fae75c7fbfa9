"""Writes invented leads as CSV, the same ones for the same seed.

    python -m benchmarks.invent_leads > console/demo/leads.csv

Six rows have faults on purpose: an import is only believable when it turns something down.
"""

import argparse
import csv
import random
import sys
import unicodedata
from collections.abc import Iterator
from datetime import date, timedelta

from benchmarks.invented_names import (
    COMPANIES,
    COUNTRIES,
    MEETINGS,
    PEOPLE,
    PROVIDERS,
    TITLES,
)

HEADER = (
    *("email", "first_name", "last_name", "company", "job_title", "phone", "country", "language"),
    *("timezone", "source", "stage", "topic", "budget", "consent_source", "consent_date"),
    *("industry", "tags"),
)

STAGES = {"new": 22, "contacted": 30, "qualified": 22, "demo": 15, "proposal": 11}
TOPICS = {"pricing": 38, "integrations": 28, "onboarding": 20, "reporting": 14}
#: What somebody may spend, by how far we have come with them.
BUDGETS = {"new": 3, "contacted": 6, "qualified": 14, "demo": 24, "proposal": 40}

FIRST_DAY = date(2024, 9, 2)
LAST_DAY = date(2025, 10, 31)

Row = dict[str, str]


GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def plain(text: str, *, german: bool = False) -> str:
    """Letters as people put them into addresses: Łucja -> lucja, Müller -> mueller."""
    text = text.lower().replace("ł", "l")
    text = text.translate(GERMAN) if german else text
    return "".join(c for c in unicodedata.normalize("NFD", text) if c.isascii() and c.isalpha())


def chosen(dice: random.Random, weights: dict[str, int]) -> str:
    return dice.choices(list(weights), list(weights.values()))[0]


def local_part(dice: random.Random, first: str, last: str, *, at_work: bool, german: bool) -> str:
    """Companies have a habit, people with a free mailbox have taste."""
    if not at_work and dice.random() < 0.015:
        return f"{first}.{last}".lower()  # RFC 6531: an address in its own letters
    first, last = plain(first, german=german), plain(last, german=german)
    if at_work:
        return dice.choices([f"{first}.{last}", f"{first[0]}.{last}", f"{first}"], [7, 2, 1])[0]
    year = str(dice.randint(71, 99))
    forms = [f"{first}.{last}", f"{last}.{first}", f"{first}{last}", f"{first[0]}{last}"]
    return dice.choice([*forms, f"{first}.{last}{year}", f"{first}{year}", f"{first}_{last}"])


def phone(dice: random.Random, country: str) -> str:
    """Only from ranges that are kept free for fiction; countries without one get none."""
    if dice.random() < 0.35:
        return ""
    if country == "GB":
        return f"+44 20 7946 {dice.randint(0, 999):04d}"
    if country == "US":
        return f"+1 202 555 {dice.randint(100, 199):04d}"
    return ""


def lead(dice: random.Random, taken: set[str]) -> Row:
    country = chosen(dice, {code: share for code, (share, _, _) in COUNTRIES.items()})
    _, language, zone = COUNTRIES[country]
    women, men, surnames_of_women, surnames_of_men = PEOPLE[country]
    woman = dice.random() < 0.52
    company, domain, industry = dice.choice(COMPANIES[country])
    at_work = dice.random() < 0.47
    if not at_work:
        providers = dict(PROVIDERS.get(country, PROVIDERS[""]))
        domain = chosen(dice, providers)
    while True:
        first = dice.choice((women if woman else men).split())
        last = dice.choice((surnames_of_women if woman else surnames_of_men).split())
        email = f"{local_part(dice, first, last, at_work=at_work, german=country == 'DE')}@{domain}"
        if email not in taken:
            taken.add(email)
            break
    stage = chosen(dice, STAGES)
    topics = {chosen(dice, TOPICS)}
    if dice.random() < 0.28:
        topics.add(chosen(dice, TOPICS))
    title_of_woman, title_of_man = dice.choice(TITLES.get(country, TITLES[""]))
    source, consent = dice.choice(MEETINGS.get(country, MEETINGS[""]))
    day = FIRST_DAY + timedelta(days=dice.randrange((LAST_DAY - FIRST_DAY).days))
    budget = round(BUDGETS[stage] * dice.lognormvariate(0, 0.5)) * 500
    return {
        "email": email,
        "first_name": first,
        "last_name": last,
        "company": company,
        "job_title": title_of_woman if woman else title_of_man,
        "phone": phone(dice, country),
        "country": country,
        "language": language,
        "timezone": zone,
        "source": source,
        "stage": stage,
        "topic": ";".join(sorted(topics)),
        "budget": str(max(1000, budget)) if dice.random() < 0.6 else "",
        "consent_source": consent,
        "consent_date": day.isoformat(),
        "industry": industry,
        "tags": "vip" if budget > 20000 and dice.random() < 0.5 else "",
    }


def with_faults(rows: list[Row]) -> list[Row]:
    """Six rows as they stand in every real file: four addresses that are none, two repetitions."""
    faults = [
        (57, {**rows[57], "email": "brak"}),
        (133, {**rows[133], "email": rows[133]["email"].replace("@", "@@")}),
        (208, {**rows[208], "email": ""}),
        (291, {**rows[12], "email": rows[12]["email"].upper()}),
        (377, {**rows[377], "email": rows[377]["email"].replace(".example", "").rstrip(".")}),
        (442, rows[31]),
    ]
    for place, row in faults:
        rows.insert(place + 1, row)
    return rows


def leads(number: int, seed: int) -> Iterator[Row]:
    """So many leads with different addresses."""
    dice = random.Random(seed)
    taken: set[str] = set()
    return (lead(dice, taken) for _ in range(number))


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes invented leads as CSV.")
    parser.add_argument("--number", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1410)
    parser.add_argument("--no-faults", action="store_true")
    options = parser.parse_args()
    rows = list(leads(options.number, options.seed))
    writer = csv.DictWriter(sys.stdout, HEADER, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows if options.no_faults else with_faults(rows))


if __name__ == "__main__":
    main()
