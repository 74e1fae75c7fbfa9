"""Tracked links: they lead where their author said, and nobody else can make one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverability import ClickLinks, FollowedLink, click_links, read_click
from deliverability.click_links import LONGEST

OLD, NEW = b"o" * 32, b"n" * 32
WEB = "https://mail.example.com/"
LEAD = "0123456789abcdef"
TARGET = "https://shop.example/żółć?a=1&b=%20#x"


def token_of(link: str) -> str:
    return link.removeprefix("https://mail.example.com/c/")


@given(st.integers(0, 2**62), st.text(st.characters(exclude_categories=["Cs"]), max_size=400))
def test_a_link_leads_where_it_was_made_to(message: int, rest: str) -> None:
    target = f"https://{rest}"
    link = click_links([OLD, NEW], WEB, LEAD, message).to(target)
    assert re.fullmatch(r"https://mail\.example\.com/c/[A-Za-z0-9_.-]+", link)
    wanted = FollowedLink(lead_token=LEAD, message_id=message, target=target)
    assert read_click([OLD, NEW], token_of(link)) == wanted


@given(st.data())
def test_whatever_is_changed_in_a_token_opens_nothing(data: st.DataObject) -> None:
    token = token_of(click_links([NEW], WEB, LEAD, 7).to(TARGET))
    place = data.draw(st.integers(0, len(token) - 1))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    other = data.draw(st.sampled_from(letters).filter(lambda letter: letter != token[place]))
    changed = token[:place] + other + token[place + 1 :]
    assert read_click([OLD, NEW], changed) is None
    assert read_click([OLD, NEW], token[:place]) is None


@pytest.mark.parametrize(
    "token", ["", "x", ".", "...", "a.1..b", "a" * 9000, "ż.1.2.3", f"{LEAD}.9.{'A' * 22}.!!"]
)
def test_nonsense_opens_nothing(token: str) -> None:
    assert read_click([NEW], token) is None


def test_links_in_old_mails_work_after_a_key_was_added() -> None:
    token = token_of(click_links([OLD], WEB, LEAD, 7).to(TARGET))
    assert read_click([OLD, NEW], token) is not None
    assert read_click([NEW], token) is None
    assert token_of(click_links([OLD, NEW], WEB, LEAD, 7).to(TARGET)) != token


def test_what_was_kept_makes_the_same_links_whatever_the_keys_are_now() -> None:
    links = click_links([OLD], WEB, LEAD, 7)
    again = ClickLinks.from_kept(links.kept())
    assert again.to(TARGET) == links.to(TARGET)
    assert OLD.hex() not in str(links.kept())


def test_a_key_kept_with_one_message_makes_no_link_of_another() -> None:
    kept = click_links([NEW], WEB, LEAD, 7)
    forged = ClickLinks(front=f"https://mail.example.com/c/{LEAD}.8.", key=kept.key)
    assert read_click([NEW], token_of(forged.to(TARGET))) is None


def test_a_link_of_another_kind_is_never_followed() -> None:
    for target in ("javascript:alert(1)", "//evil.example", "data:text/html,x", "ftp://a.example"):
        assert read_click([NEW], token_of(click_links([NEW], WEB, LEAD, 7).to(target))) is None


def test_a_link_that_would_be_too_long_stays_as_it_is() -> None:
    links = click_links([NEW], WEB, LEAD, 7)
    lengths = [len(links.to("https://a.example/" + "x" * count)) for count in range(1380, 1480)]
    assert max(lengths) <= LONGEST
    wrapped = [link.startswith(WEB) for link in map(links.to, ["https://a.example/" + "x" * 1450])]
    assert wrapped == [False]
    assert links.to("https://a.example/" + "x" * 1380).startswith(WEB)
