"""What a lead told somebody to choose, typed in; and what others see of it."""

import json
from pathlib import Path

from tests.leads.test_commands import answer, filled, potok, workspace  # noqa: F401

ANNA = "anna@firma.example"
WHY = ("--why", "by phone")


def test_it_is_written_down_once_and_shown(filled: Path) -> None:  # noqa: F811
    words = ("choose", ANNA, "--off", "news", "--frequency", "weekly", "--pause", *WHY)
    assert answer(filled, *words)["changed"]
    assert not answer(filled, *words)["changed"]
    shown = answer(filled, "show", ANNA)
    assert (shown["chose"]["topics_off"], shown["chose"]["per_week"]) == (["news"], 1)
    assert shown["chose"]["paused_until"]
    assert shown["consent"][0]["source"] == "by phone"
    entry = shown["timeline"][-1]
    assert (entry["kind"], entry["data"]["source"]) == ("chose", "by phone")
    text = potok(filled, "show", ANNA).output
    assert "no mail about news" in text
    assert "at most 1 mail a week" in text
    assert "no mail until" in text
    assert "not news" in text
    answer(filled, "choose", ANNA, "--on", "news", "--frequency", "any", "--end-pause", *WHY)
    assert answer(filled, "show", ANNA)["chose"] == {
        "topics_off": [],
        "per_week": None,
        "paused_until": None,
        "language": "",
    }


def test_a_language_of_its_own_is_kept_from_people_and_files(filled: Path) -> None:  # noqa: F811
    answer(filled, "choose", ANNA, "--language", "Polish", *WHY)
    refused = potok(filled, "set", ANNA, "language=de")
    assert refused.exit_code == 1
    assert 'chose the language "pl" itself' in refused.output
    rows = filled / "later.csv"
    rows.write_text("email,language,company\nanna@firma.example,de,Nowa\n", "utf-8")
    answer(filled, "import", rows, "--on-duplicate", "overwrite")
    shown = answer(filled, "show", ANNA)
    assert (shown["language"], shown["company"]) == ("pl", "Nowa")
    assert "(the lead's own choice)" in potok(filled, "show", ANNA).output


def test_a_consent_somebody_writes_down_says_that_the_topic_stays_off(
    filled: Path,  # noqa: F811
) -> None:
    answer(filled, "choose", ANNA, "--off", "news", *WHY)
    done = potok(filled, "consent", ANNA, "given", "--topic", "news", "--source", "fair")
    assert "switched news off itself, and still gets no mail about it" in done.output
    assert answer(filled, "show", ANNA)["chose"]["topics_off"] == ["news"]


def test_what_makes_no_sense_is_one_line(filled: Path) -> None:  # noqa: F811
    mistakes: dict[str, tuple[str, ...]] = {
        "Say what was chosen": WHY,
        "Missing option '--why'": ("--off", "news"),
        "Say how you know": ("--off", "news", "--why", " "),
        "cannot be switched off and on": ("--off", "news", "--on", "news", *WHY),
        "there is no language": ("--language", "xx-no-such", *WHY),
        "'daily' is not one of": ("--frequency", "daily", *WHY),
    }
    for said, words in mistakes.items():
        refused = potok(filled, "choose", ANNA, *words)
        assert refused.exit_code in (1, 2)
        assert said in refused.output
        assert "Traceback" not in refused.output


def test_an_export_holds_the_choices(filled: Path, tmp_path: Path) -> None:  # noqa: F811
    answer(filled, "choose", ANNA, "--off", "news", *WHY)
    out = tmp_path / "all.jsonl"
    assert potok(filled, "export", out).exit_code == 0
    documents = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [d["chose"] and d["chose"]["topics_off"] for d in documents] == [["news"], None]
