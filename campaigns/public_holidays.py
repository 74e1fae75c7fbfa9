"""Days on which a country does not work, from the library `holidays`.

It is loaded when a window asks for the first time: most never do, and it takes a tenth of a second.
"""

from datetime import date
from functools import lru_cache


def is_holiday(country: str, day: date) -> bool:
    """Whether `day` is a public holiday all over `country` (ISO 3166-1 alpha-2, upper case).

    False for a country the library does not know, and without one.
    """
    return bool(country) and day in _of(country, day.year)


def knows(country: str) -> bool:
    """Whether there is a calendar of this country."""
    import holidays

    try:
        holidays.country_holidays(country)
    except NotImplementedError:
        return False
    return True


@lru_cache(maxsize=512)
def _of(country: str, year: int) -> frozenset[date]:
    import holidays

    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError:
        return frozenset()
