"""`potok deliverability lanes | why | meaning` as people and scripts type them."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from console.cli.sparkline import sparkline
from console.sending import at_work, only_sender
from console.wiring import Workspace, open_workspace
from deliverability import (
    Cause,
    Measure,
    Outcome,
    Pacer,
    PaceSettings,
    Phase,
    Scope,
    Verdict,
    lanes,
    save_pace,
    take_day,
    trip,
)
from tests.console.conftest import edit

pytestmark = pytest.mark.usefixtures("home")

Command = Callable[..., Result]
SLOWER = Outcome(
    verdict=Verdict.DEFERRED, phase=Phase.RCPT, cause=Cause.RATE, code=451, reply="4.7.0 slow"
)


@contextmanager
def opened(home: Path) -> Iterator[Workspace]:
    workspace = open_workspace(home)
    try:
        yield workspace
    finally:
        workspace.close()


@pytest.fixture
def started(home: Path, potok: Command) -> Path:
    """Three leads in two lanes, and a campaign that waits for `potok run`."""
    (home / "leads.csv").write_text("email\na@wp.pl\nb@wp.pl\nc@acme.example\n", "utf-8")
    assert potok("leads", "import", home / "leads.csv").exit_code == 0
    assert potok("campaigns", "start", "welcome", "--yes").exit_code == 0
    return home


def refuse(home: Path) -> None:
    """wp answers "too fast" to the first message."""
    with opened(home) as workspace:
        now = workspace.now()
        pacer = Pacer(PaceSettings(per_minute=10, at_most_per_minute=30), seed="x")
        pacer.on_outcome(now, SLOWER)
        lessons = pacer.take_lessons()
        assert lessons is not None

        def work(session: Any) -> None:
            save_pace(session, lanes(session, "you")["wp"], lessons, now=now)

        workspace.database.write(work)


def test_lanes_that_have_work_are_listed_with_their_pace(
    started: Path, document: Callable[..., Any], potok: Command
) -> None:
    found = {lane["lane"]: lane for lane in document("deliverability", "lanes")["lanes"]}
    assert set(found) == {"you/wp", "you/other"}
    wp = found["you/wp"]
    assert (wp["state"], wp["waiting"], wp["accepted_today"]) == ("due", 2, 0)
    assert (wp["per_minute"], wp["at_most_per_minute"], wp["learnt"]) == (10, 30, False)
    assert len(wp["last_day_per_minute"]) == 24
    text = potok("deliverability", "lanes").stdout
    assert "you/wp" in text and "no potok run" in text and "(10)" in text
    everything = document("deliverability", "lanes", "--all")["lanes"]
    assert len(everything) > 10


def test_a_workspace_that_never_sent_has_no_lanes_to_show(potok: Command) -> None:
    assert "No lane has had anything to do yet" in potok("deliverability", "lanes").stdout


def test_why_a_lane_is_slow_names_the_server_s_words_and_the_moves(
    started: Path, document: Callable[..., Any], potok: Command
) -> None:
    refuse(started)
    (lane,) = document("deliverability", "why", "you/wp")["lanes"]
    assert lane["state"] == "paused"
    assert [hold["kind"] for hold in lane["holds"]] == ["pause", "sender", "rate"]
    assert "451 4.7.0 slow" in lane["holds"][0]["what"]
    (move,) = lane["moves"]
    assert (move["before_per_minute"], move["after_per_minute"]) == (10, 5)
    assert move["words"] == "rate: 451 4.7.0 slow"
    text = potok("deliverability", "why", "you/wp").stdout
    assert "paused; the server said: rate: 451 4.7.0 slow, until" in text
    assert "refused: paused for 30 s" in text


def test_a_breaker_that_tripped_is_what_weighs_most(
    started: Path, document: Callable[..., Any]
) -> None:
    def work(session: Any) -> None:
        trip(
            session,
            Scope.IDENTITY,
            "you",
            Measure.BOUNCES,
            reason="12 of 100 bounced",
            seen={},
            now=datetime.now(UTC),
        )

    with opened(started) as workspace:
        workspace.database.write(work)
    (lane,) = document("deliverability", "why", "you/wp")["lanes"]
    assert lane["state"] == "stopped"
    first = lane["holds"][0]
    assert (first["kind"], first["what"]) == ("breaker", "stopped by itself: 12 of 100 bounced")
    assert "potok identity resume you --i-know" in first["do"]


def test_a_day_spread_over_its_hours_says_when_the_next_turn_is(
    started: Path, document: Callable[..., Any]
) -> None:
    edit(started / "potok.toml", "per_day = 200 ", "spread = true\nper_day = 200 ")
    with opened(started) as workspace:
        today = workspace.now().date()
        workspace.database.write(
            lambda s: take_day(s, "you", today, wanted=1, cap=200, now=workspace.now())
        )
    (lane,) = document("deliverability", "why", "you/wp")["lanes"]
    first = lane["holds"][0]
    assert (first["kind"], first["until"] is None) == ("spread", False)
    assert "200 messages of today are spread over the day" in first["what"]


def test_a_plan_counts_with_the_rate_a_lane_has_learnt(
    home: Path, started: Path, document: Callable[..., Any]
) -> None:
    def per_minute() -> float:
        lanes = document("campaigns", "plan", "welcome", "--again")["lanes"]
        return next(lane["per_minute"] for lane in lanes if lane["provider"] == "wp")

    (home / "leads.csv").write_text("email\nd@wp.pl\n", "utf-8")
    document("leads", "import", home / "leads.csv")
    assert per_minute() == pytest.approx(10 / 1.1)
    refuse(started)
    assert per_minute() == pytest.approx(5 / 1.1)


def test_why_a_lead_waits_leads_from_its_message_to_its_lane(
    started: Path, document: Callable[..., Any], potok: Command
) -> None:
    found = document("deliverability", "why", "a@wp.pl")
    assert (found["about"], found["name"]) == ("lead", "a@wp.pl")
    (message,) = found["messages"]
    assert (message["campaign"], message["lane"], message["state"]) == (
        "welcome",
        "you/wp",
        "planned",
    )
    assert message["holds"] == []
    assert [lane["lane"] for lane in found["lanes"]] == ["you/wp"]
    assert "no potok run is at work" in potok("deliverability", "why", "a@wp.pl").stdout
    assert potok("leads", "suppress", "a@wp.pl").exit_code == 0
    assert "it will not leave" in potok("deliverability", "why", "a@wp.pl").stdout


def test_a_lead_without_messages_says_so(potok: Command, home: Path) -> None:
    (home / "leads.csv").write_text("email\na@wp.pl\n", "utf-8")
    potok("leads", "import", home / "leads.csv")
    assert (
        "no campaign has a message for a@wp.pl" in potok("deliverability", "why", "a@wp.pl").stdout
    )


def test_why_a_campaign_waits_names_its_run_and_all_its_lanes(
    started: Path, document: Callable[..., Any]
) -> None:
    assert [lane["lane"] for lane in document("deliverability", "why", "welcome")["lanes"]] == [
        "you/other",
        "you/wp",
    ]


def test_a_paused_campaign_says_why_and_how_it_goes_on(
    started: Path, document: Callable[..., Any], potok: Command
) -> None:
    potok("campaigns", "pause", "welcome", "--why", "wrong price")
    found = document("deliverability", "why", "welcome")
    assert found["holds"] == [
        {
            "kind": "run",
            "what": "welcome is paused: wrong price",
            "until": None,
            "do": "potok campaigns resume welcome",
        }
    ]
    assert [lane["state"] for lane in found["lanes"]] == ["held", "held"]


def test_an_identity_means_all_its_lanes(started: Path, document: Callable[..., Any]) -> None:
    found = document("deliverability", "why", "you")
    assert [lane["lane"] for lane in found["lanes"]] == ["you/other", "you/wp"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("you/nowhere", "There is no lane you/nowhere"),
        ("nothing", "nothing is no lane"),
        ("x@nowhere.example", "There is no lead x@nowhere.example"),
    ],
)
def test_a_name_that_is_nothing_is_answered_in_one_line(
    potok: Command, name: str, says: str
) -> None:
    result = potok("deliverability", "why", name)
    assert result.exit_code == 1
    assert says in result.stderr and result.stderr.count("\n") == 1


def test_a_lane_answers_to_its_mail_service_s_name(
    started: Path, document: Callable[..., Any]
) -> None:
    assert document("deliverability", "why", "you/gmail")["name"] == "you/google"


def test_who_sends_is_known_while_it_sends_and_not_after_a_crash(home: Path) -> None:
    with opened(home) as workspace:
        assert at_work(workspace) is None
        with only_sender(workspace):
            assert str(at_work(workspace)).startswith("process ")
        assert at_work(workspace) is None
        (home / ".potok.owner").write_text(f"process 4194305 on {socket.gethostname()}", "utf-8")
        assert at_work(workspace) is None
        (home / ".potok.owner").write_text("process 12 on elsewhere", "utf-8")
        assert at_work(workspace) == "process 12 on elsewhere"


def test_what_an_answer_means_is_asked_of_the_workspace_s_own_rows_first(
    home: Path, document: Callable[..., Any], potok: Command
) -> None:
    shipped = document("deliverability", "meaning", "550 5.1.1 User unknown")
    assert (shipped["verdict"], shipped["cause"]) == ("rejected", "address")
    edit(
        home / "potok.toml",
        "[consent]",
        '[[answer]]\ncause = "rate"\nprovider = "wp"\nwords = "tomorrow"\nsuspend_minutes = 90\n'
        "[consent]",
    )
    own = document("deliverability", "meaning", "550 come tomorrow", "--provider", "wp")
    assert (own["cause"], own["suspend_minutes"], own["source"]) == ("rate", 90, "potok.toml")
    text = potok("deliverability", "meaning", "550 come tomorrow", "--provider", "wp").stdout
    assert "the lane pauses for 90 min" in text
    assert document("deliverability", "meaning", "550 come tomorrow")["cause"] == "other"
    assert potok("deliverability", "meaning", "hello").exit_code == 2


def test_a_sparkline_is_as_high_as_its_highest() -> None:
    assert sparkline([0, 2, 7]) == "▁▃█"
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([]) == ""
