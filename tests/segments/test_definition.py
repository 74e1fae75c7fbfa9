"""Segments as files say them and as they are kept: closed, unchanged by what happens later."""

import pytest

from console.database import Database
from leads import current_version, freeze
from segments import (
    DefinitionError,
    RuleError,
    SegmentCycleError,
    SegmentDefinition,
    SegmentVersion,
    close,
    read_definition,
    rule_of,
    say,
)

STAGES = {"sales": ("new", "demo", "won"), "partners": ("new", "signed")}


def _definitions(**rules: str) -> dict[str, SegmentDefinition]:
    return {name: read_definition(name, {"rule": rule}) for name, rule in rules.items()}


def test_a_definition_is_read_from_a_file() -> None:
    found = read_definition("hot", {"description": " Nearly there ", "rule": "\nstage = demo\n"})
    assert (found.name, found.description, found.rule_text) == (
        "hot",
        "Nearly there",
        "stage = demo",
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"rule": "everyone", "descripton": "x"}, "did you mean description"),
        ({"rule": "everyone", "zzz": "x"}, "known are description and rule"),
        ({"rule": ["everyone"]}, "rule must be a text"),
        ({"description": "x"}, "has no rule"),
        ({"rule": " \n"}, "has no rule"),
    ],
)
def test_a_file_with_something_else_is_refused(data: dict[str, object], message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        read_definition("hot", data)


def test_an_applied_body_holds_all_it_needs() -> None:
    all_ = _definitions(
        hot="stage = Demo and in segment polish", polish="country = PL", other="everyone"
    )
    body = close(all_["hot"], all_, stages=STAGES).body()
    assert body == {
        "description": "",
        "rule": "stage = Demo and in segment polish",
        "segments": {"polish": "country = PL"},
        "stages": {"sales": ["demo"]},
    }
    rule = rule_of(body)
    assert say(rule) == "stage = demo and in segment polish"
    assert say(rule.segments["polish"]) == "country = PL"
    assert rule.stages == {"demo": ("sales",)}


def test_a_stage_added_elsewhere_does_not_change_the_body() -> None:
    all_ = _definitions(hot="stage = demo or pipeline = partners")
    more = {"sales": ("new", "demo", "lost"), "partners": ("start",), "third": ("x",)}
    before = close(all_["hot"], all_, stages=STAGES).body()
    assert before == close(all_["hot"], all_, stages=more).body()
    assert before["stages"] == {"partners": [], "sales": ["demo"]}


def test_a_body_that_is_not_closed_is_refused() -> None:
    with pytest.raises(RuleError, match='no segment "polish"'):
        _definitions(hot="in segment polish")["hot"].body()


def test_a_circle_is_refused_when_closing() -> None:
    all_ = _definitions(a="in segment b", b="in segment a", c="not in segment c")
    with pytest.raises(SegmentCycleError, match="a -> b -> a"):
        close(all_["a"], all_)
    with pytest.raises(SegmentCycleError, match="c -> c"):
        close(all_["c"], all_)


def test_an_error_in_a_segment_named_says_where() -> None:
    all_ = _definitions(a="contry = PL", b="in segment a")
    with pytest.raises(RuleError) as own:
        close(all_["a"], all_)
    assert own.value.message == 'there is no field "contry"'
    with pytest.raises(RuleError) as below:
        close(all_["b"], all_)
    assert below.value.message == 'in segment "a": there is no field "contry"'


def test_versions_keep_what_was_applied(database: Database, now) -> None:  # type: ignore[no-untyped-def]
    all_ = _definitions(hot="in segment polish", polish="country = PL")
    body = close(all_["hot"], all_, stages=STAGES).body()
    database.write(lambda session: freeze(session, SegmentVersion, "hot", body, now=now))
    version = database.read(lambda session: current_version(session, SegmentVersion, "hot"))
    assert version is not None and version.body is not None
    assert version.body == body
    assert say(rule_of(version.body).segments["polish"]) == "country = PL"
