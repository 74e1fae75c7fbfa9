import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns import DefinitionError, read_sequence, sequence_of
from campaigns.sequence_definition import length
from tests.campaigns.stroll import FILE, PIPELINES

HELLO = {"name": "hello", "send": "first"}

#: what is wrong -> (the file's changes, words of the one-line answer)
WRONG: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
    "key": ({"triger": {}}, ("'triger'", "'trigger'")),
    "trigger": ({"trigger": {}}, ("[trigger]", 'stage = "demo"')),
    "trigger key": ({"trigger": {"stge": "demo"}}, ("'stge'", "'stage'")),
    "stage": ({"trigger": {"stage": "dmo"}}, ("dmo", "demo")),
    "exit stage": ({"exit": {"stages": ["wn"]}}, ("wn", "won")),
    "exit is no list": ({"exit": {"stages": "won"}}, ('["won", "lost"]',)),
    "exit where it starts": ({"exit": {"stages": ["demo"]}}, ("end at once",)),
    "identity": ({"identity": ""}, ("identity",)),
    "no steps": ({"step": []}, ("[[step]]",)),
    "nothing sent": ({"step": [{"name": "a", "wait": "1 day"}]}, ("send",)),
    "step key": ({"step": [{"name": "a", "snd": "x"}]}, ("step 1", "'snd'", "'send'")),
    "step name": ({"step": [{"name": "A b", "send": "x"}]}, ("step 1", "small letters")),
    "twice": ({"step": [HELLO, HELLO]}, ("step 2", "'hello' already")),
    "both": ({"step": [HELLO | {"wait": "1 day"}]}, ("either",)),
    "neither": ({"step": [{"name": "hello"}]}, ("either",)),
    "wait": ({"step": [HELLO, {"name": "b", "wait": "soon"}]}, ("step 2", "soon", "3 days")),
    "expiry": ({"expires_after": "0 days"}, ("expires_after",)),
    "consent": ({"consent": "triple"}, ('"single"', '"double"')),
    "doubt": ({"when_in_doubt": "guess"}, ("hold", "resend")),
    "window": ({"window": {"form": "09:00"}}, ("'form'", "'from'")),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_answered_in_one_line_with_what_to_write(name: str) -> None:
    changes, words = WRONG[name]
    with pytest.raises(DefinitionError) as raised:
        read_sequence("after-demo", {**FILE, **changes}, PIPELINES)
    said = str(raised.value)
    assert said.startswith("sequences/after-demo.toml: ")
    assert "\n" not in said
    for word in words:
        assert word in said


def test_the_closed_form_says_the_same() -> None:
    made = read_sequence("x", {**FILE, "window": {"days": "mon-fri"}}, PIPELINES)
    assert made.trigger == ("sales", "demo")
    assert made.templates == ("first", "second")
    assert sequence_of("x", made.body()) == made


@given(st.integers(1, 999_999), st.sampled_from(["second", "minute", "hour", "day", "week"]))
def test_a_length_is_read_with_and_without_the_plural(count: int, unit: str) -> None:
    assert length(f"{count} {unit}", "x", "wait") == length(f" {count}{unit}s ", "x", "wait")
