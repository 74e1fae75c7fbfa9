"""Taking files in: what becomes of each row, and that doing it again changes nothing."""

import csv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from console.database import Database
from leads import (
    Consent,
    FileError,
    Import,
    Lead,
    LeadError,
    Preference,
    Suppression,
    map_columns,
    move_stage,
    open_source,
    prefer,
    set_fields,
    suppress,
    take_in,
    withdraw_consent,
)
from tests.conftest import NOW
from tests.leads.files import (
    everything,
    key_of,
    kinds,
    lead,
    moment,
    stated,
    sums,
    taken_in,
    terms,
    written,
)

FAIR = """\
email,first_name,last_name,company,country,stage,prefers.topic,prefers.budget,industry,tags
anna@example.pl,Anna,Nowak,Kot sp. z o.o.,Polska,demo,pricing;reporting,5000,logistics,"fair, vip"
jan@example.pl,Jan,Kot,,DE,,pricing,,,
łucja@żółw.example,Łucja,Żak,Żółw,PL,contacted,,,,
"""


def test_a_file_becomes_leads(database: Database, tmp_path: Path) -> None:
    taken = taken_in(database, written(tmp_path, FAIR))
    assert sums(taken) == (3, 0, 0, 0)
    assert taken.rejects_file is None
    with database.reading() as session:
        anna = lead(session, "ANNA@example.pl")
        assert (anna.name, anna.company, anna.country) == ("Anna Nowak", "Kot sp. z o.o.", "PL")
        assert (anna.pipeline, anna.stage, anna.stage_at) == ("sales", "demo", NOW)
        assert anna.attributes == {"industry": "logistics"}
        assert anna.tags == ["fair", "vip"]
        assert 0 <= anna.draw < 2**31 - 1
        assert len(anna.token) == 16
        assert int(anna.token, 16) >= 0
        assert stated(session, "anna@example.pl") == {
            "topic": ["pricing", "reporting"],
            "budget": ["5000"],
        }
        budget = session.scalars(select(Preference).where(col(Preference.name) == "budget")).one()
        assert (budget.number, budget.said_by, budget.said_at) == (5000.0, "fair.csv", NOW)
        assert lead(session, "jan@example.pl").stage == "new"
        assert lead(session, "łucja@xn--w-uga1v8h.example").email == "łucja@żółw.example"
        assert kinds(session, "anna@example.pl") == ["imported"]


def test_doing_it_again_changes_nothing(database: Database, tmp_path: Path) -> None:
    path = written(tmp_path, FAIR)
    taken_in(database, path)
    before = database.read(everything)
    for rule in ("fill", "overwrite", "skip"):
        again = taken_in(database, path, seed=2, on_duplicate=rule)
        assert sums(again) == (0, 0, 3, 0)
    assert database.read(everything) == before


def test_a_dry_run_counts_the_same_and_writes_nothing(database: Database, tmp_path: Path) -> None:
    path = written(tmp_path, FAIR + "nobody,x\nanna@example.pl,,,Other,,,,,,\n")
    tried = taken_in(database, path, dry_run=True)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Lead)) == 0
        assert session.scalar(select(func.count()).select_from(Import)) == 0
    assert tried.rejects_file is None
    assert [each.name for each in tmp_path.glob("*.csv*")] == ["fair.csv"]
    done = taken_in(database, path)
    assert done.counts == tried.counts
    assert sums(done) == (3, 0, 1, 1)


def existing(database: Database, folder: Path) -> None:
    taken_in(
        database,
        written(
            folder,
            "email,first_name,company,stage,industry,prefers.topic,tags\n"
            "anna@example.pl,Anna,,demo,,pricing,vip\n",
            "before.csv",
        ),
    )


NEWS = (
    "email,first_name,last_name,company,stage,industry,prefers.topic,prefers.budget,tags\n"
    "anna@example.pl,Hanna,Nowak,Kot,won,steel,reporting,900,fair\n"
)


def test_fill_fills_only_what_is_empty(database: Database, tmp_path: Path) -> None:
    existing(database, tmp_path)
    assert sums(taken_in(database, written(tmp_path, NEWS))) == (0, 1, 0, 0)
    with database.reading() as session:
        anna = lead(session, "anna@example.pl")
        assert (anna.first_name, anna.last_name, anna.company) == ("Anna", "Nowak", "Kot")
        assert anna.name == "Anna Nowak"
        assert (anna.stage, anna.attributes, anna.tags) == (
            "demo",
            {"industry": "steel"},
            ["vip", "fair"],
        )
        assert stated(session, "anna@example.pl") == {"topic": ["pricing"], "budget": ["900"]}
        assert kinds(session, "anna@example.pl") == ["imported", "changed", "preference"]


def test_overwrite_replaces_what_the_file_says(database: Database, tmp_path: Path) -> None:
    existing(database, tmp_path)
    path = written(tmp_path, NEWS)
    assert sums(taken_in(database, path, on_duplicate="overwrite")) == (0, 1, 0, 0)
    with database.reading() as session:
        anna = lead(session, "anna@example.pl")
        assert (anna.name, anna.stage) == ("Hanna Nowak", "won")
        assert stated(session, "anna@example.pl") == {"topic": ["reporting"], "budget": ["900"]}
        assert kinds(session, "anna@example.pl").count("stage") == 1
    again = taken_in(database, path, on_duplicate="overwrite")
    assert sums(again) == (0, 0, 1, 0)


def test_overwrite_leaves_what_the_file_is_silent_about(database: Database, tmp_path: Path) -> None:
    existing(database, tmp_path)
    path = written(tmp_path, "email,first_name,company\nanna@example.pl,,\n")
    assert sums(taken_in(database, path, on_duplicate="overwrite")) == (0, 0, 1, 0)
    with database.reading() as session:
        assert lead(session, "anna@example.pl").first_name == "Anna"


def test_skip_leaves_leads_alone(database: Database, tmp_path: Path) -> None:
    existing(database, tmp_path)
    before = database.read(everything)
    path = written(tmp_path, NEWS + "new@example.pl,New,,,,,,,\n")
    assert sums(taken_in(database, path, on_duplicate="skip")) == (1, 0, 1, 0)
    after = database.read(everything)
    assert after[0][0] == before[0][0]


@pytest.mark.parametrize(
    ("rule", "company"), [("fill", "First"), ("overwrite", "Last"), ("skip", "First")]
)
def test_an_address_that_stands_twice_is_one_lead(
    rule: str, company: str, database: Database, tmp_path: Path
) -> None:
    others = "".join(f"x{n}@example.pl,X,\n" for n in range(4500))
    path = written(
        tmp_path,
        f"email,company,phone\nAnna@example.pl,First,\n{others}anna@EXAMPLE.pl,Last,123\n",
    )
    taken = taken_in(database, path, on_duplicate=rule)
    added, updated, unchanged, rejected = sums(taken)
    assert (added, updated + unchanged, rejected) == (4501, 1, 0)
    assert taken.counts.repeated == 1
    with database.reading() as session:
        assert lead(session, "anna@example.pl").company == company
    before = database.read(everything)
    assert sums(taken_in(database, path, on_duplicate=rule)) == (0, 0, 4502, 0)
    assert database.read(everything) == before


BAD = """\
email,first name,country,stage,since,Consent date,unsubscribed
anna@example.pl,Anna,PL,demo,,,
not an address,Jan,PL,,,,
,Ola,,,,,
ola@example.pl,Ola,PL,dmo,,,
ela@example.pl,Ela,PL,,,03/04/2025,
iza@example.pl,Iza,PL,,,2099-01-01,
ida@example.pl,Ida,PL,,,,perhaps
eva@example.pl,"Eva, Kot",PL,demo,x,,,surplus
ada@example.pl,A\x00da,PL,,,,
uta@example.pl,Uta
"""


def test_rejected_rows_can_be_corrected_and_imported(database: Database, tmp_path: Path) -> None:
    path = written(tmp_path, BAD)
    taken = taken_in(database, path)
    assert sums(taken) == (2, 0, 0, 8)
    assert taken.rejects_file == tmp_path / "fair.rejected.csv"
    with taken.rejects_file.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["line", "reason", *BAD.splitlines()[0].split(",")]
    assert [row[0] for row in rows] == ["3", "4", "5", "6", "7", "8", "9", "10"]
    reasons = {row[0]: row[1] for row in rows}
    assert "no @" in reasons["3"]
    assert reasons["4"] == "there is no address"
    assert 'did you mean "demo"?' in reasons["5"]
    assert "2025-04-03 or 2025-03-04" in reasons["6"]
    assert "has not come yet" in reasons["7"]
    assert "neither yes nor no" in reasons["8"]
    assert "the row has 8 cells and the header 7" in reasons["9"]
    assert "NUL" in reasons["10"]
    corrected = taken.rejects_file.read_text("utf-8-sig").replace("dmo", "demo")
    fixed = taken_in(database, written(tmp_path, corrected, "fair.rejected.csv"))
    assert sums(fixed)[0] >= 1
    assert fixed.rejects_file == tmp_path / "fair.rejected.2.csv"
    with database.reading() as session:
        ola = lead(session, "ola@example.pl")
        assert (ola.stage, ola.attributes) == ("demo", {})


def test_what_is_no_code_is_kept_as_an_attribute(database: Database, tmp_path: Path) -> None:
    text = "email,country,language\nanna@example.pl,Polnad,Klingon\n"
    taken = taken_in(database, written(tmp_path, text))
    assert taken.odd_count == 2
    assert taken.odd[0] == (
        "country",
        'line 2: there is no country "Polnad"; did you mean PL?',
    )
    with database.reading() as session:
        anna = lead(session, "anna@example.pl")
        assert anna.country == ""
        assert anna.attributes == {"country": "Polnad", "language": "Klingon"}


def test_a_suppressed_address_stays_suppressed(database: Database, tmp_path: Path) -> None:
    key = key_of("anna@example.pl")
    database.write(lambda s: suppress(s, key, reason="complaint", at=NOW, by="ewa"))
    text = "email,unsubscribed,consent\nanna@example.pl,no,yes\njan@example.pl,no,yes\n"
    taken = taken_in(database, written(tmp_path, text), on_duplicate="overwrite")
    assert sums(taken) == (2, 0, 0, 0)
    assert taken.counts.suppressed == 1
    with database.reading() as session:
        held = session.get(Suppression, key)
        assert held is not None
        assert held.reason == "complaint"


def test_an_opt_out_of_the_old_tool_counts_under_every_rule(
    database: Database, tmp_path: Path
) -> None:
    taken_in(database, written(tmp_path, "email\nanna@example.pl\njan@example.pl\n", "old.csv"))
    text = "email,Unsubscribed from all email\nanna@example.pl,true\njan@example.pl,false\n"
    path = written(tmp_path, text)
    taken = taken_in(database, path, on_duplicate="skip")
    assert sums(taken) == (0, 1, 1, 0)
    assert taken.counts.suppressed == 1
    with database.reading() as session:
        held = session.get(Suppression, key_of("anna@example.pl"))
        assert held is not None
        assert held.reason == "opted_out"
        assert kinds(session, "anna@example.pl") == ["imported", "suppressed"]
    again = taken_in(database, path, on_duplicate="skip")
    assert sums(again) == (0, 0, 2, 0)
    assert again.counts.suppressed == 1


def consents(database: Database) -> list[tuple[str, str, str]]:
    with database.reading() as session:
        rows = session.execute(
            select(col(Consent.topic), col(Consent.state), col(Consent.source)).order_by(
                col(Consent.lead_id), col(Consent.topic)
            )
        )
        return [tuple(row) for row in rows]


def test_consent_of_a_whole_file_has_source_date_and_topic(
    database: Database, tmp_path: Path
) -> None:
    path = written(tmp_path, "email\nanna@example.pl\n")
    agreed = {
        "consent_source": "card at the fair",
        "consent_date": moment(2026, 3, 1),
        "consent_topic": "news",
    }
    taken_in(database, path, **agreed)
    with database.reading() as session:
        consent = session.scalars(select(Consent)).one()
        assert (consent.topic, consent.state) == ("news", "given")
        assert (consent.source, consent.by) == ("card at the fair", "ewa")
        assert consent.at == moment(2026, 3, 1)
    for rule in ("fill", "overwrite"):
        assert sums(taken_in(database, path, on_duplicate=rule, **agreed)) == (0, 0, 1, 0)


def test_consent_in_columns(database: Database, tmp_path: Path) -> None:
    text = (
        "email,consent,consent_source,consent_date,consent.news\n"
        "a@example.pl,yes,form,2026-01-02,\n"
        "b@example.pl,no,,,\n"
        "c@example.pl,,form,,given 2026-01-02T10:00:00Z a card\n"
        "d@example.pl,,,,withdrawn\n"
        "e@example.pl,,,,\n"
    )
    assert sums(taken_in(database, written(tmp_path, text))) == (5, 0, 0, 0)
    assert consents(database) == [
        ("", "given", "form"),
        ("", "withdrawn", ""),
        ("", "given", "form"),
        ("news", "given", "a card"),
        ("news", "withdrawn", ""),
    ]


def test_no_file_turns_a_no_into_a_yes(database: Database, tmp_path: Path) -> None:
    yes = written(tmp_path, "email,consent\nanna@example.pl,yes\n", "yes.csv")
    taken_in(database, yes)
    with database.writing() as session:
        anna = lead(session, "anna@example.pl").id or 0
        withdraw_consent(session, anna, at=NOW, by="ewa")
    for rule in ("fill", "overwrite", "skip"):
        assert sums(taken_in(database, yes, on_duplicate=rule)) == (0, 0, 1, 0)
    assert consents(database) == [("", "withdrawn", "")]


def test_a_no_in_a_file_counts_under_every_rule(database: Database, tmp_path: Path) -> None:
    taken_in(database, written(tmp_path, "email,consent\nanna@example.pl,yes\n", "yes.csv"))
    no = written(tmp_path, "email,consent\nanna@example.pl,no\n", "no.csv")
    assert sums(taken_in(database, no, on_duplicate="skip")) == (0, 1, 0, 0)
    assert consents(database) == [("", "withdrawn", "")]


def test_rows_of_a_merged_lead_belong_to_the_one_it_became(
    database: Database, tmp_path: Path
) -> None:
    taken_in(database, written(tmp_path, "email\nold@example.pl\nnew@example.pl\n", "two.csv"))
    with database.writing() as session:
        old, new = lead(session, "old@example.pl"), lead(session, "new@example.pl")
        old.merged_into = new.id
    path = written(tmp_path, "email,company,phone\nold@example.pl,Kot,\nnew@example.pl,,123\n")
    assert sums(taken_in(database, path)) == (0, 2, 0, 0)
    with database.reading() as session:
        new = lead(session, "old@example.pl")
        assert (new.email, new.company, new.phone) == ("new@example.pl", "Kot", "123")
    assert sums(taken_in(database, path)) == (0, 0, 2, 0)


def test_changes_by_hand_outlive_a_repeated_import(database: Database, tmp_path: Path) -> None:
    path = written(tmp_path, FAIR)
    taken_in(database, path)
    with database.writing() as session:
        anna = lead(session, "anna@example.pl").id or 0
        set_fields(session, anna, {"company": "Pies"}, at=NOW, by="ewa")
        prefer(session, anna, "topic", ["demo"], replace=True, at=NOW, by="ewa")
        move_stage(session, anna, "sales", "won", at=NOW, by="ewa")
    assert sums(taken_in(database, path)) == (0, 0, 3, 0)
    with database.reading() as session:
        anna_now = lead(session, "anna@example.pl")
        assert (anna_now.company, anna_now.stage) == ("Pies", "won")
        assert stated(session, "anna@example.pl")["topic"] == ["demo"]


def test_each_import_is_a_row_of_its_own(database: Database, tmp_path: Path) -> None:
    path = written(tmp_path, FAIR)
    taken = taken_in(database, path)
    with database.reading() as session:
        row = session.scalars(select(Import)).one()
        assert row.id == taken.import_id
        assert (row.by, row.finished_at) == ("ewa", NOW)
        assert row.counts["added"] == 3
        assert row.mapping["country"] == "country"
        assert len(row.sha256) == 64


def test_a_file_that_breaks_off_writes_nothing(database: Database, tmp_path: Path) -> None:
    rows = "".join(f"x{n}@example.pl,X\n" for n in range(5000))
    path = written(tmp_path, f'email,note\n{rows}y@example.pl,"open\n' + "z" * 140_000)
    with pytest.raises(FileError, match="line 5002"):
        taken_in(database, path)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Lead)) == 0


def test_a_failing_chunk_leaves_whole_chunks_and_no_file_of_rejects(
    database: Database, tmp_path: Path
) -> None:
    rows = "".join(f"x{n}@example.pl\n" for n in range(4999))
    path = written(tmp_path, f"email\nnobody\n{rows}")
    source = open_source(path)
    transactions = 0

    def write(work):  # type: ignore[no-untyped-def]
        nonlocal transactions
        transactions += 1
        if transactions == 3:
            raise LeadError("the disk is full")
        return database.write(work)

    with pytest.raises(LeadError):
        take_in(
            source, map_columns(source), terms(), write=write, read=database.read, dice=Random(1)
        )
    assert [each.name for each in tmp_path.iterdir() if "fair" in each.name] == ["fair.csv"]
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Lead)) == 1999
        assert session.scalars(select(Import)).one().finished_at is None
    done = taken_in(database, path)
    assert sums(done) == (3000, 0, 1999, 1)


def test_two_imports_at_once_make_each_lead_once(database: Database, tmp_path: Path) -> None:
    rows = "".join(f"x{n}@example.pl,Firma {n},pricing;demo\n" for n in range(3000))
    path = written(tmp_path, f"email,company,prefers.topic\n{rows}")
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda seed: taken_in(database, path, seed=seed), (1, 2)))
    assert sum(sums(taken)[0] for taken in both) == 3000
    assert all(taken.document()["read"] == 3000 for taken in both)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Lead)) == 3000
        assert session.scalar(select(func.count()).select_from(Preference)) == 6000
