"""What CSS and which elements some mail clients do not know: `mail_clients.toml`."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from templates.check_body import Body
from templates.check_look import declarations
from templates.finding import Finding

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
#: Media queries and their like are extras, for those clients that know them.
_AT_BLOCK = re.compile(r"@[\w-]+[^{};]*\{(?:[^{}]|\{[^{}]*\})*\}")
_RULE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing that some clients ignore."""

    name: str
    unknown_to: tuple[str, ...]
    #: The mail falls apart without it, or it only looks plainer.
    needed: bool
    do: str
    page: str
    property: re.Pattern[str] | None = None
    value: re.Pattern[str] | None = None

    def matches(self, name: str, value: str) -> bool:
        return (self.property is None or self.property.fullmatch(name) is not None) and (
            self.value is None or self.value.search(value) is not None
        )


@lru_cache(maxsize=1)
def features() -> tuple[Sequence[Feature], dict[str, Feature]]:
    """The shipped table: CSS features, and elements by tag."""
    data = tomllib.loads(files("templates").joinpath("mail_clients.toml").read_text("utf-8"))
    return [_feature(row) for row in data["css"]], {
        row["name"]: _feature({**row, "name": f"<{row['name']}>"}) for row in data["element"]
    }


def _feature(row: dict[str, Any]) -> Feature:
    asked = {key: re.compile(row[key], re.I) for key in ("property", "value") if row.get(key)}
    return Feature(
        name=row["name"],
        unknown_to=tuple(row["unknown_to"]),
        needed=row["weight"] == "layout",
        do=row.get("do", ""),
        page=row["page"],
        **asked,
    )


def css_findings(body: Body) -> Iterator[Finding]:
    """One finding for each feature the layout needs, and one for all that is decoration in the
    eyes of the same clients."""
    places: dict[str, list[str]] = {}
    used: dict[str, Feature] = {}
    for feature, where in _used(body):
        used[feature.name] = feature
        if where not in places.setdefault(feature.name, []):
            places[feature.name].append(where)
    plainer: dict[tuple[str, ...], list[Feature]] = {}
    for name, feature in used.items():
        if not feature.needed:
            plainer.setdefault(feature.unknown_to, []).append(feature)
            continue
        more = f" (and {len(places[name]) - 1} more)" if len(places[name]) > 1 else ""
        yield Finding(
            id="css-unknown",
            level="warning",
            where=places[name][0],
            what=f"{_listed(feature.unknown_to)} {_verb(feature)} not know {name}{more}",
            do=feature.do or "look at it there before you send",
        )
    for clients, decoration in plainer.items():
        names = [feature.name for feature in decoration]
        advice = dict.fromkeys(feature.do for feature in decoration if feature.do)
        yield Finding(
            id="css-plainer",
            level="notice",
            where=places[names[0]][0],
            what=f"looks plainer in {_listed(clients)}, which {_verb(decoration[0])} not know "
            f"{_listed(names)}",
            do="; ".join(advice) or "nothing, if it reads well without",
        )


def _used(body: Body) -> Iterator[tuple[Feature, str]]:
    css, elements = features()
    for element in body.elements():
        if element.tag in elements:
            yield elements[element.tag], body.where(element)
        if element.tag == "style":
            if element.get("data-premailer") != "ignore":
                yield from _sheet(body, element, css)
            continue
        for name, value in declarations(element.get("style") or "").items():
            for feature in css:
                if feature.matches(name, value):
                    yield feature, body.where(element)


def _sheet(body: Body, element: Any, css: Sequence[Feature]) -> Iterator[tuple[Feature, str]]:
    text = element.text or ""
    for pattern in (_COMMENT, _AT_BLOCK):
        # As many lines as before, so that places stay right.
        text = pattern.sub(lambda found: "\n" * found[0].count("\n"), text)
    for rule in _RULE.finditer(text):
        for name, value in declarations(rule[1]).items():
            at = rule.start(1) + max(rule[1].lower().find(name), 0)
            line = text.count("\n", 0, at)
            for feature in css:
                if feature.matches(name, value):
                    yield feature, body.where(element, further=line)


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else words[0]


def _verb(feature: Feature) -> str:
    plural = len(feature.unknown_to) > 1 or feature.unknown_to[0].endswith("apps")
    return "do" if plural else "does"
