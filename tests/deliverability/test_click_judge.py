"""Who followed a link: what scanners do is told from what people do."""

import tomllib
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverability import EarlierVisit, Visit, click_memory, judge_click

SENT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
PEOPLE = [
    FIREFOX,
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 13; CUBOT NOTE 20) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Mobile/15E148 [LinkedInApp]/9.29.1",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:115.0) Gecko/20100101 Thunderbird/115.0",
]
MACHINES = [
    "",
    "  ",
    "BarracudaSentinel/1.0 (ee)",
    "Mozilla/5.0 (compatible; ProofPoint URL Defense)",
    "Mimecast Link Protection",
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1; Trident/7.0; InfoPath.3; ms-office)",
    "Microsoft Office/16.0 (Windows NT 10.0; MAPI 16.0.9001; Pro)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "WhatsApp/2.23.20.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "curl/8.4.0",
    "python-requests/2.31.0",
    "Go-http-client/1.1",
]


def visit(seconds: float, target: str = "https://a.example", agent: str = FIREFOX) -> Visit:
    return Visit(at=SENT + timedelta(seconds=seconds), target=target, agent=agent, headers={})


def seen(number: int, seconds: float, target: str, machine: str = "") -> EarlierVisit:
    at = SENT + timedelta(seconds=seconds)
    return EarlierVisit(number=number, at=at, target=target, machine=machine)


@pytest.mark.parametrize("agent", PEOPLE)
def test_browsers_are_people(agent: str) -> None:
    assert judge_click(visit(600, agent=agent), [], accepted_at=SENT).machine == ""


@pytest.mark.parametrize("agent", MACHINES)
def test_scanners_and_previews_say_what_they_are(agent: str) -> None:
    assert judge_click(visit(600, agent=agent), [], accepted_at=SENT).machine == "agent"


def test_asking_for_the_head_and_fetching_ahead_is_no_visit() -> None:
    head = Visit(at=SENT, target="https://a.example", method="HEAD", agent=FIREFOX, headers={})
    assert judge_click(head, [], accepted_at=None).machine == "head"
    for name, value in (("sec-purpose", "prefetch;prerender"), ("purpose", "preview")):
        ahead = Visit(
            at=SENT + timedelta(hours=1),
            target="https://a.example",
            agent=FIREFOX,
            headers={name: value},
        )
        assert judge_click(ahead, [], accepted_at=SENT).machine == "ahead"


@given(st.floats(-3600, 3600))
def test_nobody_reads_within_seconds_or_before_the_mail_is_there(seconds: float) -> None:
    found = judge_click(visit(seconds), [], accepted_at=SENT)
    late = SENT + timedelta(seconds=seconds) >= SENT + timedelta(seconds=5)
    assert found.machine == ("" if late else "soon")
    assert judge_click(visit(seconds), [], accepted_at=None).machine == "soon"


@pytest.mark.parametrize(
    ("gaps", "machine"),
    [((0.4,), True), ((1.4,), False), ((1.4, 1.4), True), ((2.4, 2.4, 2.4, 2.4), True)],
)
def test_several_links_at_once_are_a_sweep(gaps: tuple[float, ...], machine: bool) -> None:
    at, earlier = 100.0, []
    for number, gap in enumerate(gaps):
        earlier.append(seen(number, at, f"https://a.example/{number}"))
        at += gap
    found = judge_click(visit(at, "https://a.example/last"), earlier, accepted_at=SENT)
    assert (found.machine == "sweep") is machine
    assert found.turned == (tuple(each.number for each in earlier) if machine else ())


def test_one_link_pressed_twice_is_one_visit_of_a_person() -> None:
    found = judge_click(visit(100.3), [seen(1, 100, "https://a.example")], accepted_at=SENT)
    assert (found.machine, found.again, found.turned) == ("", True, ())
    later = judge_click(visit(170), [seen(1, 100, "https://a.example")], accepted_at=SENT)
    assert (later.machine, later.again) == ("", False)


def test_a_person_after_a_machine_counts_and_a_machine_after_a_person_is_no_news() -> None:
    machine = [seen(1, 3, "https://a.example", "soon")]
    assert not judge_click(visit(30), machine, accepted_at=SENT).again
    person = [seen(1, 100, "https://a.example")]
    found = judge_click(visit(100.2, agent="ms-office"), person, accepted_at=SENT)
    assert (found.machine, found.again, found.turned) == ("agent", True, ())


def test_a_scanner_that_says_its_name_does_not_make_a_person_one() -> None:
    person = [seen(1, 100, "https://a.example/1")]
    scanner = visit(100.2, "https://a.example/2", agent="BarracudaSentinel/1.0")
    assert judge_click(scanner, person, accepted_at=SENT).turned == ()
    named = [seen(1, 100, "https://a.example/2", "agent")]
    assert judge_click(visit(100.2, "https://a.example/1"), named, accepted_at=SENT).machine == ""


VISITS = st.lists(
    st.tuples(
        st.floats(0, 400).map(lambda seconds: round(seconds, 1)),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from([FIREFOX, "curl/8.4.0"]),
    ),
    max_size=12,
)


@given(VISITS)
def test_every_visit_is_judged_and_only_peoples_are_turned(
    visits: list[tuple[float, str, str]],
) -> None:
    """Played in the order of time, as they come in, kept as the timeline keeps them."""
    kept: dict[int, EarlierVisit] = {}
    for number, (seconds, target, agent) in enumerate(sorted(visits)):
        earlier = [e for e in kept.values() if visit(seconds).at - e.at <= click_memory()]
        found = judge_click(visit(seconds, target, agent), earlier, accepted_at=SENT)
        for turned in found.turned:
            assert kept[turned].machine == ""
            kept[turned] = EarlierVisit(
                number=turned, at=kept[turned].at, target=kept[turned].target, machine="sweep"
            )
        if not found.again:
            at = visit(seconds).at
            kept[number] = EarlierVisit(number=number, at=at, target=target, machine=found.machine)
    people = [each for each in kept.values() if each.machine == ""]
    for one in people:
        assert one.at >= SENT + timedelta(seconds=5)
        for other in people:
            if one.number < other.number and one.target != other.target:
                assert other.at - one.at > timedelta(seconds=1)
            elif one.number < other.number:
                assert other.at - one.at > timedelta(seconds=60)


def test_every_row_of_the_table_says_where_it_is_known_from() -> None:
    text = files("deliverability").joinpath("click_judge.toml").read_text("utf-8")
    table = tomllib.loads(text)
    for kind in ("sweep", "agent", "ahead"):
        assert all(row["source"] for row in table[kind])
    assert table["soon"]["sources"] and table["again"]["sources"]
