"""Erasing and merging as typed, over all rooms; what is left afterwards, and what is not."""

from pathlib import Path

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.engine import URL
from sqlmodel import Session, col

from campaigns import verify
from campaigns.candidates import LaneRules
from campaigns.finish import Sent, finish
from campaigns.queue import claim
from campaigns.settling import settle_runs
from campaigns.tables import Attempt, Message
from console.database import Database
from deliverability import Breaker, Inbound, Lane, LaneMove, Outcome, Phase, Verdict
from leads import (
    Client,
    Deal,
    Lead,
    Task,
    Wording,
    find_lead,
    record,
    request_consent,
    suppress,
    suppression_of,
)
from tests.campaigns.world import ZONE, World, apply_campaign, start
from tests.conftest import NOW
from tests.leads.people import add, key_of
from tests.leads.test_commands import SETTINGS, answer, potok

ANNA, JAN, OLD = "anna.zolc@firma.example", "jan@firma.example", "a.zolc@dawna.example"


@pytest.fixture
def workspace(tmp_path: Path, database_url: URL) -> Path:
    folder = tmp_path / "acme"
    folder.mkdir()
    database = database_url.render_as_string(hide_password=False)
    (folder / "potok.toml").write_text(SETTINGS.format(database=database), encoding="utf-8")
    key = (b"k" * 32).hex()
    (folder / "potok.keys").write_text(f'address = "{key}"\nlinks = ["{"b" * 64}"]\n')
    (folder / "potok.keys").chmod(0o600)
    return folder


def _people(session: Session) -> None:
    facts = {"pipeline": "sales", "stage": "demo", "first_name": "Zdzisława", "country": "PL"}
    add(
        session,
        ANNA,
        **facts,
        name="Zdzisława Żółć",
        owner="Opiekunka",
        tags=["klientka"],
    )
    add(session, JAN, **facts)
    add(
        session,
        OLD,
        **{**facts, "stage": "new"},
        company="Dawna Firma",
        attributes={"branża": "prawo"},
        token="f" * 16,
    )


@pytest.fixture
def world(database: Database) -> World:
    """Anna was written to and answered, Jan's mail waits."""
    database.write(_people)
    database.write(lambda s: apply_campaign(s))
    made = start(database)
    rules = LaneRules(lane_id=made.lane_id, identity="anna", per_day=None, zone=ZONE)

    def live(session: Session) -> None:
        (claimed,) = claim(session, rules, owner="me", limit=1, after_run=0, now=NOW).claimed
        finish(
            session,
            claimed,
            Outcome(
                verdict=Verdict.ACCEPTED, phase=Phase.DONE, code=250, reply=f"250 {ANNA} takes it"
            ),
            owner="me",
            now=NOW,
            sent=Sent(
                subject="Zdzisława, a word?", context={"n": "Zdzisława"}, identity_version_id=1
            ),
            retry_after=None,
            day=NOW.date(),
            template="hello",
        )
        lead_id = claimed.recipient.lead_id
        session.execute(
            insert(Inbound).values(
                identity="anna",
                sha256="a" * 64,
                read_at=NOW,
                sent_at=NOW,
                kind="human",
                from_address=ANNA,
                subject="Re: Zdzisława",
                lead_id=lead_id,
                message_id=claimed.message_id,
                raw=f"From: {ANNA}\r\n\r\nŻółć".encode(),
            )
        )
        record(session, lead_id, "replied", at=NOW, by=ANNA, data={"subject": "Re: Zdzisława"})
        record(session, lead_id, "note", at=NOW, by="ewa", data={"text": "Zdzisława oddzwoni"})
        settle_runs(session, now=NOW)

    database.write(live)
    assert made.states() == {"accepted": 1, "planned": 1}
    return made


def _everything(database: Database) -> str:
    """All rows of all tables, as text."""
    from leads import Row

    with database.reading() as session:
        return "\n".join(
            str(tuple(bytes(c) if isinstance(c, memoryview) else c for c in row))
            for table in Row.metadata.sorted_tables
            for row in session.connection().exec_driver_sql(f'SELECT * FROM "{table.name}"')
        )


TRACES = (
    *("anna.zolc", "Zdzisława", "Żółć", "Opiekunka", "klientka", "oddzwoni"),
    *("48600700801", "198.51.100", "Opera/9"),
)
#: Where a server's words are kept that name somebody.
WORDS = f"550 5.1.1 <{ANNA.upper()}>: no such user"


def _said_elsewhere(session: Session) -> None:
    """A server's words and a form's evidence: what stands beside the lead's own rows."""
    lead = session.get_one(Lead, 1)
    seen = {"at": NOW, "by": "form footer"}
    wording = Wording(language="pl", version="pl 12345678", text="Czy możemy pisać?")
    client = Client(address="198.51.100.0/24", agent="Opera/9")
    request_consent(session, lead, ["news"], source="x", wording=wording, client=client, **seen)
    move = {"lane_id": 1, "at": NOW, "rate_before": 1.0, "rate_after": 0.5, "cause": "x"}
    session.execute(insert(LaneMove).values(**move, words=WORDS))
    session.execute(
        insert(Breaker).values(
            scope="run", key="1", measure="bounces", state="closed", tripped_at=NOW, reason=WORDS
        )
    )
    session.execute(update(Lane).where(col(Lane.id) == 1).values(reason=WORDS))


def test_nothing_in_any_table_says_who_it_was(workspace: Path, world: World) -> None:
    answer(workspace, "prefer", ANNA, "topic=Zdzisława")
    answer(workspace, "consent", ANNA, "given", "--source", "Zdzisława")
    answer(workspace, "deal", "add", ANNA, "Plan Zdzisława", "--amount", "5 PLN")
    answer(workspace, "deal", "close", ANNA, "plan zdzisława", "won")
    answer(workspace, "task", "add", ANNA, "Zdzisława: call", "--owner", "Opiekunka")
    answer(workspace, "event", ANNA, "demo.requested", "--set", "who=Zdzisława")
    answer(workspace, "set", ANNA, "attr.likes[]=Zdzisława;Żółć")
    answer(workspace, "set", ANNA, "phone=+48600700801")
    world.database.write(_said_elsewhere)
    held = _everything(world.database)
    assert [trace for trace in (*TRACES, ANNA.upper()) if trace not in held] == []
    # Jan keeps his first name.
    answer(workspace, "set", JAN, "first_name=Jan")
    world.database.write(
        lambda s: s.connection().exec_driver_sql("DELETE FROM event WHERE kind = 'changed'")
    )
    answer(workspace, "set", OLD, "first_name=")
    world.database.write(
        lambda s: s.connection().exec_driver_sql("DELETE FROM event WHERE kind = 'changed'")
    )
    done = answer(workspace, "erase", ANNA, "--yes")
    assert (done["erased"], done["messages_emptied"], done["answers_emptied"]) == (1, 1, 1)
    left = _everything(world.database)
    assert [trace for trace in (*TRACES, ANNA.upper()) if trace in left] == []
    with world.database.reading() as session:
        assert verify(session, world.run_id) == []
        kinds = set(session.scalars(text("SELECT kind FROM event WHERE lead_id = 1")))
        assert session.scalars(select(col(Deal.id))).all() == []
        assert session.scalars(select(col(Task.id))).all() == []
    assert {"sent", "replied", "note", "erased", "deal", "task", "demo.requested"} <= kinds
    assert potok(workspace, "show", ANNA).exit_code == 1


def test_the_file_holds_no_byte_of_it_either(tmp_path: Path, sqlite_url: URL) -> None:
    folder = tmp_path / "acme"
    folder.mkdir()
    (folder / "potok.toml").write_text(SETTINGS.format(database=f"sqlite:///{sqlite_url.database}"))
    (folder / "potok.keys").write_text(f'address = "{"a" * 64}"\nlinks = ["{"b" * 64}"]\n')
    (folder / "potok.keys").chmod(0o600)
    (folder / "two.csv").write_text(f"email,name\n{ANNA},Zdzisława Żółć\n{JAN},Jan Kos\n")
    answer(folder, "import", folder / "two.csv")
    answer(folder, "note", ANNA, "Zdzisława oddzwoni " * 400)
    answer(folder, "set", ANNA, "company=Zdzisława sp. z o.o.")
    path = Path(str(sqlite_url.database))
    files = [path, path.with_name(f"{path.name}-wal")]
    assert b"Zdzis" in b"".join(f.read_bytes() for f in files if f.exists())
    answer(folder, "set", ANNA, "phone=+48600700801")
    assert answer(folder, "erase", ANNA, "--yes")["overwritten"] is True
    held = b"".join(f.read_bytes() for f in files if f.exists())
    assert [t for t in ("anna.zolc", "Zdzis", "oddzwoni", "600700801") if t.encode() in held] == []
    assert b"Jan Kos" in held


def test_the_suppression_outlives_the_lead_and_a_new_lead_is_another(
    workspace: Path, world: World
) -> None:
    world.database.write(lambda s: suppress(s, key_of(ANNA), reason="opted_out", at=NOW, by="link"))
    assert answer(workspace, "erase", ANNA, "--yes")["suppressed"] == "opted_out"
    (workspace / "back.csv").write_text(f"email\n{ANNA}\n")
    again = answer(workspace, "import", workspace / "back.csv")
    assert (again["added"], again["suppressed"]) == (1, 1)
    with world.database.reading() as session:
        lead = find_lead(session, key_of(ANNA))
        assert lead is not None and lead.id not in (1, 2, 3)
        assert suppression_of(session, key_of(ANNA)) is not None


def test_what_waits_for_an_erased_lead_is_never_sent(workspace: Path, world: World) -> None:
    done = answer(workspace, "erase", JAN, "--yes")
    assert done["waiting_skipped"] == 1
    assert world.states() == {"accepted": 1, "skipped": 1}
    with world.database.reading() as session:
        assert set(session.scalars(select(col(Message.reason)))) == {"", "erased"}
        assert set(session.scalars(select(col(Attempt.reply)))) == {f"250 {ANNA} takes it"}
        assert verify(session, world.run_id) == []


def test_a_mail_kept_back_for_the_better_variant_is_not_sent_either(
    workspace: Path, world: World
) -> None:
    kept_back = update(Message).where(col(Message.state) == "planned").values(state="reserved")
    world.database.write(lambda s: s.execute(kept_back))
    assert answer(workspace, "erase", JAN, "--yes")["waiting_skipped"] == 1
    assert world.states() == {"accepted": 1, "skipped": 1}


def test_an_erased_and_suppressed_person_who_comes_back_by_any_file_gets_no_mail(
    workspace: Path, world: World
) -> None:
    answer(workspace, "suppress", ANNA)
    answer(workspace, "erase", ANNA, "--yes")
    (workspace / "a.csv").write_text(f"email,consent,stage\n{ANNA},yes,demo\n")
    (workspace / "a.jsonl").write_text(
        f'{{"email": "{ANNA}", "consent": "yes", "stage": "demo"}}\n'
    )
    for name in ("a.csv", "a.jsonl"):
        answer(workspace, "import", workspace / name, "--on-duplicate", "overwrite")
    world.database.write(lambda s: apply_campaign(s, name="later"))
    again = start(world.database, name="later", token="fedcba987654")
    with world.database.reading() as session:
        lead = find_lead(session, key_of(ANNA))
        assert lead is not None
        told = select(col(Message.state), col(Message.reason)).where(
            col(Message.run_id) == again.run_id, col(Message.lead_id) == lead.id
        )
        assert [tuple(row) for row in session.execute(told)] == [("skipped", "suppressed")]
        assert suppression_of(session, key_of(ANNA)) is not None


def test_a_mail_that_is_leaving_is_waited_for(workspace: Path, world: World) -> None:
    rules = LaneRules(lane_id=world.lane_id, identity="anna", per_day=None, zone=ZONE)
    world.database.write(
        lambda s: claim(s, rules, owner="me", limit=1, after_run=0, now=NOW).claimed
    )
    refused = potok(workspace, "erase", JAN, "--yes")
    assert refused.exit_code == 1
    assert "handed over at this moment" in refused.stderr
    with world.database.reading() as session:
        assert find_lead(session, key_of(JAN)) is not None


def test_erasing_needs_a_yes(workspace: Path, world: World) -> None:
    asked = potok(workspace, "erase", JAN)
    assert asked.exit_code == 2
    assert "1 mails waiting" in asked.stderr
    assert "potok leads suppress" in asked.stderr
    assert potok(workspace, "show", JAN).exit_code == 0


def test_merging_unites_what_is_known(workspace: Path, world: World) -> None:
    answer(workspace, "prefer", ANNA, "topic=ceny")
    answer(workspace, "prefer", OLD, "topic=ceny", "topic=raporty")
    answer(workspace, "consent", ANNA, "given", "--source", "targi")
    answer(workspace, "consent", OLD, "withdrawn")
    answer(workspace, "note", OLD, "Pisała w 2019")
    answer(workspace, "deal", "add", OLD, "Plan", "--amount", "5 PLN")
    answer(workspace, "task", "add", OLD, "Call")
    answer(workspace, "event", OLD, "demo.requested", "--set", "seats=5")
    done = answer(workspace, "merge", ANNA, OLD, "--yes")
    assert (done["keep"], done["other"]) == (ANNA, OLD)
    assert {"company", "attr.branża"} <= set(done["filled"])
    shown = answer(workspace, "show", OLD)
    assert (shown["email"], shown["merged_from"], shown["stage"]) == (ANNA, OLD, "demo")
    assert (shown["company"], shown["attributes"]) == ("Dawna Firma", {"branża": "prawo"})
    assert [p["value"] for p in shown["preferences"]] == ["ceny", "raporty"]
    assert [c["state"] for c in shown["consent"]] == ["withdrawn"]
    assert {"note", "merged", "sent"} <= {e["kind"] for e in shown["timeline"]}
    assert [deal["amount"] for deal in shown["deals"]] == ["5.00"]
    assert [task["title"] for task in shown["tasks"]] == ["Call"]
    seats = [e["data"]["properties"] for e in shown["timeline"] if e["kind"] == "demo.requested"]
    assert seats == [{"seats": 5}]
    assert answer(workspace, "list")["total"] == 2
    assert f"{OLD} was merged into {ANNA}" in potok(workspace, "show", OLD).stdout
    with world.database.reading() as session:
        assert verify(session, world.run_id) == []


def test_the_merged_one_gets_no_mail_and_its_sent_mail_still_verifies(
    workspace: Path, world: World
) -> None:
    assert answer(workspace, "merge", OLD, JAN, "--yes")["waiting_skipped"] == 1
    answer(workspace, "merge", OLD, ANNA, "--yes")
    assert world.states() == {"accepted": 1, "skipped": 1}
    with world.database.reading() as session:
        assert verify(session, world.run_id) == []
        assert set(session.scalars(select(col(Lead.merged_into)))) == {None, 3}


@pytest.mark.parametrize(
    ("keep", "other", "said"),
    [
        (JAN, JAN, "is one lead already"),
        (JAN, ANNA, f"{ANNA} was merged into {OLD} already"),
        (ANNA, JAN, f"{ANNA} was merged into {OLD} already"),
        (OLD, "nobody@firma.example", "There is no lead nobody@firma.example"),
    ],
)
def test_merges_that_make_no_sense_are_refused(
    workspace: Path, world: World, keep: str, other: str, said: str
) -> None:
    answer(workspace, "merge", OLD, ANNA, "--yes")
    refused = potok(workspace, "merge", keep, other, "--yes")
    assert refused.exit_code == 1
    assert said in refused.stderr


def test_who_opted_out_under_one_address_has_under_both(workspace: Path, world: World) -> None:
    world.database.write(lambda s: suppress(s, key_of(JAN), reason="opted_out", at=NOW, by="x"))
    world.database.write(lambda s: suppress(s, key_of(OLD), reason="hard_bounce", at=NOW, by="x"))
    assert answer(workspace, "merge", ANNA, OLD, "--yes")["suppressed"] is None
    assert answer(workspace, "merge", ANNA, JAN, "--yes")["suppressed"] == "opted_out"


def test_files_with_the_merged_address_change_the_lead_that_was_kept(
    workspace: Path, world: World
) -> None:
    answer(workspace, "merge", ANNA, OLD, "--yes")
    (workspace / "late.csv").write_text(f"email,phone\n{OLD},+48 600\n")
    assert answer(workspace, "import", workspace / "late.csv")["updated"] == 1
    shown = answer(workspace, "show", ANNA)
    assert (shown["email"], shown["phone"]) == (ANNA, "+48 600")
    assert answer(workspace, "list")["total"] == 2


def test_erasing_takes_what_was_merged_along(workspace: Path, world: World) -> None:
    answer(workspace, "merge", JAN, ANNA, "--yes")
    assert answer(workspace, "erase", ANNA, "--yes")["erased"] == 2
    left = _everything(world.database)
    assert "anna.zolc" not in left
    assert JAN not in left
