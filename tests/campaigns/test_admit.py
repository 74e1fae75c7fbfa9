from datetime import timedelta
from zoneinfo import ZoneInfo

from campaigns.admit import Candidate, Claim, Expire, Later, Skip, admit
from campaigns.window import Window
from leads import FrequencyCap
from tests.conftest import NOW

WARSAW = ZoneInfo("Europe/Warsaw")


def candidate(**changes: object) -> Candidate:
    facts: dict[str, object] = {
        "expires_at": NOW + timedelta(days=1),
        "left_out": None,
        "zone": "",
        "replied": False,
    }
    return Candidate(**(facts | changes))  # type: ignore[arg-type]


def decide(given: Candidate, *, window: Window | None = None, cap: FrequencyCap | None = None):
    return admit(given, now=NOW, window=window, fallback_zone=WARSAW, cap=cap)


def test_a_lead_nothing_speaks_against_is_claimed() -> None:
    assert decide(candidate()) == Claim()


def test_too_late_wins_over_everything() -> None:
    assert decide(candidate(expires_at=NOW, left_out="opted_out")) == Expire()


def test_a_suppressed_lead_is_skipped_with_its_reason() -> None:
    assert decide(candidate(left_out="opted_out")) == Skip("opted_out")


def test_who_replied_gets_no_more() -> None:
    assert decide(candidate(replied=True)) == Skip("replied")


def test_a_full_frequency_cap_waits_until_the_oldest_message_is_old_enough() -> None:
    cap = FrequencyCap(messages=2, days=7)
    oldest = NOW - timedelta(days=6, hours=12)
    verdict = decide(candidate(recent=2, oldest_recent=oldest), cap=cap)
    assert verdict == Later(oldest + timedelta(days=7))


def test_a_cap_that_outlasts_the_message_skips_it() -> None:
    cap = FrequencyCap(messages=1, days=7)
    assert decide(candidate(recent=1, oldest_recent=NOW), cap=cap) == Skip("frequency_cap")


def test_the_window_is_read_on_the_leads_own_clock() -> None:
    office = Window(days=frozenset(range(5)), from_minute=9 * 60, to_minute=17 * 60)
    assert decide(candidate(zone="Europe/Warsaw"), window=office) == Claim()
    later = decide(candidate(zone="America/New_York"), window=office)
    assert isinstance(later, Later)
    assert later.at.astimezone(ZoneInfo("America/New_York")).hour == 9


def test_a_window_that_opens_after_the_expiry_expires_the_message() -> None:
    sunday = Window(days=frozenset({6}), from_minute=0, to_minute=1440)
    assert decide(candidate(), window=sunday) == Expire()
