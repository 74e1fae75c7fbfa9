"""Rules about events, deals, tasks, earlier stages, consent: what is understood, and what not."""

import pytest

from segments import RuleError, parse, say

STAGES = {"sales": ("new", "demo", "proposal", "won", "lost")}


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("EVENT demo.requested", 'event "demo.requested"'),
        (
            "event demo.requested where plan = pro within 7 days",
            'event "demo.requested" where plan = "pro" within 7 days',
        ),
        (
            "event a.b where (plan = pro and seats >= 5) at least 2 times in 1 day and replied",
            'event "a.b" where (plan = "pro" and seats >= 5) at least 2 times within 1 day '
            "and replied",
        ),
        (
            "event a.b where ('a b' = yes and has plan and n between 1 and 2 and x not in (1, b))",
            'event "a.b" where ("a b" = yes and has plan and n between 1 and 2 '
            'and x not in (1, "b"))',
        ),
        ("event a.b where (plan = pro)", 'event "a.b" where plan = "pro"'),
        ('event a.b where "has" = 1', 'event "a.b" where "has" = 1'),
        ("has deal", "has deal"),
        ("deal where STATE = Open", "deal where state = open"),
        ("deal where currency in (pln, Eur)", "deal where currency in (PLN, EUR)"),
        (
            "deal where closes within 30 days",
            "deal where closes between today and 30 days from now",
        ),
        ("deal where closed within 1 month", "deal where closed >= 1 month ago"),
        ("deal where name ~contain lodz", 'deal where name ~ contains "lodz"'),
        ("not deal where amount > 5 or replied", "not deal where amount > 5 or replied"),
        ("has next task and next task overdue", "has next task and next task overdue"),
        ("next  task\noverdue by 3 days", "next task overdue by 3 days"),
        ("was in Demo in 90 days", "was in demo within 90 days"),
        ("moved from DEMO to Lost", "moved from demo to lost"),
        ("moved to won at least 2 times", "moved to won at least 2 times"),
        ("moved from demo within 2 weeks", "moved from demo within 2 weeks"),
        ("has consent for news", 'has consent for "news"'),
        ("withdrew consent", "withdrew consent"),
        ("Consent  Pending", "consent pending"),
        ("consent pending for news", 'consent pending for "news"'),
        ("suppressed as bounced", "suppressed as hard_bounce"),
        ("suppressed as 'opted out'", "suppressed as opted_out"),
        ("notes contain budget", 'notes contains "budget"'),
        ("has notes", "has notes"),
        ("company~lodz", 'company ~ "lodz"'),
        ("company !~ lodz", 'company !~ "lodz"'),
        ("email matches '*@gmail.*'", 'email matches "*@gmail.*"'),
        ("tag ~ matches 'vip-*'", 'tag ~ matches "vip-*"'),
        ("prefers.topic ~ pricing", 'prefers.topic ~ "pricing"'),
        ("source = moved and owner = event", 'source = "moved" and owner = "event"'),
    ],
)
def test_texts_that_mean_the_same_print_the_same(text: str, canonical: str) -> None:
    assert say(parse(text, stages=STAGES)) == canonical
    assert parse(canonical, stages=STAGES) == parse(text, stages=STAGES)


@pytest.mark.parametrize(
    ("text", "column", "message", "suggestion"),
    [
        ("event signup", 7, 'a dot in their name: "signup.done"', None),
        ("event", 6, "a name belongs here", None),
        ("event a.b where", 16, "a comparison belongs here", None),
        ("event a.b where (plan = x", 26, "'and' or a closing parenthesis", None),
        ("event a.b where plan", 21, 'after "plan" comes a comparison', None),
        ("event a.b where plan within 3 days", 21, "'within' does not go with plan", None),
        ("event a.b where plan = 2026-01-01 10:00", 24, "whole days", None),
        ("deal", 5, "deal where amount >= 5000", None),
        ("deal where amunt > 5", 12, 'a deal has no "amunt"', "amount"),
        ("deal where amount > lots", 21, "a number belongs here", None),
        ("deal where state = opne", 20, "open, won or lost", "open"),
        ("deal where currency = zloty", 23, "three letters: EUR, PLN", None),
        ("deal where closes = 3 days ago", 21, "only a whole day can be equal", None),
        ("deal where closes > 2026-01-01 10:00", 21, "whole days", None),
        ("deal where state contains o", 27, "'contains' does not go with state", None),
        ("next task", 10, "next task overdue", None),
        ("was in dmo", 8, 'there is no stage "dmo"', "demo"),
        ("moved from demo to loss", 20, 'there is no stage "loss"', "lost"),
        ("moved demo", 7, "moved from demo to lost", None),
        ("suppressed as spam", 15, 'there is no reason "spam"', None),
        ("has consent for ''", 17, "an empty text is no topic", None),
        ("company ~ 5 days", 11, "a text, not a time", None),
        ("country ~ pl", 11, "'~' does not go with country", None),
        ("score ~ 5", 9, "'~' does not go with score", None),
        ("name matches 'a*a*a*a*a*a*a*a*a*'", 14, "8 stars at most", None),
        (f"name matches '{'?' * 201}'", 14, "200 characters at most", None),
        ("notes > 5", 9, "neither more nor less", None),
    ],
)
def test_an_error_names_the_place_and_what_belongs_there(
    text: str, column: int, message: str, suggestion: str | None
) -> None:
    with pytest.raises(RuleError) as caught:
        parse(text, stages=STAGES)
    error = caught.value
    assert message in error.message
    assert (error.line, error.column) == (1, column)
    assert error.suggestion == suggestion
