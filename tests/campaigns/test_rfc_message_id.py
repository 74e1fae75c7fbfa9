from hypothesis import given
from hypothesis import strategies as st

from campaigns.rfc_message_id import MessageName, find_names

names = st.builds(
    MessageName,
    run_token=st.text("0123456789abcdef", min_size=12, max_size=12),
    step=st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True),
    pass_=st.integers(0, 999),
    lead_token=st.text("0123456789abcdef", min_size=16, max_size=16),
    domain=st.sampled_from(["example.com", "mail.przyklad.pl", "xn--d-uga.example"]),
)


@given(st.lists(names, max_size=4))
def test_what_was_written_into_references_is_found_again_in_order(
    written: list[MessageName],
) -> None:
    header = " ".join(f"<{name}>" for name in written)
    assert find_names(f"References: <other@host>\r\n {header}") == written


def test_a_stranger_is_not_ours() -> None:
    assert find_names("<CAF1234@mail.gmail.com> <1.2.3.4@example.com>") == []
