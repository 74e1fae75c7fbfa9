from datetime import timedelta

import pytest

from campaigns.definition import of_body, read_definition
from campaigns.errors import DefinitionError

WELCOME = {"segment": "hot", "template": "welcome", "identity": "anna"}


def test_a_definition_survives_its_frozen_form() -> None:
    read = read_definition(
        "welcome",
        WELCOME | {"window": {"days": "mon-fri", "from": "09:00"}, "expires_after": "36 hours"},
    )
    assert read.expires_after == timedelta(hours=36)
    assert of_body("welcome", read.body()) == read


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("welcome", WELCOME | {"segmnt": "x"}, "did you mean 'segment'"),
        ("welcome", {"segment": "hot", "template": "t"}, "identity is missing"),
        ("welcome", WELCOME | {"expires_after": "soon"}, 'write "5 days"'),
        ("welcome", WELCOME | {"when_in_doubt": "retry"}, '"hold" or "resend"'),
        ("welcome", WELCOME | {"window": "mon"}, "window is a table"),
        ("Große Aktion", WELCOME, "cannot be a name"),
    ],
)
def test_a_mistake_says_where_and_what_to_write(
    name: str, data: dict[str, object], words: str
) -> None:
    with pytest.raises(DefinitionError, match=words) as caught:
        read_definition(name, data)
    assert str(caught.value).startswith("campaigns/")
    assert "\n" not in str(caught.value)
