"""A big CSV file of invented leads, the same for the same seed.

    python -m benchmarks.import_file leads.csv --rows 1000000

Every row has three preferences. Half of the addresses are at six mail providers, the others at
companies of which there is one for every ten rows; some are in letters beyond ASCII, some rows
are no leads.
"""

import argparse
import csv
import random
from collections.abc import Iterator
from pathlib import Path

HEADER = (
    *("email", "first_name", "last_name", "company", "country", "language", "stage"),
    *("topic", "budget", "frequency", "industry", "tags"),
)

_PROVIDERS = ("gmail.com", "outlook.com", "wp.pl", "onet.pl", "gmx.de", "yahoo.com")
_FIRST = (
    *("Anna", "Zoë", "Łukasz", "Jan", "Maria", "Müjde", "Piotr", "Katarzyna", "Hans", "Eva"),
    *("Tomasz", "Ola", "Peter", "Małgorzata", "Jürgen", "Paweł", "Ida", "Noah", "Emma", "Filip"),
)
_LAST = (
    *("Nowak", "Kowalska", "Müller", "Schmidt", "Wójcik", "van der Berg", "Smith", "Lewandowski"),
    *("Zielińska", "Fischer", "Jones", "Kamiński", "Weber", "Dąbrowska", "Brown", "Szymański"),
)
_PLACES = (("PL", "pl"), ("DE", "de"), ("GB", "en"), ("US", "en"), ("Polska", "polski"))
_STAGES = ("new", "contacted", "qualified", "demo", "proposal")
_TOPICS = ("pricing", "integrations", "onboarding", "reporting")
_FREQUENCIES = ("daily", "weekly", "monthly")
_INDUSTRIES = ("software", "logistics", "health", "food", "education", "energy")
_TAGS = ("fair", "fair;vip", "webinar", "", "newsletter")

#: Every so many rows one with a domain, and one with a local part, beyond ASCII; one that is wrong.
_ODD_DOMAIN, _ODD_LOCAL, _WRONG = 101, 103, 997


def rows(number: int, seed: int = 1410) -> Iterator[tuple[str, ...]]:
    """The rows without the header; addresses differ."""
    dice = random.Random(seed)
    choice = dice.choice
    companies = max(number // 10, 1)
    for n in range(number):
        first, last = choice(_FIRST), choice(_LAST)
        company = dice.randrange(companies)
        local = f"{'anna' if n % 2 else 'j.nowak'}{n}"
        domain = choice(_PROVIDERS) if n % 2 else f"company{company}.example"
        if n % _ODD_DOMAIN == 7:
            domain = f"spółka{company}.example"
        elif n % _ODD_LOCAL == 7:
            local = f"łucja.{n}"
        elif n % _WRONG == 11:
            local = f"no one {n}"
        country, language = choice(_PLACES)
        yield (
            f"{local}@{domain}",
            first,
            last,
            f"Spółka {company}",
            country,
            language,
            choice(_STAGES),
            choice(_TOPICS),
            str(dice.randrange(1, 41) * 500),
            choice(_FREQUENCIES),
            choice(_INDUSTRIES),
            choice(_TAGS),
        )


def write_file(path: Path, number: int, seed: int = 1410) -> Path:
    """Writes the file, some 110 bytes a row."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(rows(number, seed))
    return path


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.import_file", description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    write_file(options.path, options.rows)


if __name__ == "__main__":
    main()
