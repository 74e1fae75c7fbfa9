"""Which column is what."""

from pathlib import Path

import pytest

from leads import MappingError, map_columns, open_source, targets_of
from tests.leads.files import written


def targets(folder: Path, header: str, *given: str) -> dict[str, str]:
    row = ",".join("a@x.pl" if "mail" in name.lower() else "x" for name in header.split(","))
    source = open_source(written(folder, f"{header}\n{row}\n"), delimiter=",")
    return dict(targets_of(map_columns(source, given)))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        # HubSpot
        (
            "Record ID,First Name,Last Name,Email,Phone Number,Contact owner,Lifecycle Stage,"
            "Company Name,Job Title,Country/Region,Unsubscribed from all email",
            "attr.record_id first_name last_name email phone owner attr.lifecycle_stage company "
            "job_title country opted_out",
        ),
        # Mailchimp
        (
            "Email Address,First Name,Last Name,TAGS,OPTIN_TIME,MEMBER_RATING",
            "email first_name last_name tags consent_date attr.member_rating",
        ),
        # Mautic
        (
            "firstname,lastname,company,email,mobile,country,preferred_locale,dnc",
            "first_name last_name company email phone country attr.preferred_locale opted_out",
        ),
        (
            "Imię i nazwisko,Adres e-mail,Firma,Stanowisko,Kraj,Telefon,Zgoda,Branża",
            "name email company job_title country phone consent attr.branża",
        ),
        (
            "Vorname,Nachname,E-Mail-Adresse,Unternehmen,Land,Sprache",
            "first_name last_name email company country language",
        ),
        (
            "email,prefers.topic,Prefers.Budget,attr.industry,consent.news,consent.*",
            "email prefers.topic prefers.budget attr.industry consent.news consent.*",
        ),
        # What an export adds, and what a file of rejected rows begins with.
        ("line,reason,email,stage_at,score", "- - email - -"),
    ],
)
def test_headings_of_other_programs_are_known(header: str, expected: str, tmp_path: Path) -> None:
    assert list(targets(tmp_path, header).values()) == expected.split()


def test_the_user_s_word_counts_more_than_the_heading(tmp_path: Path) -> None:
    found = targets(
        tmp_path,
        "Email,Work e-mail,Likes,Notes",
        "Work e-mail=email",
        "likes=prefers.topic",
        "#4=-",
    )
    assert found == {
        "Email": "attr.email",
        "Work e-mail": "email",
        "Likes": "prefers.topic",
        "Notes": "-",
    }


def test_the_more_telling_of_two_columns_is_taken(tmp_path: Path) -> None:
    found = targets(tmp_path, "Mobile,Phone,Work email,Email")
    assert found == {
        "Mobile": "attr.mobile",
        "Phone": "phone",
        "Work email": "attr.work_email",
        "Email": "email",
    }


def test_columns_without_a_header_have_numbers(tmp_path: Path) -> None:
    source = open_source(written(tmp_path, "a@x.pl,Anna,Kot\n"))
    columns = map_columns(source, ["#1=email", "#2=first_name"])
    assert [column.target for column in columns] == ["email", "first_name", "-"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("Work e-mail", "write COLUMN=FIELD"),
        ("Emial=email", 'no column "Emial"; did you mean "Email"?'),
        ("Email=emial", 'no field "emial"; did you mean "email"?'),
        ("Notes=wishes", "a preference prefers.wishes"),
        ("#9=email", "columns #1 to #3"),
        ("Notes=company", '"Company", "Notes" all give company'),
    ],
)
def test_a_mapping_that_cannot_be_gets_one_clear_line(
    given: str, sentence: str, tmp_path: Path
) -> None:
    extra = ["Company=company"] if "company" in given else []
    with pytest.raises(MappingError) as error:
        targets(tmp_path, "Email,Company,Notes", given, *extra)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)
