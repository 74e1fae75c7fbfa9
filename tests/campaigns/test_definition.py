from datetime import timedelta

import pytest

from campaigns.definition import of_body, permission_for, read_definition
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
        ("welcome", WELCOME | {"consent": "triple"}, 'consent is "single"'),
        ("welcome", WELCOME | {"consent": True}, 'consent is "single"'),
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


def test_what_it_asks_of_a_consent_is_kept_and_only_ever_adds_to_the_workspace() -> None:
    plain = read_definition("welcome", WELCOME)
    assert "consent" not in plain.body(), "versions of before stay what they are"
    read = read_definition("welcome", WELCOME | {"consent": "double"})
    assert of_body("welcome", read.body()) == read
    for consent, required, double, expected in (
        ("", False, False, (False, False)),
        ("", True, True, (True, True)),
        ("single", False, False, (True, False)),
        ("single", True, True, (True, True)),
        ("double", False, False, (True, True)),
    ):
        needs = permission_for("news", consent, required=required, double=double)
        assert (needs.consent_required, needs.double) == expected
