"""A rule that is far too long or too deep: refused at once, as the language would refuse it."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console import rule_words
from segments import RuleError, parse, reading

ASKED = """
import sys
from console.cli import main
try:
    main(sys.argv[1:])
finally:
    print(sorted({"sqlalchemy", "lark", "rich"} & set(sys.modules)))
"""


@pytest.mark.parametrize(
    ("command", "text", "told"),
    [
        (("segments", "count"), "(" * 500 + "stage = new" + ")" * 500, "50 levels"),
        (("segments", "why", "--lead"), "(" * 51, "50 levels"),
        (("segments", "check"), "everyone or " * 900 + "everyone", "10808 characters, 8000"),
        (("segments", "overlap", "everyone"), "(not " * 60 + "everyone" + ")" * 60, "50 levels"),
        (("segments", "create", "deep"), "(" * 51 + "everyone" + ")" * 51, "character 51"),
        (("templates", "coverage", "welcome", "--segment"), "(" * 51, "50 levels"),
    ],
)
def test_too_much_is_refused_before_anything_heavy_is_imported(
    command: tuple[str, ...], text: str, told: str
) -> None:
    words = [*command[:2], text, "a@b.example"] if command[1] == "why" else [*command, text]
    done = subprocess.run(
        [sys.executable, "-c", ASKED, *words], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert told in done.stderr and done.stderr.startswith("Error: ")
    assert done.stdout == "[]\n"


def test_the_early_look_has_the_limits_of_the_language() -> None:
    assert rule_words.MAX_LENGTH == reading.MAX_LENGTH
    assert rule_words.MAX_DEPTH == reading.MAX_DEPTH


@given(
    st.lists(
        st.sampled_from(["(", ")", "everyone", " ", "and", '"(', "'", "#(", "\n", '\\"', "(" * 49]),
        max_size=40,
    ).map("".join)
)
@settings(deadline=None)
def test_it_refuses_nothing_the_language_takes(text: str) -> None:
    if rule_words.overgrown(text):
        with pytest.raises(RuleError):
            parse(text)
