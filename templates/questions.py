"""What a template asks that somebody has to look up first, found in its Jinja at compile time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from jinja2 import nodes

from leads import JsonObject
from templates.compiled import Part
from templates.environment import Environment
from templates.errors import SourceError

_WRITTEN_OUT = 'write its name in quotes: {% if lead in segment("hot") %}'


@dataclass(frozen=True, kw_only=True, slots=True)
class Questions:
    """What has to be known before the template can be rendered."""

    #: Each segment that is named, with the place.
    segments: Mapping[str, str]
    #: `deals`, `view`, `preferences`.
    others: tuple[str, ...]


def questions(
    environment: Environment, parts: Sequence[Part], partials: Iterable[str]
) -> Questions:
    """The questions of all parts, and of partials that are read while rendering.

    Raises SourceError for a segment whose name only rendering would tell.
    """
    segments: dict[str, str] = {}
    others: set[str] = set()
    every = [*parts, *(Part(source=text, file="partial") for text in partials)]
    for part in every:
        if not any(word in part.source for word in ("segment", "deal", "links")):
            continue
        tree = environment.parse(part.source)
        named = set()
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "segment":
                match (call.args, call.kwargs, call.dyn_args, call.dyn_kwargs):
                    case ([nodes.Const(value=str(name))], [], None, None):
                        segments.setdefault(name, part.place(call.lineno))
                        named.add(id(call.node))
        for node in tree.find_all(nodes.Name):
            if node.name == "segment" and node.ctx == "load" and id(node) not in named:
                what = "the segment to ask about is not clear"
                raise SourceError(part.place(node.lineno), what, _WRITTEN_OUT)
            if node.name in ("deal", "open_deals"):
                others.add("deals")
            if node.name == "links":
                others.add("links")
        if "links" in others:
            others |= {each for each in ("view", "preferences") if each in part.source}
    return Questions(segments=segments, others=tuple(sorted(others - {"links"})))


def closed_segments(
    asked: Mapping[str, str], known: Mapping[str, JsonObject] | None
) -> dict[str, JsonObject]:
    """The bodies of the segments asked about. Raises SourceError for one that is not there."""
    if known is None:
        return {name: {} for name in sorted(asked)}
    for name, where in asked.items():
        if name not in known:
            near = get_close_matches(name, list(known), n=1, cutoff=0.6)
            there = ", ".join(sorted(known)) or "none yet"
            do = f'did you mean "{near[0]}"?' if near else f"there is: {there}"
            raise SourceError(where, f'there is no segment "{name}"', do, id="unknown-segment")
    return {name: known[name] for name in sorted(asked)}
