from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import col

from campaigns import Message, cancel, show
from campaigns.rfc_message_id import MessageName, find_names, is_named
from console.database import Database
from tests.campaigns.world import rows, small_world, start
from tests.conftest import NOW

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


def test_a_message_is_found_through_its_run_and_its_lead(database: Database) -> None:
    small_world(database, 4)
    database.write(lambda s: cancel(s, "hello", reason=""))
    other = start(database, token="fedcba987654", again=True, now=NOW + timedelta(hours=1))
    wanted = rows(database, other.run_id)[2]
    (name,) = find_names(f"<{wanted.rfc_message_id.upper()}>")

    def ids(*names: MessageName) -> list[int | None]:
        with database.reading() as session:
            return list(session.scalars(select(col(Message.id)).where(is_named(names))))

    assert ids(name) == [wanted.id]
    # Each part counts: a run and a lead that exist are not enough.
    assert ids(replace(name, run_token="0" * 12)) == []
    assert ids(replace(name, lead_token="0" * 16)) == []
    assert ids(replace(name, step="hello")) == []
    assert ids(replace(name, domain="else.example")) == []
    assert ids() == []
    with database.reading() as session:
        shown = show(session, f"<{wanted.rfc_message_id}>", identities={})
        assert shown is not None and shown.id == wanted.id
        by_number = show(session, str(wanted.id), identities={})
        assert by_number is not None and by_number.rfc_message_id == wanted.rfc_message_id
        assert show(session, "nonsense", identities={}) is None
