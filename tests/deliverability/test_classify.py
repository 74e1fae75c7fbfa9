"""What refusals mean: real answers, and the promise that our own faults cost no address."""

# ruff: noqa: E501 - answers stand here as servers write them

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverability import Cause, Phase, ProviderError, Verdict, answer_row, answers_of, classify
from deliverability.answer_table import shipped_answers
from deliverability.relay_id import PATTERNS, relay_id

RCPT, MAIL, BODY, CONNECT = Phase.RCPT, Phase.MAIL, Phase.BODY, Phase.CONNECT

#: Phase, code, text, cause. Texts as servers write them.
ANSWERS: list[tuple[Phase, int, str, Cause]] = [
    # the address
    (RCPT, 550, "5.1.1 <jan@example.org>: Recipient address rejected: User unknown in virtual mailbox table", Cause.ADDRESS),
    (RCPT, 550, "5.1.1 The email account that you tried to reach does not exist. Please try double-checking", Cause.ADDRESS),
    (RCPT, 550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", Cause.ADDRESS),
    (RCPT, 550, "5.4.1 Recipient address rejected: Access denied. [VI1EUR05FT012.eop-eur05.prod.protection.outlook.com]", Cause.ADDRESS),
    (BODY, 554, "delivery error: dd This user doesn't have a yahoo.com account (jan@yahoo.com) [0]", Cause.ADDRESS),
    (RCPT, 550, "No such user here", Cause.ADDRESS),
    (RCPT, 550, "Requested action not taken: mailbox unavailable. unknown user jan", Cause.ADDRESS),
    (RCPT, 550, "5.1.2 <jan@exmaple.org>: Recipient address rejected: Domain not found", Cause.ADDRESS),
    (RCPT, 556, "5.1.10 null MX", Cause.ADDRESS),
    # the mailbox
    (RCPT, 452, "4.2.2 The email account that you tried to reach is over quota", Cause.MAILBOX),
    (RCPT, 552, "5.2.2 Mailbox full", Cause.MAILBOX),
    (RCPT, 550, "5.2.1 The email account that you tried to reach is disabled", Cause.MAILBOX),
    (BODY, 552, "Requested mail action aborted: exceeded storage allocation, mailbox full", Cause.MAILBOX),
    (RCPT, 550, "The recipient's account is suspended", Cause.MAILBOX),
    (RCPT, 550, "User jan is blocked", Cause.MAILBOX),
    # speed
    (RCPT, 421, "4.7.28 Gmail has detected an unusual rate of email originating from your IP address", Cause.RATE),
    (CONNECT, 421, "4.7.0 [TSS04] Messages from 1.2.3.4 temporarily deferred due to unexpected volume", Cause.RATE),
    (MAIL, 451, "4.7.500 Server busy. Please try again later from [1.2.3.4].", Cause.RATE),
    (RCPT, 450, "4.7.1 Error: too much mail from 1.2.3.4", Cause.RATE),
    (RCPT, 452, "4.5.3 Error: too many recipients", Cause.RATE),
    (MAIL, 550, "5.4.5 Daily user sending limit exceeded.", Cause.RATE),
    (RCPT, 554, "5.7.1 Message limit reached: daily message quota exceeded", Cause.RATE),
    # grey listing is no rate answer
    (RCPT, 450, "4.2.0 <jan@example.org>: Recipient address rejected: Greylisted, see http://postgrey.example", Cause.GREYLIST),
    (RCPT, 451, "4.7.1 Greylisting in action, please come back later", Cause.GREYLIST),
    # our reputation
    (CONNECT, 554, "5.7.1 Service unavailable; Client host [1.2.3.4] blocked using zen.spamhaus.org", Cause.BLOCKED),
    (RCPT, 550, "5.7.1 Unfortunately, messages from [1.2.3.4] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140).", Cause.BLOCKED),
    (MAIL, 550, "5.7.606 Access denied, banned sending IP [1.2.3.4]", Cause.BLOCKED),
    (BODY, 550, "5.7.25 The IP address sending this message does not have a PTR record", Cause.BLOCKED),
    (RCPT, 550, "5.7.1 <jan@example.org>: user unknown? no: sender host is blocked, low reputation", Cause.BLOCKED),
    (CONNECT, 554, "Your IP address 1.2.3.4 has been blocked", Cause.BLOCKED),
    # our records and our login
    (BODY, 550, "5.7.26 This mail has been blocked because the sender is unauthenticated.", Cause.AUTHENTICATION),
    (BODY, 550, "5.7.515 Access denied, sending domain example.com does not meet the required authentication level.", Cause.AUTHENTICATION),
    (BODY, 421, "4.7.32 This email has been rate limited because the From header isn't aligned", Cause.AUTHENTICATION),
    (MAIL, 530, "5.7.0 Authentication Required", Cause.AUTHENTICATION),
    (RCPT, 550, "5.7.1 SPF check failed for recipient", Cause.AUTHENTICATION),
    (MAIL, 530, "5.7.0 Must issue a STARTTLS command first", Cause.AUTHENTICATION),
    (BODY, 550, "5.7.29 TLS required", Cause.TLS),
    # our sender, our right to relay
    (RCPT, 554, "5.7.1 <jan@example.org>: Relay access denied", Cause.SENDER),
    (MAIL, 553, "5.7.1 <anna@example.com>: Sender address rejected: not owned by user anna", Cause.SENDER),
    (MAIL, 550, "5.1.8 <anna@example.com>: Sender address rejected: Domain not found", Cause.SENDER),
    (RCPT, 550, "Sender verify failed: user unknown", Cause.SENDER),
    (BODY, 554, "5.2.252 SendAsDenied; anna@example.com not allowed to send as eve@example.com", Cause.SENDER),
    (BODY, 554, "Message rejected: Email address is not verified.", Cause.SENDER),
    (MAIL, 550, "no", Cause.SENDER),
    (RCPT, 550, "5.7.1 Your account has been suspended", Cause.SENDER),
    # the message
    (BODY, 554, "5.7.1 Spam message rejected", Cause.CONTENT),
    (BODY, 552, "5.3.4 Message size exceeds fixed limit", Cause.CONTENT),
    (BODY, 550, "5.7.1 This message has been blocked as likely unsolicited mail", Cause.CONTENT),
    (BODY, 550, "5.6.0 Lone CR or LF in headers", Cause.CONTENT),
    # the rest
    (RCPT, 550, "5.7.1 Delivery not authorized, message refused by policy", Cause.POLICY),
    (RCPT, 550, "", Cause.OTHER),
    (RCPT, 450, "4.1.1 <jan@example.org>: unverified address", Cause.OTHER),
    (BODY, 451, "4.3.0 Temporary system problem", Cause.OTHER),
    (RCPT, 450, "4.4.3 Host or domain name not found", Cause.NETWORK),
]  # fmt: skip


@pytest.mark.parametrize(("phase", "code", "text", "cause"), ANSWERS)
def test_real_answers(phase: Phase, code: int, text: str, cause: Cause) -> None:
    outcome = classify(phase, code, text)
    assert outcome.cause is cause
    assert outcome.verdict is (Verdict.DEFERRED if code < 500 else Verdict.REJECTED)
    assert outcome.phase is phase


def test_every_row_of_the_table_names_its_source_and_is_used_here() -> None:
    assert all(row.source for row in shipped_answers())
    used = set()
    for phase, code, text, _ in ANSWERS:
        outcome = classify(phase, code, text)
        for row in shipped_answers():
            if row.matches(phase, code, outcome.enhanced or "", text):
                used.add(row)
                break
    assert {row.cause for row in shipped_answers()} <= {row.cause for row in used} | {Cause.NETWORK}


@given(
    phase=st.sampled_from([CONNECT, MAIL]),
    code=st.integers(400, 599),
    text=st.sampled_from([text for _, _, text, _ in ANSWERS]) | st.text(max_size=60),
)
def test_before_the_recipient_is_named_no_answer_is_about_it(
    phase: Phase, code: int, text: str
) -> None:
    assert classify(phase, code, text).cause is not Cause.ADDRESS


@given(
    phase=st.sampled_from([CONNECT, MAIL, RCPT, Phase.DATA, BODY]),
    code=st.integers(400, 499),
    text=st.sampled_from([text for _, _, text, _ in ANSWERS]) | st.text(max_size=60),
)
def test_a_temporary_refusal_never_suppresses(phase: Phase, code: int, text: str) -> None:
    outcome = classify(phase, code, text)
    assert outcome.verdict in (Verdict.DEFERRED, Verdict.UNSENT)
    assert outcome.cause is not Cause.ADDRESS


@given(phase=st.sampled_from(list(Phase)), code=st.integers(200, 599), text=st.text(max_size=2000))
def test_any_text_gives_an_outcome_on_one_line(phase: Phase, code: int, text: str) -> None:
    outcome = classify(phase, code, text)
    assert outcome.code == code
    assert len(outcome.reply) <= 1000
    assert all(char.isprintable() for char in outcome.reply)


def test_a_row_of_the_workspace_decides_before_the_shipped_ones_and_for_its_provider_only() -> None:
    own = [answer_row(cause="rate", words="come back tomorrow", provider="wp", suspend_minutes=90)]
    text = "5.7.1 policy: come back tomorrow"
    outcome = classify(RCPT, 550, text, answers_of("wp", own))
    assert outcome.cause is Cause.RATE
    assert outcome.suspend == timedelta(minutes=90)
    elsewhere = classify(RCPT, 550, text, answers_of("onet", own))
    assert (elsewhere.cause, elsewhere.suspend) == (Cause.POLICY, None)


def test_what_the_shipped_table_takes_for_one_thing_a_workspace_may_take_for_another() -> None:
    own = [answer_row(cause="greylist", codes="451", enhanced="4\\.7\\.500")]
    text = "4.7.500 Server busy. Please try again later from [1.2.3.4]."
    assert classify(MAIL, 451, text, answers_of("microsoft", own)).cause is Cause.GREYLIST


@given(phase=st.sampled_from([CONNECT, MAIL, RCPT, Phase.DATA, BODY]), code=st.integers(400, 599))
def test_no_row_of_a_workspace_suppresses_addresses_nobody_spoke_of(
    phase: Phase, code: int
) -> None:
    own = answers_of("wp", [answer_row(cause="address", codes="...")])
    clear = code >= 500 and phase in (RCPT, Phase.DATA, BODY)
    assert (classify(phase, code, "no", own).cause is Cause.ADDRESS) == clear


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"words": "("}, "words is no regular expression"), ({}, "write one of them")],
)
def test_a_row_that_makes_no_sense_is_refused(wrong: dict[str, str], says: str) -> None:
    with pytest.raises(ProviderError, match=says):
        answer_row(cause="rate", **wrong)


def test_yahoo_s_words_for_two_hours_keep_the_lane_still_for_two_hours() -> None:
    outcome = classify(MAIL, 421, "4.7.0 [TSS04] Messages temporarily deferred")
    assert (outcome.cause, outcome.suspend) == (Cause.RATE, timedelta(hours=2))


@pytest.mark.parametrize(
    ("code", "text", "enhanced"),
    [
        (550, "5.1.1 no", "5.1.1"),
        (550, "4.1.1 is of another class, 5.7.26 counts", "5.7.26"),
        (550, "address 10.5.1.1 is no code", None),
        (250, "2.0.0 ok", "2.0.0"),
        (451, "no code", None),
        (550, "[5.1.10] in brackets", "5.1.10"),
    ],
)
def test_the_enhanced_code_is_of_the_same_class(code: int, text: str, enhanced: str | None) -> None:
    assert classify(RCPT, code, text).enhanced == enhanced


@pytest.mark.parametrize(("who", "pattern", "example"), PATTERNS)
def test_each_relay_id_pattern_reads_its_example(who: str, pattern: object, example: str) -> None:
    found = relay_id(example)
    assert found and found in example


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2.0.0 Ok: queued as 4F1kZq2XyZz1", "4F1kZq2XyZz1"),
        ("OK id=1rXyZa-0001Ab-2C", "1rXyZa-0001Ab-2C"),
        ("2.0.0 OK  1700000000 a1-20020a05600c0a4100b0040a4c1d2e3fsm1.2 - gsmtp", "a1-20020a05600c0a4100b0040a4c1d2e3fsm1.2"),
        ("Ok 0102018c0d6e7f80-1a2b3c4d-5e6f-7081-92a3-b4c5d6e7f809-000000", "0102018c0d6e7f80-1a2b3c4d-5e6f-7081-92a3-b4c5d6e7f809-000000"),
        ("2.6.0 <x@y.prod.outlook.com> [InternalId=12, Hostname=Y.prod] Queued mail for delivery", "x@y.prod.outlook.com"),
        ("Ok", None),
        ("2.0.0 message accepted", None),
    ],
)  # fmt: skip
def test_relay_ids(text: str, found: str | None) -> None:
    assert relay_id(text) == found
