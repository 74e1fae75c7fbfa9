"""What the segment commands share: the files, a rule given by name or in place, writing a file."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import segments
from console.errors import ConsoleError, Refused
from console.sections import read_toml
from console.wiring import Workspace
from leads import Permission
from segments import Rule, SegmentDefinition, SegmentError
from templates import like_of

FOLDER = "segments"

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentFiles:
    """The segments a workspace's files define."""

    #: By name; not yet closed.
    definitions: Mapping[str, SegmentDefinition]
    #: What is wrong with the other files, by name.
    mistakes: Mapping[str, str]
    #: The stages of each pipeline in the settings.
    stages: segments.Stages

    def closed(self, name: str) -> SegmentDefinition:
        """Raises Refused or SegmentError."""
        if name in self.mistakes:
            raise Refused(self.mistakes[name])
        if name not in self.definitions:
            raise Refused(f'there is no segment "{name}"{self._hint(name)}')
        try:
            return segments.close(self.definitions[name], self.definitions, stages=self.stages)
        except segments.RuleError as error:
            raise Refused(f"{FOLDER}/{name}.toml: {error}") from error

    def rule(self, given: str) -> Rule:
        """The rule of the segment called `given`, else the one that `given` says.

        Raises Refused or SegmentError.
        """
        if given in self.definitions or given in self.mistakes:
            return self.closed(given).rule()
        known = {name: each.rule_text for name, each in self.definitions.items()}
        try:
            return segments.parse(given, stages=self.stages, segments=known)
        except segments.RuleError as error:
            if _NAME.fullmatch(given):
                raise Refused(
                    f'"{given}" is neither a segment nor a rule{self._hint(given)}'
                ) from error
            raise

    def _hint(self, name: str) -> str:
        near = difflib.get_close_matches(name, [*self.definitions, *self.mistakes], n=1)
        if near:
            return f'; did you mean "{near[0]}"?'
        return "; potok segments list shows them all"


def read_files(workspace: Workspace) -> SegmentFiles:
    """Every segment file; one with a mistake does not hide the others."""
    definitions: dict[str, SegmentDefinition] = {}
    mistakes: dict[str, str] = {}
    for path in sorted((workspace.path / FOLDER).glob("*.toml")):
        name = f"{FOLDER}/{path.name}"
        if path.name.startswith((".", "_")):
            continue
        try:
            data, _ = read_toml(path, name)
            definitions[path.stem] = segments.read_definition(path.stem, data)
        except (ConsoleError, SegmentError) as error:
            text = str(error)
            mistakes[path.stem] = text if text.startswith(name) else f"{name}: {text}"
    return SegmentFiles(
        definitions=definitions,
        mistakes=mistakes,
        stages=segments.stage_names(workspace.settings.pipelines),
    )


def permission(workspace: Workspace, *, topic: str = "") -> Permission:
    """What mail about `topic` needs here; without one, mail about no topic in particular."""
    settings = workspace.settings
    return Permission(
        topic=topic, consent_required=settings.consent_required, double=settings.consent_double
    )


def topic_of(workspace: Workspace, template: str) -> str:
    """The topic a template's file names; empty when it names none. Raises Refused."""
    folder = workspace.path / "templates"
    path = folder / template / "message.toml"
    if not path.is_file():
        known = sorted(each.parent.name for each in folder.glob("*/message.toml"))
        near = difflib.get_close_matches(template, known, n=1)
        hint = f'did you mean "{near[0]}"?' if near else f"there is: {', '.join(known) or 'none'}"
        raise Refused(f'there is no template "{template}"; {hint}')
    data, _ = read_toml(path, f"templates/{template}/message.toml")
    like = like_of(path.read_bytes())
    if like and "topic" not in data:
        return topic_of(workspace, like)
    return str(data.get("topic", ""))


def column_named(field: str) -> segments.Column:
    """What `segments values` looks into. Raises Refused with the nearest name."""
    try:
        return segments.column_of(field)
    except segments.RuleError as error:
        hint = f"; did you mean {error.suggestion}?" if error.suggestion else ""
        raise Refused(f"{error.message}{hint}") from error


def write_file(workspace: Workspace, definition: SegmentDefinition, *, replace: bool) -> Path:
    """Writes `segments/NAME.toml`. Raises Refused for a bad name or a file that is there."""
    if not _NAME.fullmatch(definition.name):
        raise Refused(
            f'"{definition.name}" is no name for a segment: small letters, digits, - and _ only'
        )
    path = workspace.path / FOLDER / f"{definition.name}.toml"
    if path.exists() and not replace:
        raise Refused(f"{FOLDER}/{path.name} is there already: edit it, or add --replace")
    import tomlkit

    document = tomlkit.document()
    if definition.description:
        document["description"] = definition.description
    rule = definition.rule_text
    # Quotes stay readable where TOML allows it.
    literal = "'" not in rule and "\n" not in rule
    document["rule"] = tomlkit.string(rule, literal=literal, multiline="\n" in rule)
    path.parent.mkdir(exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(tomlkit.dumps(document), encoding="utf-8")
    fresh.replace(path)
    return path
