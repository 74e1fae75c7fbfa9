"""Who fetched the picture that counts opens: a mail program of a person, or a machine."""

import re
import tomllib
from datetime import timedelta
from importlib.resources import files

import pytest

from deliverability import Visit, judge_open
from tests.deliverability.test_click_judge import FIREFOX, MACHINES, PEOPLE, SENT

PROXIES = [
    "Mozilla/5.0",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
    "SeznamEmailProxy/3.0.24",
]


def judged(agent: str = FIREFOX, seconds: float = 600, scans: tuple[float, ...] = ()) -> str:
    at = SENT + timedelta(seconds=seconds)
    visit = Visit(at=at, target="", agent=agent, headers={})
    scanned = [SENT + timedelta(seconds=each) for each in scans]
    return judge_open(visit, scanned, accepted_at=SENT)


@pytest.mark.parametrize("agent", PEOPLE)
def test_a_mail_program_of_its_own_is_a_person(agent: str) -> None:
    assert judged(agent) == ""


@pytest.mark.parametrize("agent", PROXIES)
def test_who_fetches_for_others_says_nothing_about_them(agent: str) -> None:
    assert judged(agent) == "proxy"


@pytest.mark.parametrize("agent", MACHINES)
def test_scanners_and_programs_are_machines_here_too(agent: str) -> None:
    assert judged(agent) == "agent"


def test_haste_and_the_company_of_a_scanner_give_a_browser_away() -> None:
    assert judged(seconds=2) == "soon"
    assert judged(seconds=600, scans=(592,)) == "scan"
    assert judged(seconds=600, scans=(580, 700)) == ""
    visit = Visit(at=SENT, target="", agent=FIREFOX, headers={})
    assert judge_open(visit, [], accepted_at=None) == "soon", "nobody has the mail yet"


def test_every_row_says_where_it_is_known_from_and_matches_something() -> None:
    table = tomllib.loads(files("deliverability").joinpath("open_judge.toml").read_text("utf-8"))
    for row in table["proxy"]:
        assert "http" in row["source"]
        assert any(re.search(row["matches"], agent, re.IGNORECASE) for agent in PROXIES)
    assert table["scan"]["source"] and table["again"]["source"]
