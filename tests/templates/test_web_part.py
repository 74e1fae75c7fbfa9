"""Links that only a web part fills: told apart by whether the template asks first."""

import pytest

from templates import (
    Compiled,
    Links,
    RenderError,
    compile_template,
    render,
    starters,
    web_findings,
)
from tests.templates.letters import letter

#: As they are without a web part.
LINKS = Links(unsubscribe="mailto:anna@example.com", mailto_unsubscribe="mailto:anna@example.com")
MESSAGE = b'subject = "Hello"\n'


def template(text: str) -> Compiled:
    return compile_template("x", {"message.toml": MESSAGE, "body.txt": text.encode()})


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{{ links.preferences }}", ["links.preferences"]),
        ("a\n\n{{ links.view }} {{ links['preferences'] }}", ["links.view", "links.preferences"]),
        ("{% if lead.company %}{{ links.preferences }}{% endif %}", ["links.preferences"]),
        ("{% if links.view %}{{ links.preferences }}{% endif %}", []),
        ("{% if links.preferences %}{{ links.preferences }}{% endif %}", []),
        ("{{ links.preferences or links.unsubscribe }}", []),
        ("{{ links.preferences|default('') }}", []),
        ("{{ links.preferences if links.preferences else '' }}", []),
        ("{{ links.unsubscribe }}", []),
    ],
)
def test_what_is_said_is_what_happens(text: str, named: list[str]) -> None:
    compiled = template(text)
    found = web_findings(compiled)
    assert [each.what.partition(" ")[0] for each in found] == named
    assert {each.id for each in found} <= {"no-web-address"}
    without = letter(links=LINKS, company="Kos")
    if named:
        with pytest.raises(RenderError, match=r"is empty: potok.toml has no \[web\] base_url"):
            render(compiled, without)
    else:
        assert render(compiled, without).text is not None


def test_it_names_the_line() -> None:
    (found,) = web_findings(template("Hello\n\nSee {{ links.preferences }}"))
    assert (found.level, found.where) == ("error", "body.txt:3")
    assert "set base_url" in found.do


def test_the_shipped_templates_ask_first_and_show_it() -> None:
    for name, files in starters().items():
        compiled = compile_template(name, files)
        assert web_findings(compiled) == []
        assert "preferences" in compiled.asks
        without = render(compiled, letter(links=LINKS, company="Kos"))
        assert "/p/" not in f"{without.html}{without.text}"
        shown = render(compiled, letter(company="Kos"))
        for part in (shown.html, shown.text):
            assert part is None or "https://mail.studio.example/p/abc" in part
