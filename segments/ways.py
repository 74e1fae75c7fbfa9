"""What somebody can do so that a single condition turns, in words a marketer understands.

Some things nobody can do: undo what happened, move a lead's draw, its address, the day it came in.
Some only the lead can do. And some come about by waiting.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from datetime import tzinfo as Zone  # noqa: N812

from leads import FIELDS as SETTABLE
from segments.facts import Facts
from segments.fitting import called
from segments.judge import fits
from segments.saying import say
from segments.telling import length, quoted
from segments.terms import Field, Notes, Operand, Preferred, Tag, Text, Value
from segments.tree import (
    Between,
    Compare,
    Condition,
    Consented,
    DealThat,
    Did,
    EventThat,
    Has,
    Moved,
    NextTask,
    OneOf,
    Rule,
    Suppressed,
    WasIn,
)
from segments.turning import first_turn, points
from segments.vocabulary import FIELDS, Kind

#: How much a way asks for: done here and now; done by waiting; up to the lead.
DO, WAIT, THEIRS = 1, 2, 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """How one single condition is turned."""

    #: `set country to PL`
    text: str
    #: DO, WAIT or THEIRS.
    effort: int = DO
    #: When waiting is the way: until when.
    until: datetime | None = None


def way(
    leaf: Condition, wanted: bool, rule: Rule, facts: Facts, *, now: datetime, zone: Zone
) -> Way | None:
    """The way to make a single condition of `rule` true or false; None where there is none."""
    text = _deed(leaf, wanted, facts)
    if text is not None:
        return text
    alone = replace(rule, condition=leaf)
    fresh = replace(facts, columns={**facts.columns, "stage_at": now})
    if fits(alone, fresh, now=now, zone=zone) == wanted:
        return Way(text="move to another stage and back")
    until = turns_at(alone, facts, now=now, zone=zone)
    if until is None:
        return None
    return Way(text=f"wait until {_minute(until, zone)}", effort=WAIT, until=until)


def turns_at(rule: Rule, facts: Facts, *, now: datetime, zone: Zone) -> datetime | None:
    """When the rule turns for the lead if nothing but time passes; None when it never does."""
    present = fits(rule, facts, now=now, zone=zone)

    def right(moment: datetime) -> bool:
        return fits(rule, facts, now=moment, zone=zone) != present

    return first_turn(right, points(rule, facts, zone, now), now)


def _minute(moment: datetime, zone: Zone) -> str:
    local = moment.astimezone(zone)
    return local.strftime("%Y-%m-%d" if (local.hour, local.minute) == (0, 0) else "%Y-%m-%d %H:%M")


def _deed(leaf: Condition, wanted: bool, facts: Facts) -> Way | None:
    match leaf:
        case Compare() | OneOf() | Between():
            negated = getattr(leaf, "negated", False) or getattr(leaf, "operator", "") in (
                "!=",
                "!~",
            )
            return _valued(leaf.operand, _wording(leaf), wanted != negated)
        case Has(operand=operand):
            return _had(operand, wanted)
        case Did() | EventThat():
            return _happening(leaf) if wanted else None
        case DealThat():
            inside = say(leaf).removeprefix("deal where ").removeprefix("(").removesuffix(")")
            about = "" if not leaf.tests else f" with {inside}"
            verb = "open a deal" if wanted else "change or close every deal"
            return Way(text=f"{verb}{about}") if wanted or leaf.tests else None
        case NextTask(overdue=overdue):
            if wanted:
                # Overdue it becomes by waiting.
                return None if overdue else Way(text="write down a task")
            return Way(text=f"do the {'overdue' if overdue else 'open'} tasks")
        case WasIn(stage=stage):
            return Way(text=f"move to stage {quoted(stage)}") if wanted else None
        case Moved(origin=origin, goal=goal):
            ends = [f"from stage {quoted(origin)}"] if origin else []
            ends += [f"to stage {quoted(goal)}"] if goal else []
            return Way(text=f"move {' '.join(ends)}{_often(leaf.times)}") if wanted else None
        case Consented(topic=topic, pending=True):
            about = f" for {topic}" if topic else ""
            if wanted:
                return Way(text=f"be asked to confirm the consent{about}: potok leads confirm")
            return Way(text=f"confirm the consent{about}", effort=THEIRS)
        case Consented(topic=topic, withdrawn=withdrawn):
            about = f" for {topic}" if topic else ""
            given = wanted != withdrawn
            if given and withdrawn:
                return Way(text=f"have the withdrawn consent{about} given again", effort=THEIRS)
            text = f"note the lead's consent{about}" if given else f"withdraw the consent{about}"
            return Way(text=text, effort=THEIRS if given else DO)
        case Suppressed(reason=reason):
            if wanted:
                return Way(text=f"suppress the address{f' as {reason}' if reason else ''}")
            return Way(text="lift the suppression of the address")
        case _:
            return None


def _valued(operand: Operand, values: str, wanted: bool) -> Way | None:
    """`values` says which values would do: `PL`, `PL or DE`, `something that contains "soft"`."""
    match operand:
        case Tag():
            return Way(text=f"{'add' if wanted else 'remove'} the tag {values}")
        case Notes():
            return Way(text=f"write a note: {values}") if wanted else None
        case Preferred(name=name):
            verb = "note the preference" if wanted else "forget the preference"
            return Way(text=f"{verb} {name} {values}")
        case Field(name="stage"):
            return Way(text=f"move {'to' if wanted else 'out of'} stage {values}")
        case Field(name="pipeline"):
            return Way(text=f"move {'to' if wanted else 'out of'} pipeline {values}")
        case Field(name="stage_age"):
            return None
        case Field(name=name) if name not in SETTABLE:
            return None
        case _:
            other = "" if wanted else "something other than "
            return Way(text=f"set {called(operand)} to {other}{values}")


def _had(operand: Operand, wanted: bool) -> Way | None:
    match operand:
        case Tag():
            return Way(text="add a tag" if wanted else "remove every tag")
        case Notes():
            return Way(text="write a note") if wanted else None
        case Preferred(name=name):
            verb = "note a preference" if wanted else "forget every preference"
            return Way(text=f"{verb} about {name}")
        case Field(name=name) if name not in SETTABLE:
            return None
        case _:
            return Way(text=f"{'set' if wanted else 'clear'} {called(operand)}")


def _wording(leaf: Compare | OneOf | Between) -> str:
    """The values of a comparison as they stand in a sentence."""
    bare = isinstance(leaf.operand, Field) and FIELDS[leaf.operand.name].kind in (
        Kind.CODE,
        Kind.CHOICE,
    )

    def spoken(value: Value) -> str:
        if isinstance(value, Text):
            return value.text if bare else quoted(value)
        # `say` knows how to write every other value; what it is compared with is taken off again.
        return say(Compare(operand=Tag(), operator="=", value=value)).removeprefix("tag = ")

    match leaf:
        case Compare(operator="=" | "!=" | "~" | "!~", value=value):
            return spoken(value)
        case Compare(operator="<=", value=value):
            return f"{spoken(value)} or less"
        case Compare(operator=">=", value=value):
            return f"{spoken(value)} or more"
        case Compare(operator="<", value=value):
            return f"less than {spoken(value)}"
        case Compare(operator=">", value=value):
            return f"more than {spoken(value)}"
        case Compare(operator=sign, value=value):
            verb = sign.removeprefix("~ ")
            return f"something that {verb} {spoken(value)}"
        case OneOf(values=values):
            return " or ".join(spoken(value) for value in values)
        case Between(low=low, high=high):
            return f"something between {spoken(low)} and {spoken(high)}"


def _happening(leaf: Did | EventThat) -> Way:
    often = _often(leaf.times) + (f" within {length(leaf.within)}" if leaf.within else "")
    if isinstance(leaf, EventThat):
        return Way(text=f'an event "{leaf.name}" has to be recorded{often}', effort=THEIRS)
    campaign = f' "{leaf.campaign}"' if leaf.campaign else ""
    if leaf.kind == "sent":
        return Way(text=f"send a mail{f' of campaign{campaign}' if campaign else ''}{often}")
    about = f" to campaign{campaign}" if campaign else ""
    return Way(
        text=f"the lead has to have {leaf.kind.replace('_', ' ')}{about}{often}", effort=THEIRS
    )


def _often(times: int) -> str:
    return "" if times == 1 else f", {times} times in all"
