"""Files as other programs write them: encodings, delimiters, quotes; and files that are none."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leads import FileError, MappingError, map_columns, open_source
from tests.leads.files import written

POLISH = (
    "email,imię,nazwisko,firma\n"
    "zofia@example.pl,Zofia,Gęś,Wąż i Żółw sp. z o.o.\n"
    "jas@example.pl,Jaś,Źdźbło,Łódź\n"
)
FRENCH = (
    "email,prénom,société\nrene@exemple.fr,René,Crêperie Noël\nlea@exemple.fr,Léa,Garçon & Cie\n"
)
GERMAN = "email;vorname;firma\njo@beispiel.de;Jörg;Müßig & Söhne\nulla@beispiel.de;Ülla;Bäcker\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (POLISH, "utf-8"),
        (POLISH, "utf-8-sig"),
        (POLISH, "utf-16"),
        (POLISH, "utf-16-le"),
        (POLISH, "utf-16-be"),
        (POLISH, "utf-32"),
        (POLISH, "cp1250"),
        (POLISH, "iso8859_2"),
        (FRENCH, "cp1252"),
        (FRENCH, "utf-8"),
        (GERMAN, "cp1252"),
        (GERMAN, "cp1250"),
        (
            "email,name\nivan@example.ru,Иван Петров\nolga@example.ru,Ольга Смирнова\n" * 20,
            "cp1251",
        ),
    ],
)
def test_an_encoding_is_found_out(text: str, encoding: str, tmp_path: Path) -> None:
    source = open_source(written(tmp_path, text.encode(encoding)))
    rows = [list(row.cells) for row in source.rows()]
    delimiter = ";" if text is GERMAN else ","
    header, *expected = csv.reader(io.StringIO(text), delimiter=delimiter)
    assert list(source.header) == header
    assert rows == expected


def test_a_guess_says_so_and_may_be_corrected(tmp_path: Path) -> None:
    path = written(tmp_path, POLISH.encode("cp1250"))
    assert open_source(path).guessed
    named = open_source(path, encoding="windows-1250")
    assert (named.encoding, named.guessed) == ("cp1250", False)
    with pytest.raises(FileError, match="not utf-8"):
        list(open_source(path, encoding="utf-8").rows())
    with pytest.raises(FileError, match="no encoding 'klingon'"):
        open_source(path, encoding="klingon")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_delimiter_is_found_out(delimiter: str, tmp_path: Path) -> None:
    rows = [
        ["email", "company", "note"],
        ["a@x.pl", "Kot, Pies; Mysz | Spółka", "one\ttwo"],
        ["b@x.pl", "", ""],
        ["c@x.pl", 'The "Best"', "line one\nline two"],
    ]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    source = open_source(written(tmp_path, text.getvalue()))
    assert source.delimiter == delimiter
    assert [list(row.cells) for row in source.rows()] == rows[1:]


def test_excel_says_its_delimiter(tmp_path: Path) -> None:
    source = open_source(written(tmp_path, "sep=;\r\nemail;firma\r\na@x.pl;Kot, Pies\r\n"))
    assert source.header == ("email", "firma")
    assert [(row.line, list(row.cells)) for row in source.rows()] == [(3, ["a@x.pl", "Kot, Pies"])]


def test_lines_are_counted_through_quoted_line_breaks_and_empty_lines(tmp_path: Path) -> None:
    text = 'email,note\na@x.pl,"one\ntwo\nthree"\n\nb@x.pl,x\n'
    source = open_source(written(tmp_path, text))
    assert [row.line for row in source.rows()] == [2, 6]


def test_a_source_can_be_read_again(tmp_path: Path) -> None:
    source = open_source(written(tmp_path, POLISH))
    assert list(source.rows()) == list(source.rows())


CELLS = st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=8))
def test_what_a_csv_writer_wrote_is_read(tmp_path: Path, rows: list[list[str]]) -> None:
    rows = [["a@x.pl", *row] for row in rows]
    text = io.StringIO()
    csv.writer(text).writerows([["email", "b", "c", "d"], *rows])
    source = open_source(written(tmp_path, text.getvalue()), delimiter=",")
    assert [list(row.cells) for row in source.rows()] == rows


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"PK\x03\x04rest of a workbook", "as .xlsx or CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "as .xlsx"),
        (b"%PDF-1.7", "no text file"),
        (b"first,last\nAnna,Nowak\n", 'no column with e-mail addresses; its columns are: "first"'),
        (b"who,where\na@x.pl,PL\nb@x.pl,PL\n", "--map 'who=email'"),
        (b"a@x.pl,Anna\nb@x.pl,Jan\n", "has no header"),
        (b"email,phone,Phone\na@x.pl,1,2\n", '"phone" more than once (columns 2, 3)'),
        (b"email,email\na@x.pl,b@x.pl\n", '"email" more than once'),
    ],
)
def test_a_file_that_is_no_list_gets_one_clear_line(
    data: bytes, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises((FileError, MappingError)) as error:
        map_columns(open_source(written(tmp_path, data)))
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_a_quote_that_is_never_closed_is_told_with_its_line(tmp_path: Path) -> None:
    text = 'email,note\na@x.pl,fine\nb@x.pl,"open\n' + "c@x.pl,x\n" * 20_000
    with pytest.raises(FileError, match="line 3: a quotation mark opens here"):
        list(open_source(written(tmp_path, text)).rows())


def test_a_header_alone_is_a_list_of_nobody(tmp_path: Path) -> None:
    source = open_source(written(tmp_path, "email,first name\n"))
    assert list(source.rows()) == []
    assert [column.target for column in map_columns(source)] == ["email", "first_name"]


def test_a_plain_list_of_addresses_needs_no_header(tmp_path: Path) -> None:
    source = open_source(written(tmp_path, "a@x.pl\nb@x.pl\n"))
    assert [column.target for column in map_columns(source)] == ["email"]
    assert len(list(source.rows())) == 2


@pytest.mark.parametrize("text", ['"Anna\na2@x.example,B\n', 'A\na2@x.example,"B\n', 'A\nb,"'])
def test_a_quote_open_at_the_end_swallows_no_rows(tmp_path: Path, text: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"email,name\na1@x.example,{text}", encoding="utf-8")
    with pytest.raises(FileError, match="not closed"):
        list(open_source(path).rows())
