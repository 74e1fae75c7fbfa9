"""Rule text to tree: what is understood, and what is said when it is not."""

from dataclasses import dataclass

import pytest

from segments import RuleError, SegmentCycleError, parse, say, stage_names
from segments.folding import sought
from segments.terms import Field

STAGES = {"sales": ("new", "demo", "proposal", "won"), "partners": ("new", "signed")}


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("country=pl", "country = PL"),
        ("COUNTRY = PL AND Language = EN", "country = PL and language = en"),
        ("country = IN and country in (NO, or)", "country = IN and country in (NO, OR)"),
        ("name = 'Anna \\'Ania\\' Nowak'", "name = \"Anna 'Ania' Nowak\""),
        ("created within 30 days", "created >= 30 days ago"),
        ("sent any in 1 day", "sent any within 1 day"),
        ('replied to "spring"', 'replied "spring"'),
        ("opted_out", "opted out"),
        ("((everyone))", "everyone"),
        ("not (replied or bounced)", "not (replied or bounced)"),
        ("replied and (bounced or everyone)", "replied and (bounced or everyone)"),
        ("everyone # all of them\n  and replied", "everyone and replied"),
        ("attr.vip = yes and attr.code = 'yes'", 'attr.vip = yes and attr.code = "yes"'),
        ("attr.'Company size' >= 050", 'attr."Company size" >= 50'),
        ("phone contains 48123", 'phone contains "48123"'),
        ("sample 12.50% by test", 'sample 12.5% by "test"'),
        ("in segment hot-leads", "in segment hot-leads"),
        ("source = sent or source = today", 'source = "sent" or source = "today"'),
        ("email = anna@example.com", 'email = "anna@example.com"'),
        ("timezone = Europe/Warsaw", 'timezone = "Europe/Warsaw"'),
        ("created between 2026-01-01 and 2026-03-31", "created between 2026-01-01 and 2026-03-31"),
        ("created > 2026-01-01T10:00", "created > 2026-01-01 10:00"),
        ("attr.renewal < 30 DAYS FROM NOW", "attr.renewal < 30 days from now"),
    ],
)
def test_texts_that_mean_the_same_print_the_same(text: str, canonical: str) -> None:
    assert say(parse(text)) == canonical
    assert parse(canonical) == parse(text)


@pytest.mark.parametrize(
    ("text", "column", "message", "suggestion"),
    [
        ("contry = PL", 1, 'there is no field "contry"', "country"),
        ("country = PL and contry = PL", 18, 'there is no field "contry"', "country"),
        ("replyed", 1, 'there is no field "replyed"', "replied"),
        ("evryone", 1, 'there is no field "evryone"', "everyone"),
        ("atr.size = 5", 1, 'there is no field "atr.size"', "attr.size"),
        ("preferes.topic = x", 1, 'there is no field "preferes.topic"', "prefers.topic"),
        ("lead.country = PL", 1, 'there is no field "lead.country"', "country"),
        ("industry = x", 1, "a column you brought along is written attr.industry", None),
        ("country = Poland", 11, "two letters", None),
        ("language = Polish", 12, "two or three letters", None),
        ("name = Anna Nowak", 8, 'needs quotes: "Anna Nowak"', None),
        ("country == PL", 10, "'is' is written =", None),
        ("country is PL", 9, "'is' is written =", None),
        ("country = PL && replied", 14, "write 'and'", None),
        ("country <> PL", 10, "'is not' is written !=", None),
        ("(country = PL", 14, "a parenthesis is still open", None),
        ("country = PL)", 13, "closes nothing", None),
        ("country = PL replied", 14, "'and', 'or' or the end", None),
        ("country = PL company = x", 14, "'and' or 'or' is missing", None),
        ("has company = x", 13, "'and', 'or' or the end", None),
        ("", 1, "the rule is empty", None),
        ("# nothing", 10, "ends too early", None),
        ("country =", 10, "a value belongs here", None),
        ("country in PL", 12, "a list in parentheses", None),
        ("country in (PL", 15, "a comma or a closing parenthesis", None),
        ("country", 8, 'after "country" comes a comparison', None),
        ("has", 4, "a field belongs here", None),
        ("score > abc", 9, "a number belongs here", None),
        ('score > "5"', 9, "a number belongs here", None),
        ("score > 1234567890123456", 9, "15 digits", None),
        ("score between 20 and 10", 22, "the smaller one comes first", None),
        ("name > x", 8, "neither more nor less", None),
        ("stage contains de", 16, "'contains' does not go with stage", None),
        ("stage_age = 3 days", 13, "stage_age can be compared with < <= > >=", None),
        ("stage_age > 30", 13, "a length of time", None),
        ("stage_age > 1.5 days", 13, "a whole number", None),
        ("stage_age > 101 years", 13, "100 years", None),
        ("created = 30 days ago", 11, "only a whole day can be equal", None),
        ("created > 2026-02-30", 11, "not in the calendar", None),
        ("created > soon", 11, "a time belongs here", None),
        ("name within 3 days", 6, "'within' does not go with name", None),
        ('name = ""', 8, "not has name", None),
        ("company = 3m", 11, "texts need quotes", None),
        ('company = "abc', 11, "not closed", None),
        ("company = „abc”", 11, "straight quotes", None),
        ("company = a; drop table lead", 12, "semicolon", None),
        ("sample 0% by x", 8, "between 0.01% and 100%", None),
        ("sample 101% by x", 8, "between 0.01% and 100%", None),
        ("sample 10 by x", 11, "a percent sign", None),
        ("sent at least 0 times", 15, "from 1 to 10000", None),
        ("sent within 3", 14, "a unit belongs here", None),
        ('attr."a\\"b" = 1', 1, "quotes or backslashes", None),
        ("name = 'a\x00b'", 8, "control character", None),
    ],
)
def test_an_error_names_the_place_and_what_belongs_there(
    text: str, column: int, message: str, suggestion: str | None
) -> None:
    with pytest.raises(RuleError) as caught:
        parse(text)
    error = caught.value
    assert message in error.message
    assert (error.line, error.column) == (1, column)
    assert error.suggestion == suggestion


def test_an_error_shows_its_line_with_a_caret_under_the_place() -> None:
    with pytest.raises(RuleError) as caught:
        parse("country = PL\n\tand contry = DE # later")
    assert str(caught.value) == (
        'there is no field "contry"; did you mean country?\n'
        "  line 2:  and contry = DE # later\n"
        "               ^^^^^^"
    )


def test_a_long_line_is_cut_around_the_place() -> None:
    with pytest.raises(RuleError) as caught:
        parse(" and ".join(["replied"] * 50) + " and contry = PL")
    _first, shown, carets = str(caught.value).split("\n")
    assert len(shown) < 150
    assert shown[carets.index("^") : carets.rindex("^") + 1] == "contry"


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("everyone or " * 900 + "everyone", "10808 characters, 8000 are allowed"),
        ("(" * 500 + "everyone" + ")" * 500, "50 levels"),
        ("not " * 500 + "everyone", "50 levels"),
        ("(not " * 500 + "everyone" + ")" * 500, "50 levels"),
        ("replied or " * 600 + "replied", "500 conditions"),
        ("(" * 5000, "50 levels"),
        ("x" * 7000, "there is no field"),
        ("name = '" + "(" * 7000, "not closed"),
    ],
)
def test_a_rule_nobody_can_read_is_refused_at_once(text: str, message: str) -> None:
    with pytest.raises(RuleError, match=message):
        parse(text)


def test_stages_take_the_spelling_of_the_settings() -> None:
    rule = parse("stage in (Demo, NEW) and pipeline = Sales", stages=STAGES)
    assert say(rule) == "stage in (demo, new) and pipeline = sales"
    assert rule.stages == {"demo": ("sales",), "new": ("sales", "partners")}


@pytest.mark.parametrize(
    ("text", "column", "suggestion"),
    [
        ("stage = dmo", 9, "demo"),
        ("stage in (demo, propsal)", 17, "proposal"),
        ("pipeline != sale", 13, "sales"),
    ],
)
def test_a_stage_nobody_has_is_an_error(text: str, column: int, suggestion: str) -> None:
    with pytest.raises(RuleError, match="known: ") as caught:
        parse(text, stages=STAGES)
    assert (caught.value.column, caught.value.suggestion) == (column, suggestion)


def test_segments_are_read_through_each_other() -> None:
    known = {"hot": "stage = demo and in segment polish", "polish": "country = PL"}
    rule = parse("in segment hot", segments=known, stages=STAGES)
    assert {name: say(below) for name, below in rule.segments.items()} == {
        "hot": "stage = demo and in segment polish",
        "polish": "country = PL",
    }


def test_a_circle_of_segments_is_refused_with_its_path() -> None:
    known = {"a": "in segment b", "b": "replied or in segment c", "c": "not in segment a"}
    with pytest.raises(SegmentCycleError, match="a -> b -> c -> a"):
        parse("in segment a", segments=known)


def test_an_unknown_segment_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(RuleError, match='no segment "hott"; did you mean hot') as caught:
        parse("replied or in segment hott", segments={"hot": "replied"})
    assert caught.value.column == 12


def test_an_error_below_says_in_which_segment() -> None:
    with pytest.raises(RuleError, match='in segment "hot": there is no field "contry"'):
        parse("in segment hot", segments={"hot": "contry = PL"})


def test_stage_names_reads_pipelines() -> None:
    @dataclass(frozen=True)
    class Stage:
        name: str

    @dataclass(frozen=True)
    class Pipeline:
        stages: tuple[Stage, ...]

    pipelines = {"sales": Pipeline(stages=(Stage("new"), Stage("won")))}
    assert stage_names(pipelines) == {"sales": ("new", "won")}


def test_a_domain_is_looked_for_as_it_is_kept() -> None:
    assert sought(Field(name="domain"), "Straße.de") == "xn--strae-oqa.de"
    assert sought(Field(name="domain"), ".PL") == ".pl"
    assert sought(Field(name="domain"), "ł..") == "ł.."
