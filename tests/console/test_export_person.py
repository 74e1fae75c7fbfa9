"""Everything about one person, as typed: one document, nothing left out, nothing changed."""

import json
import stat
from pathlib import Path

from sqlalchemy import update
from sqlmodel import Session, col

from campaigns.tables import Message
from leads import Row
from tests.campaigns.world import World
from tests.leads.test_commands import answer, potok
from tests.leads.test_parting import (  # noqa: F401
    ANNA,
    JAN,
    OLD,
    TRACES,
    _everything,
    workspace,
    world,
)


def test_it_holds_every_trace_there_is_and_changes_nothing(
    workspace: Path,  # noqa: F811
    world: World,  # noqa: F811
) -> None:
    answer(workspace, "prefer", ANNA, "topic=Zdzisława")
    answer(workspace, "consent", ANNA, "given", "--source", "karta na targach")
    answer(workspace, "deal", "add", ANNA, "Plan", "--amount", "5 PLN")
    answer(workspace, "task", "add", ANNA, "Oddzwonić")
    answer(workspace, "choose", ANNA, "--off", "news", "--why", "by phone")
    answer(workspace, "merge", ANNA, OLD, "--yes")
    before = _everything(world.database)
    document = answer(workspace, "export-person", ANNA)
    assert _everything(world.database) == before
    whole = json.dumps(document, ensure_ascii=False)
    for trace in (
        *TRACES[:6],
        "Dawna Firma",
        "karta na targach",
        "Oddzwonić",
        "a.zolc@dawna.example",
    ):
        assert trace in whole
    assert [record["merged"] for record in document["records"]] == [False, True]
    (sent,) = document["messages"]
    assert (sent["state"], sent["subject"]) == ("accepted", "Zdzisława, a word?")
    assert sent["attempts"][0]["server_said"] == f"250 {ANNA} takes it"
    (back,) = document["answers"]
    assert (back["from"], back["text"]) == (ANNA, "Żółć")
    assert {each["topic"] for each in document["topics_off"]} == {"news"}
    assert {"sent", "replied", "note", "merged"} <= {e["kind"] for e in document["timeline"]}
    assert "address_key" not in whole, "what is random or keyed says nothing"
    assert JAN not in whole


def test_a_mail_that_waits_is_told_with_what_it_would_say(
    workspace: Path,  # noqa: F811
    world: World,  # noqa: F811
) -> None:
    settings = workspace / "potok.toml"
    if "[identity.anna]" not in settings.read_text("utf-8"):
        settings.write_text(
            settings.read_text("utf-8")
            + '\n[identity.anna]\nfrom = "Anna Nowak <anna@sender.example>"\n'
            'postal_address = "ul. Długa 1"\n[identity.anna.outbox]\nfolder = "outbox"\n',
            "utf-8",
        )
    (queued,) = answer(workspace, "export-person", JAN)["queued"]
    assert (queued["state"], queued["would_say"]) == ("planned", None)
    assert "company" in queued["why_not"], "it cannot be made for a lead without a company"
    answer(workspace, "set", JAN, "company=Kos i Synowie")
    (queued,) = answer(workspace, "export-person", JAN)["queued"]
    assert "why_not" not in queued, queued
    assert queued["would_say"]["subject"] == "A word, Zdzisława?"
    assert "Hello Zdzisława" in queued["would_say"]["text"]

    def keep_back(session: Session) -> None:
        session.execute(
            update(Message).where(col(Message.state) == "planned").values(state="reserved")
        )

    world.database.write(keep_back)
    (queued,) = answer(workspace, "export-person", JAN)["queued"]
    assert queued["state"] == "reserved"
    assert queued["would_say"] is not None


def test_files_are_for_oneself_and_a_page_holds_no_markup_of_others(
    workspace: Path,  # noqa: F811
    world: World,  # noqa: F811
) -> None:
    answer(workspace, "note", ANNA, "<script>alert(1)</script>")
    for ending in ("json", "html", "txt"):
        file = workspace / f"anna.{ending}"
        done = potok(workspace, "export-person", ANNA, str(file))
        assert done.exit_code == 0, done.stderr
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        text = file.read_text("utf-8")
        assert ANNA in text
        assert "Zdzisława oddzwoni" in text
        assert ending == "json" or "Everything that happened" in text
    assert "<script>" not in (workspace / "anna.html").read_text("utf-8")
    assert "&lt;script&gt;" in (workspace / "anna.html").read_text("utf-8")
    assert "Zdzisława oddzwoni" in potok(workspace, "export-person", ANNA).stdout
    wrong = potok(workspace, "export-person", ANNA, "anna.pdf")
    assert wrong.exit_code == 2
    nobody = potok(workspace, "export-person", "nobody@firma.example")
    assert nobody.exit_code == 1
    assert "nobody@firma.example" in nobody.stderr


def test_every_table_about_people_is_in_it() -> None:
    """A table that names a lead or an address and is not told would be forgotten here."""
    about = {
        str(table.name)
        for table in Row.metadata.sorted_tables
        if {"lead_id", "address_key", "email", "from_address", "message_id"} & set(table.c.keys())
    }
    assert about == {
        *("lead", "preference", "consent", "consent_request", "wish", "barred_topic"),
        *("address_change", "suppression", "deal", "task", "event"),
        *("message", "attempt", "inbound", "enrolment"),
    }
