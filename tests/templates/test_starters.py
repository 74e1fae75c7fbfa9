"""The shipped templates, rendered for a Polish lead, byte for byte.

`python -m tests.templates.test_starters` writes the expected files anew after a wanted change.
"""

from pathlib import Path

import pytest

from templates import compile_template, render, starters
from tests.templates.letters import letter

GOLDEN = Path(__file__).parents[1] / "golden" / "templates"


def rendered(name: str) -> dict[str, str]:
    message = render(
        compile_template(name, starters()[name]),
        letter(
            email="zazolc.gesla@firma.example",
            first_name="Świętosława",
            company="Żółć & Gęślą Jaźń sp. z o.o.",
            language="pl",
            preferences={"topic": ("cennik", "wdrożenie")},
            attributes={"industry": "logistyka"},
        ),
    )
    texts = {f"{name}.subject.txt": message.subject + "\n", f"{name}.txt": message.text}
    if message.html is not None:
        texts[f"{name}.html"] = message.html
    return texts


@pytest.mark.parametrize("name", list(starters()))
def test_a_starter_renders_as_it_was_looked_at(name: str) -> None:
    for file, text in rendered(name).items():
        assert text == (GOLDEN / file).read_text(encoding="utf-8"), file


def test_there_are_two_designed_ones_and_a_plain_one() -> None:
    assert {name: "body.html" in folder for name, folder in starters().items()} == {
        "followup": False,
        "powitanie": True,
        "welcome": True,
    }


if __name__ == "__main__":
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for each in starters():
        for file, text in rendered(each).items():
            (GOLDEN / file).write_text(text, encoding="utf-8")
