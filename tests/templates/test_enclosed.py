"""Pictures and attachments of a template: frozen with it, found again, refused when too large."""

import json
from typing import Any

import pytest

from templates import Compiled, SourceError, check, compile_template, render, render_again
from templates.enclosed import bytes_of, file_name
from tests.templates.letters import files, letter

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
PDF = b"%PDF-1.7\n" + bytes(range(256))
FOOT = "<p>{{ sender.postal_address }} <a href='{{ links.unsubscribe }}'>Stop</a></p>"


def folder(html: str = "<p>x</p>", toml: str = "", **more: bytes) -> dict[str, bytes]:
    toml = 'subject = "Hello"\npreheader = "x"\n' + toml
    return {**files(html + FOOT, toml=toml), "logo.png": PNG, "prices.pdf": PDF, **more}


@pytest.mark.parametrize(
    "html",
    [
        '<img src="logo.png" alt="">',
        "<img alt='' src = 'logo.png'>",
        '<img src="cid:logo.png" alt="">',
        '<img src="./logo.png" alt="">',
        '<td style="background: url(logo.png)">x</td>',
        '<style>.a { background-image: url("logo.png") }</style><p class="a">x</p>',
        '<table background="logo.png"><tr><td>x</td></tr></table>',
        '<!--[if mso]><v:fill src="logo.png"></v:fill><![endif]-->',
        '{% macro m(src) %}<img src="{{ src }}" alt="">{% endmacro %}{{ m("cid:logo.png") }}',
        '{% if lead.email %}<img src="logo.png" alt="">{% endif %}',
    ],
)
def test_a_picture_of_the_folder_travels_inside_the_mail(html: str) -> None:
    compiled = compile_template("t", folder(html))
    rendered = render(compiled, letter())
    (picture,) = rendered.images
    assert rendered.html is not None and f"cid:{picture.cid}" in rendered.html
    assert (picture.name, picture.type, bytes_of(picture)) == ("logo.png", "image/png", PNG)
    page = rendered.page()
    assert page is not None and "cid:" not in page and "data:image/png;base64,iVBOR" in page


def test_a_picture_that_nobody_sees_does_not_travel() -> None:
    html = '{% if lead.company %}<img src="logo.png" alt="">{% endif %}<p>prose: cid:logo.png</p>'
    compiled = compile_template("t", folder(html))
    assert len(compiled.images) == 1
    assert render(compiled, letter()).images == ()
    assert len(render(compiled, letter(company="ACME")).images) == 1
    assert compile_template("t", folder("<p>logo.png</p>")).images == ()


def test_a_picture_beside_the_folders_is_for_all_templates() -> None:
    partials = {"_logo.png": PNG, "_head.html": b'<img src="_logo.png" alt="">'}
    compiled = compile_template("t", folder('{% include "_head.html" %}'), partials=partials)
    assert [each.name for each in render(compiled, letter()).images] == ["logo.png"]


@pytest.mark.parametrize(
    ("html", "words"),
    [
        (
            '<p>x</p>\n<img src="cid:lgo.png" alt="">',
            'body.html:2: .*"lgo.png".*did you mean "logo.png"',
        ),
        ('<img src="cid:{{ lead.country }}.png" alt="">', "cannot be made by Jinja"),
    ],
)
def test_a_picture_that_is_not_there_is_an_error(html: str, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        compile_template("t", folder(html))
    assert [each.id for each in check(folder(html))] == ["missing-image"]


def test_a_partial_nobody_includes_needs_no_pictures() -> None:
    partials = {"_other.html": b'<img src="cid:gone.png" alt="">'}
    assert compile_template("t", folder(), partials=partials).images == ()


def test_an_attachment_has_a_name_for_each_lead() -> None:
    toml = (
        '[[attachment]]\nfile = "prices.pdf"\nname = "Offer for {{ lead.company }}.pdf"\n'
        '[[attachment]]\nfile = "terms.txt"\ntype = "text/plain; charset=utf-8"\n'
    )
    compiled = compile_template("t", folder(toml=toml, **{"terms.txt": b"1. We agree.\n"}))
    rendered = render(compiled, letter(company="Żółć / Synowie \u202e\r\nBcc: x"))
    assert [(each.name, each.type) for each in rendered.attachments] == [
        ("Offer for Żółć Synowie Bcc x.pdf", "application/pdf"),
        ("terms.txt", "text/plain; charset=utf-8"),
    ]
    assert [bytes_of(each) for each in rendered.attachments] == [PDF, b"1. We agree.\n"]
    stored = Compiled.from_body("t", json.loads(json.dumps(compiled.body())))
    assert stored == compiled
    read = json.loads(json.dumps(rendered.read))
    again = render_again(stored, read, language=rendered.language)
    assert (again.attachments, again.images) == (rendered.attachments, rendered.images)


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('[[attachment]]\nfile = "price.pdf"', 'message.toml:3: .*did you mean "prices.pdf"'),
        ('[[attachment]]\nfil = "prices.pdf"', 'unknown key "fil"; did you mean "file"'),
        ('[[attachment]]\nname = "x.pdf"', "there is no file"),
        ('[[attachment]]\nfile = "prices.pdf"\ntype = "pdf"', "no type of a file"),
        ('[[attachment]]\nfile = "prices.pdf"\ntype = "a/b\\r\\nBcc: x"', "no type of a file"),
        ('[[attachment]]\nfile = "prices.pdf"\nname = "{{ lead.email"', "message.toml:3"),
        ('[attachment]\nfile = "prices.pdf"', r"\[\[attachment\]\]"),
    ],
)
def test_a_mistake_in_an_attachment_says_line_and_remedy(toml: str, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        compile_template("t", folder(toml=toml))


def test_files_have_a_largest_size_each_and_together() -> None:
    toml = '[[attachment]]\nfile = "big.zip"\n'
    with pytest.raises(SourceError, match=r"big\.zip: has 1\.2 MB; .* may have 1 MB"):
        compile_template("t", folder(toml=toml, **{"big.zip": bytes(1_200_000)}))
    six: Any = {f"{number}.zip": bytes(900_000) for number in range(6)}
    toml = "".join(f'[[attachment]]\nfile = "{name}"\n' for name in six)
    with pytest.raises(SourceError, match=r"5\.4 MB; all files inside a mail together .* 5 MB"):
        compile_template("t", folder(toml=toml, **six))
    assert compile_template("t", folder(**six)).attachments == ()


def test_check_knows_which_files_take_part() -> None:
    toml = '[[attachment]]\nfile = "prices.pdf"\n'
    html = '<img src="logo.png" alt="Potok">' + "<p>Words and more words for you.</p>" * 20
    found = check(folder(html, toml, **{"notes.psd": b"x"}))
    assert [(each.id, each.where) for each in found] == [("ignored-file", "notes.psd")]
    assert check(compile_template("t", folder(html, toml))) == []


def test_a_template_without_files_is_kept_as_before() -> None:
    body = compile_template("t", files("<p>x</p>")).body()
    assert not {"images", "attachments"} & body.keys()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a.pdf", "a.pdf"),
        ("../../etc/passwd", "etc passwd"),
        ("x\0\r\ny.pdf", "x y.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("🎉 party.ics", "🎉 party.ics"),
        (" . ", ""),
        ("a" * 10_000 + ".pdf", "a" * 180 + ".pdf"),
        ("ż" * 10_000 + ".pdf", "ż" * 98 + ".pdf"),
    ],
)
def test_a_file_name_is_one_everywhere(text: str, name: str) -> None:
    assert file_name(text) == name
