"""A template folder is read strictly: every mistake has its line and the nearest right word."""

import pytest

from templates import SourceError, compile_template
from tests.templates.letters import files


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('subjct = "x"', 'message.toml:1: unknown key "subjct"; did you mean "subject"?'),
        (
            'subject = "x"\n\n[defaults]\nfrist_name = "y"',
            'message.toml:4: unknown field "frist_name" under defaults; did you mean "first_name"?',
        ),
        ('subject = "x"\nlanguage = "polish!"', 'message.toml:2: "polish!" is no language'),
        ('subject = "x', "message.toml:1: is not valid TOML"),
        ("subject = 3", "message.toml:1: subject must be a text"),
        (
            '[subject]\npl = "x"',
            "message.toml:1: subject has no text in the template's own language",
        ),
        ('subject = "{{ x"', "message.toml:1: subject: unexpected end of template"),
        ('subject = "x"\npreheader = "{% if %}"', "message.toml:2: preheader: Expected"),
        ('subject = "x"\n[defaults]\nfirst_name = true_', "message.toml:3: is not valid TOML"),
        (
            'subject = "x"\n[defaults.atributes]\nx = "1"',
            'message.toml:2: "atributes" is no language',
        ),
    ],
)
def test_mistakes_in_message_toml(toml: str, said: str) -> None:
    with pytest.raises(SourceError) as caught:
        compile_template("t", files(text="x", toml=toml))
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ({"body.html": b"x"}, "message.toml: is missing"),
        ({"message.toml": b'subject="x"'}, "body.html: is missing"),
        ({"message.toml": b'subject="x"', "body.htm": b"x"}, "body.htm: is no file of a template"),
        (
            {"message.toml": b'subject="x"', "body.txt": b"ok\n\xff"},
            "body.txt:2: is not UTF-8 text",
        ),
    ],
)
def test_mistakes_in_the_folder(folder: dict[str, bytes], said: str) -> None:
    with pytest.raises(SourceError) as caught:
        compile_template("t", folder)
    assert str(caught.value).startswith(said)


def test_a_body_may_carry_the_templates_own_language_in_its_name() -> None:
    folder = {"message.toml": b'subject = "x"\nlanguage = "pl"', "body.pl.txt": "Cześć".encode()}
    compiled = compile_template("t", folder)
    assert compiled.languages == ("pl",)
    assert compiled.texts[""].text is not None
    assert compiled.texts[""].text.file == "body.pl.txt"


def test_editors_marks_and_line_ends_do_no_harm() -> None:
    folder = {"message.toml": b'\xef\xbb\xbfsubject = "x"\r\n', "body.txt": b"a\r\nb"}
    text = compile_template("t", folder).texts[""].text
    assert text is not None
    assert text.source == "a\nb"


def test_partials_that_include_each_other_are_refused() -> None:
    partials = {"_a.html": b'{% include "_b.html" %}', "_b.html": b'{% include "_a.html" %}'}
    with pytest.raises(SourceError, match="without end"):
        compile_template("t", files('{% include "_a.html" %}'), partials=partials)


def test_the_compiled_form_is_the_same_every_time() -> None:
    folder = files("<style>p{color:red}</style><p>{{ lead.email }}</p>")
    assert compile_template("t", folder).body() == compile_template("t", folder).body()
