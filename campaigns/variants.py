"""Variants: several mails in one campaign, each for its share of the leads.

    template = "welcome"          # the first variant
    [[variant]]
    template = "welcome-short"    # what is left out is as in the first: template, identity, hour
    identity = "ben"              # who writes
    hour = "16:00"                # when, on the clock of each lead
    share = 0.5                   # left out: what is left, in equal parts

    [goal]                        # what would make one of them the better one
    what = "replied"              # or "clicked", or a stage: "demo"
    usual = 0.05                  # how many reach the goal as a rule
    detect = 0.03                 # the smallest difference worth knowing
    after = "3 days"              # how long a lead has time for it
    test = 0.2                    # so many try the variants; the rest gets the better one

Who gets which is drawn by the campaign's name, so the same lead gets the same variant each time.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from campaigns.errors import DefinitionError
from campaigns.when import span
from campaigns.window import minute_of

#: More would need more leads than anybody has.
MOST_VARIANTS = 6
#: Places a share is counted in: hundredths of a percent.
PLACES = 10_000
#: What is taken where the file says nothing: shares of leads.
USUAL, DETECT = 0.05, 0.03
_VARIANT_KEYS = ("template", "identity", "hour", "name", "share")
_GOAL_KEYS = ("what", "usual", "detect", "after", "test", "otherwise")
#: What the rest gets when no variant is the better one.
OTHERWISE = ("first", "wait")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """One mail and the share of the leads that get it."""

    template: str
    #: Hundredths of a percent; those of all variants are 10,000 together.
    places: int
    #: Who writes; empty: the campaign's identity.
    identity: str = ""
    #: Minute of the day on the lead's clock from which it leaves; None: as soon as it may.
    hour: int | None = None
    #: What it is called in results and by `campaigns choose`.
    name: str = ""

    def body(self) -> list[Any]:
        plain = [self.template, self.places]
        # As before where it is but a template, so that versions of before stay what they are.
        bare = not self.identity and self.hour is None and self.name == self.template
        return plain if bare else [*plain, self.identity, self.hour, self.name]

    @staticmethod
    def of_body(body: Sequence[Any]) -> "Variant":
        template, places, identity, hour, name = (*body, "", None, body[0])[:5]
        return Variant(template=template, places=places, identity=identity, hour=hour, name=name)


@dataclass(frozen=True, kw_only=True, slots=True)
class Goal:
    """What is compared, fixed before anything is sent."""

    #: `replied`, `clicked`, or the name of a stage.
    what: str = "replied"
    #: Share of the leads that reach it as a rule.
    usual: float = USUAL
    #: Difference of shares that should not be missed.
    detect: float = DETECT
    #: How long after its mail a lead has time for it.
    after: timedelta = timedelta(days=3)
    #: Share of the leads that try the variants; the rest waits for the better one.
    test: float = 1.0
    #: first | wait: what the rest gets when none is better.
    otherwise: str = "first"

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "what": self.what,
            "usual": self.usual,
            "detect": self.detect,
            "after": int(self.after.total_seconds()),
        }
        return body | ({"test": self.test, "otherwise": self.otherwise} if self.test < 1 else {})

    @staticmethod
    def of_body(body: Mapping[str, Any]) -> "Goal":
        return Goal(**{**body, "after": timedelta(seconds=body["after"])})


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """A variant as a run keeps it."""

    version: int
    #: First of the 10,000 places that is another's.
    below: int
    #: Who writes and the domain of its Message-IDs; empty: as the run says.
    identity: str = ""
    domain: str = ""
    hour: int | None = None
    #: Empty in runs of before variants had names: the template's.
    name: str = ""

    def body(self) -> list[Any]:
        return [self.version, self.below, self.identity, self.domain, self.hour, self.name]

    @staticmethod
    def of_body(body: Sequence[Any]) -> "Drawn":
        version, below, identity, domain, hour, name = (*body, "", "", None, "")[:6]
        return Drawn(
            version=version, below=below, identity=identity, domain=domain, hour=hour, name=name
        )


def label(campaign: str) -> str:
    """What the draw of a campaign's variants is called."""
    return f"variants/{campaign}"


def read_variants(
    data: Mapping[str, Any], first: str, identity: str, where: str
) -> tuple[Variant, ...]:
    """All variants, that of `template` first; empty when the file names no other.

    Raises DefinitionError.
    """
    tables = data.get("variant", [])
    if not isinstance(tables, list) or not all(isinstance(each, Mapping) for each in tables):
        raise DefinitionError(f'{where}: write [[variant]] and under it template = "NAME"')
    if not tables:
        return ()
    if len(tables) >= MOST_VARIANTS:
        raise DefinitionError(f"{where}: {MOST_VARIANTS} variants are the most, the first included")
    hour = _hour(data, where)
    made = [Variant(template=first, places=0, hour=hour)]
    shares: list[int | None] = [None]
    for table in tables:
        for key in table:
            if key not in _VARIANT_KEYS:
                known = ", ".join(_VARIANT_KEYS[:-1])
                raise DefinitionError(f"{where}: [[variant]] knows {known} and share, not {key!r}")
        writer = _word(table, "identity", identity, where)
        made.append(
            Variant(
                template=_word(table, "template", first, where),
                places=0,
                identity="" if writer == identity else writer,
                hour=_hour(table, where) if "hour" in table else hour,
                name=_word(table, "name", "", where),
            )
        )
        shares.append(_part(table["share"], where) if "share" in table else None)
    named = _named(made, identity, where)
    divided = _divided(shares, where)
    return tuple(replace(each, places=places) for each, places in zip(named, divided, strict=True))


def _word(table: Mapping[str, Any], key: str, usual: str, where: str) -> str:
    value = table.get(key, usual)
    if not isinstance(value, str) or (key in table and not value.strip()):
        raise DefinitionError(f'{where}: {key} = {value!r} in a [[variant]]; write {key} = "NAME"')
    return value.strip()


def _hour(table: Mapping[str, Any], where: str) -> int | None:
    if "hour" not in table:
        return None
    minute = minute_of(table["hour"], where, "hour")
    if minute >= 24 * 60:
        raise DefinitionError(f'{where}: hour = "24:00" is the next day; write hour = "00:00"')
    return minute


def _clock(minute: int | None) -> str:
    return "at-once" if minute is None else f"{minute // 60}h{minute % 60:02}"


def _named(made: Sequence[Variant], identity: str, where: str) -> list[Variant]:
    """Each with a name of its own: the one given, else what tells it from the others."""
    seen: dict[tuple[Any, ...], Variant] = {}
    names: dict[str, Variant] = {}
    done = []
    for each in made:
        facts = (each.template, each.identity, each.hour)
        if facts in seen:
            raise DefinitionError(
                f"{where}: two variants are the same ({each.template}): let them differ in "
                "template, identity or hour"
            )
        seen[facts] = each
        parts = [each.template] if len({v.template for v in made}) > 1 else []
        if len({v.identity for v in made}) > 1:
            parts.append(each.identity or identity)
        if len({v.hour for v in made}) > 1:
            parts.append(_clock(each.hour))
        name = each.name or "-".join(parts)
        if not _NAME.fullmatch(name) and each.name:
            raise DefinitionError(
                f"{where}: {name!r} cannot name a variant; use small letters, digits, - and _"
            )
        if name in names:
            raise DefinitionError(f'{where}: two variants are called {name!r}; write name = "NAME"')
        names[name] = each
        done.append(replace(each, name=name))
    return done


def _part(value: Any, where: str) -> int:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < value < 1:
        raise DefinitionError(f"{where}: share = {value!r} is no share; write share = 0.25")
    places: int = round(value * PLACES)
    return places


def _divided(shares: Sequence[int | None], where: str) -> list[int]:
    """What was left open gets what is left, in equal parts; the first takes the remainder."""
    left, among = PLACES - sum(filter(None, shares)), shares.count(None)
    if left < among:  # the first one's is always open
        raise DefinitionError(f"{where}: the shares of the variants leave nothing for the first")
    each = left // among
    divided = [each if share is None else share for share in shares]
    divided[0] += PLACES - sum(divided)
    return divided


def read_goal(data: Mapping[str, Any], where: str) -> Goal:
    """The table [goal]. Raises DefinitionError."""
    table = data.get("goal", {})
    if not isinstance(table, Mapping):
        raise DefinitionError(f"{where}: goal is a table: [goal] with {', '.join(_GOAL_KEYS)}")
    for key in table:
        if key not in _GOAL_KEYS:
            near = difflib.get_close_matches(key, _GOAL_KEYS, n=1)
            hint = (
                f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(_GOAL_KEYS)}"
            )
            raise DefinitionError(f"{where}: unknown key {key!r} in [goal]{hint}")
    what = table.get("what", "replied")
    if not isinstance(what, str) or not what.strip():
        raise DefinitionError(f'{where}: what = {what!r} is no goal; write what = "replied"')
    usual, detect = (_proportion(table.get(key, d), key, where) for key, d in _USUAL)
    if usual + detect >= 1:
        raise DefinitionError(f"{where}: usual and detect are shares, together below 1")
    test = _proportion(table["test"], "test", where) if "test" in table else 1.0
    if test < 1 and "variant" not in data:
        raise DefinitionError(f"{where}: test = {test} tries variants, and there is no [[variant]]")
    otherwise = table.get("otherwise", "first")
    if otherwise not in OTHERWISE:
        raise DefinitionError(f'{where}: otherwise is "first" or "wait", not {otherwise!r}')
    return Goal(
        what=what.strip(),
        usual=usual,
        detect=detect,
        after=span(table.get("after", "3 days"), where, "after"),
        test=test,
        otherwise=otherwise,
    )


_USUAL = (("usual", USUAL), ("detect", DETECT))


def _proportion(value: Any, key: str, where: str) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0.001 <= value <= 0.999:
        raise DefinitionError(f"{where}: {key} = {value!r} is no share; write {key} = 0.05")
    return float(value)
