"""Contrast, the share of pictures, and what mail clients do not know."""

import pytest

from templates import Finding, check
from templates.check_css import features
from templates.colours import BLACK, WHITE, colour_of, contrast, readable, shown
from tests.templates.letters import files

FOOT = '<p>{{ sender.postal_address }} <a href="{{ links.unsubscribe }}">out</a></p>'
TOML = 'subject = "Hello"\npreheader = "x"\n'


def found(html: str) -> list[Finding]:
    return check(files(html + FOOT, toml=TOML))


def ids(html: str) -> list[str]:
    return [each.id for each in found(html)]


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        # Known pairs of WCAG 2.1 checkers.
        ("#000", "#fff", 21.0),
        ("#777777", "white", 4.48),
        ("#767676", "white", 4.54),
        ("red", "white", 4.0),
        ("blue", "white", 8.59),
        ("#777777", "black", 4.69),
    ],
)
def test_the_ratio_is_the_one_of_wcag(one: str, other: str, ratio: float) -> None:
    colours = colour_of(one), colour_of(other)
    assert colours[0] is not None and colours[1] is not None
    assert contrast(colours[0], colours[1]) == pytest.approx(ratio, abs=0.01)
    assert contrast(colours[1], colours[0]) == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("rgb(255, 0, 16)", "#ff0010"),
        ("rgb(100% 0% 50%)", "#ff0080"),
        ("hsl(120, 100%, 25%)", "#008000"),
        ("RebeccaPurple", "#663399"),
        ("#AbC", "#aabbcc"),
        ("ffcc00", "#ffcc00"),
    ],
)
def test_colours_are_read_as_css_writes_them(text: str, code: str) -> None:
    colour = colour_of(text)
    assert colour is not None and shown(colour) == code


@pytest.mark.parametrize(
    "text", ["var(--x)", "oklch(1 2 3)", "rgb(1,2)", "rgb(a,b,c)", "", "url(x)"]
)
def test_what_cannot_be_computed_is_unknown(text: str) -> None:
    assert colour_of(text) is None


def test_the_colour_proposed_is_readable() -> None:
    for code in ("#aaaaaa", "#ff8800", "#00ff00"):
        colour = colour_of(code)
        assert colour is not None
        for back in (WHITE, BLACK):
            assert contrast(readable(colour, back, 4.5), back) >= 4.5


@pytest.mark.parametrize(
    "html",
    [
        "<p style='color: #aaa'>words</p>",
        "<style>.pale { color: #aaa }</style><p class='pale'>words</p>",
        "<table bgcolor='#333333'><tr><td>black on grey</td></tr></table>",
        "<div style='background: #222'><p><b>black</b></p></div>",
        "<font color='silver'>words</font>",
        "<div style='color: #999'>{{ lead.first_name }}</div>",
        "<p style='color: rgba(0, 0, 0, 0.3)'>words</p>",
        "<div style='background: url(https://x.example/a.png)'><p style='background: #fff; "
        "color: #eee'>on its own again</p></div>",
        "<p style='color: #949494'>words</p>",
        "<a href='https://x.example' style='color: #949494'>words</a>",
        "{% if lead.company %}<p style='color: #ccc'>words</p>{% endif %}",
    ],
)
def test_pale_text_is_found(html: str) -> None:
    match = [each for each in found(html) if each.id == "low-contrast"]
    assert [(each.level, each.where) for each in match] == [("warning", "body.html:1")]
    assert "#" in match[0].do


@pytest.mark.parametrize(
    "html",
    [
        "<h1 style='color: #949494'>large</h1>",
        "<p style='color: #949494; font-size: 18pt'>large</p>",
        "<p style='color: #949494; font-size: 14pt; font-weight: 700'>large and bold</p>",
        # Nobody can know what is behind the text.
        "<div style='background: url(https://x.example/a.png)'><p style='color: #aaa'>x</p></div>",
        "<table background='https://x.example/a.png'><tr><td style='color:#aaa'>x</table>",
        "<p style='{% if lead.company %}color: #aaa{% endif %}'>x</p>",
        "<p style='color: var(--pale)'>x</p>",
        "<div style='opacity: 0.9; color: #777'>x</div>",
        # Not seen, or no words.
        "<p style='display: none; color: #fff'>x</p>",
        "<div style='font-size: 0; color: #fff'>x</div>",
        "<span style='color: #ccc'>&#9679;</span>",
        "<div style='background: #000'><p style='color: #fff'>white on black</p></div>",
        "<p style='color: #000 !important; color: #fff'>x</p>",
    ],
)
def test_what_can_be_read_or_cannot_be_known_is_left_alone(html: str) -> None:
    assert "low-contrast" not in ids(html)


def test_the_same_colours_are_one_finding() -> None:
    html = "<p style='color: #aaa'>one</p>\n<p style='color: #aaa'>two</p>"
    match = [each for each in found(html) if each.id == "low-contrast"]
    assert len(match) == 1 and "1 more place" in match[0].what


def test_a_block_across_elements_leaves_no_tree_to_judge_by() -> None:
    html = (
        "<style>p { margin: 0 }</style><table{% if lead.company %} bgcolor='#000'{% endif %}><tr>"
        "<td>{% if lead.company %}<p style='color: #fff'>{% else %}<p>{% endif %}x</p></td></tr>"
        "</table>"
    )
    assert "low-contrast" not in ids(html)


@pytest.mark.parametrize(
    ("html", "mostly"),
    [
        ("<img alt='' width='600' height='800' src='https://x.example/a.png'>" + "x" * 200, True),
        ("<img alt='' width='600' height='300' src='https://x.example/a.png'>" + "x " * 500, False),
        ("<img alt='' width='120' height='40' src='https://x.example/a.png'>" + "x" * 60, False),
        ("<img alt='' src='https://x.example/a.png'>", True),
        ("<img alt='' src='https://x.example/a.png'>" + "word " * 40, False),
        ("<img alt='' width='1' height='1' src='https://x.example/a.gif'>", False),
        ("<p>words only</p>", False),
    ],
)
def test_mails_that_are_mostly_pictures_are_found(html: str, mostly: bool) -> None:
    assert ("mostly-pictures" in ids(html)) is mostly


def test_what_the_layout_needs_names_the_clients_and_the_line() -> None:
    html = "<style>\n.row { color: #000;\n  display: flex }\n</style><div class='row'>x</div>"
    match = [each for each in found(html) if each.id == "css-unknown"]
    assert [(each.level, each.where) for each in match] == [("warning", "body.html:3")]
    assert "Outlook for Windows" in match[0].what and "table" in match[0].do


@pytest.mark.parametrize(
    ("html", "name"),
    [
        ("<p style='width: calc(100% - 2px)'>x</p>", "calc()"),
        ("<p style='font-size: 1.2rem'>x</p>", "rem"),
        ("<p style='color: rgba(0, 0, 0, 0.9)'>x</p>", "rgba()"),
        ("<p style='position: absolute'>x</p>", "position"),
        ("<svg></svg>", "<svg>"),
        ("<p style='--x: 1; width: var(--x)'>x</p>", "CSS variables"),
    ],
)
def test_features_are_found_by_value_and_by_element(html: str, name: str) -> None:
    match = [each for each in found(html) if each.id == "css-unknown"]
    assert len(match) == 1 and name in match[0].what


def test_decoration_is_one_notice_for_the_same_clients() -> None:
    html = "<p style='border-radius: 4px'>x</p><p style='box-sizing: border-box; opacity: 1'>x</p>"
    match = [each for each in found(html) if each.id == "css-plainer"]
    assert match and all(each.level == "notice" for each in match)
    assert "border-radius" in match[0].what and "opacity" in match[0].what


@pytest.mark.parametrize(
    "html",
    [
        "<style>@media (max-width: 600px) { .a { display: flex } }</style><p class='a'>x</p>",
        "<style data-premailer='ignore'>.a { display: grid }</style><p class='a'>x</p>",
        "<style>/* display: flex */ p { margin: 0 }</style><p>x</p>",
        "<p style='margin: 0; padding: 4px 0; position: relative'>1.2rem and calc(1)</p>",
        "<!--[if mso]><p style='display: flex'>x</p><![endif]--><p>x</p>",
        "<p style='background: #fff url(https://x.example/theorem/vw/a.png)'>x</p>",
    ],
)
def test_extras_and_words_are_no_feature(html: str) -> None:
    assert "css-unknown" not in ids(html)


def test_the_table_names_its_source_and_every_client_in_words() -> None:
    css, elements = features()
    assert len(css) > 50 and len(elements) > 5
    known = {"Outlook for Windows", "Outlook.com", "Gmail", "Gmail's apps", "Apple Mail"}
    known |= {"Yahoo Mail", "WP"}
    for feature in [*css, *elements.values()]:
        assert feature.unknown_to and set(feature.unknown_to) <= known, feature.name
        assert feature.page.startswith(("css-", "html-"))
