"""The kinds of definitions: where their files are, where their versions go, what a person wrote."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import campaigns
import segments
import templates
from leads import JsonObject, Version


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """One kind of definition: where its files are and where its versions go."""

    word: str
    folder: str
    table: type[Version]
    #: The texts a person wrote, by file or key, out of a frozen body: what a diff compares.
    texts: Callable[[JsonObject], dict[str, str]]

    def file(self, name: str) -> str:
        """`segments/hot.toml`, `templates/welcome/`."""
        return f"{self.folder}/{name}/" if self.word == "template" else f"{self.folder}/{name}.toml"


def _segment_texts(body: JsonObject) -> dict[str, str]:
    return {"description": body["description"], "rule": body["rule"]}


def _template_texts(body: JsonObject) -> dict[str, str]:
    asked = {f"segment {name}": each["rule"] for name, each in body.get("segments", {}).items()}
    return {**body["files"], **asked}


def _campaign_texts(body: JsonObject) -> dict[str, str]:
    return {key: json.dumps(value, ensure_ascii=False) for key, value in body.items()}


def _sequence_texts(body: JsonObject) -> dict[str, str]:
    # The entry rule is the segment's text and is shown there.
    lines = {key: value for key, value in body.items() if key not in ("steps", "entry")}
    steps = [json.dumps(step, ensure_ascii=False) for step in body["steps"]]
    return _campaign_texts(lines) | {"steps": "\n".join(steps)}


SEGMENT = Kind(
    word="segment", folder="segments", table=segments.SegmentVersion, texts=_segment_texts
)
TEMPLATE = Kind(
    word="template", folder="templates", table=templates.TemplateVersion, texts=_template_texts
)
CAMPAIGN = Kind(
    word="campaign", folder="campaigns", table=campaigns.Campaign, texts=_campaign_texts
)
SEQUENCE = Kind(
    word="sequence", folder="sequences", table=campaigns.Sequence, texts=_sequence_texts
)
KINDS = (SEGMENT, TEMPLATE, CAMPAIGN, SEQUENCE)
