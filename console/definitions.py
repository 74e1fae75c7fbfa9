"""The definition files of a workspace, read and closed: what `apply` would freeze."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import campaigns
import segments
import templates
from console.errors import SettingsError
from console.kinds import CAMPAIGN, KINDS, SEGMENT, SEQUENCE, TEMPLATE, Kind
from console.sections import Source, read_toml
from console.settings import Settings
from console.template_folders import folder_files, folder_of
from console.unchanged import as_it_was
from leads import JsonObject

_NAME = re.compile(r"^[a-z0-9][a-z0-9_-]{0,63}$")
_Bodies = Mapping[str, JsonObject]
_NO_NAME = "{}: the name must be small letters, digits, - and _; rename it"


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """One segment, template or campaign as its file says it, closed."""

    #: segment | template | campaign | sequence.
    kind: str
    name: str
    body: JsonObject


class Mistakes:
    """Collects what is wrong, so that one look at all files shows everything."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def add(self, sentence: str) -> None:
        if sentence not in self.sentences:
            self.sentences.append(sentence)

    def raise_any(self) -> None:
        """Raises SettingsError when there is something; a single mistake stays one line."""
        if len(self.sentences) == 1:
            raise SettingsError(self.sentences[0])
        if self.sentences:
            count = len(self.sentences)
            raise SettingsError("\n  ".join((f"{count} mistakes:", *self.sentences)))


def read_definitions(
    settings: Settings, *, applied: Mapping[str, JsonObject] | None = None
) -> list[Definition]:
    """Every definition of the workspace, by kind and name.

    `applied` are the bodies of the templates in force: one whose files are as they were is not
    compiled again, which takes 120-150 ms each. Raises SettingsError that names every mistake
    with file and line.
    """
    mistakes = Mistakes()
    found = list(_segments(settings, mistakes))
    bodies: dict[str, JsonObject] = {path.stem: {} for path in _files(settings.path, SEGMENT)}
    bodies |= {each.name: each.body for each in found}
    found += _templates(settings.path / TEMPLATE.folder, applied or {}, bodies, mistakes)
    names = {kind.word: {d.name for d in found if d.kind == kind.word} for kind in KINDS}
    # A name is known when its file is there, even if that file has its own mistake.
    for kind in (SEGMENT, TEMPLATE):
        names[kind.word] |= {path.stem for path in _files(settings.path, kind)}
    names["identity"] = set(settings.identities)
    found += _campaigns(settings.path, names, mistakes)
    found += _sequences(settings, found, names, mistakes)
    mistakes.raise_any()
    return found


def segment_bodies(settings: Settings) -> dict[str, JsonObject]:
    """The segments as their files say them, closed. Raises SettingsError that names mistakes."""
    mistakes = Mistakes()
    bodies = {each.name: each.body for each in _segments(settings, mistakes)}
    mistakes.raise_any()
    return bodies


def _files(workspace: Path, kind: Kind) -> list[Path]:
    folder = workspace / kind.folder
    if not folder.is_dir():
        return []
    wanted = Path.is_dir if kind is TEMPLATE else _is_definition
    return sorted(p for p in folder.iterdir() if wanted(p) and not p.name.startswith((".", "_")))


def _is_definition(path: Path) -> bool:
    return path.suffix == ".toml" and path.is_file()


def _read(
    workspace: Path, kind: Kind, mistakes: Mistakes
) -> Iterator[tuple[str, dict[str, Any], Source]]:
    for path in _files(workspace, kind):
        file = kind.file(path.stem)
        if not _NAME.match(path.stem):
            mistakes.add(_NO_NAME.format(file))
            continue
        try:
            data, source = read_toml(path, file)
        except SettingsError as error:
            mistakes.add(str(error))
        else:
            yield path.stem, data, source


def _segments(settings: Settings, mistakes: Mistakes) -> Iterator[Definition]:
    stages = {n: tuple(s.name for s in p.stages) for n, p in settings.pipelines.items()}
    sources: dict[str, Source] = {}
    parsed: dict[str, segments.SegmentDefinition] = {}
    for name, data, source in _read(settings.path, SEGMENT, mistakes):
        sources[name] = source
        try:
            parsed[name] = segments.read_definition(name, data)
        except segments.SegmentError as error:
            mistakes.add(_placed(source, data, str(error)))
    for name, definition in parsed.items():
        try:
            closed = segments.close(definition, parsed, stages=stages)
            yield Definition(kind=SEGMENT.word, name=name, body=closed.body())
        except segments.SegmentError as error:
            line = sources[name].line(("rule",))
            # The file is named already; the words say so once more only of another segment.
            words = str(error).removeprefix(f'in segment "{name}": ')
            mistakes.add(f"{SEGMENT.file(name)}:{line}: {words}")


def _templates(
    folder: Path, applied: _Bodies, segments: _Bodies, mistakes: Mistakes
) -> Iterator[Definition]:
    if not folder.is_dir():
        return
    partials = {p.name: p.read_bytes() for p in folder.glob("_*") if templates.is_partial(p.name)}
    for path in _files(folder.parent, TEMPLATE):
        if not _NAME.match(path.name):
            mistakes.add(_NO_NAME.format(TEMPLATE.file(path.name)))
            continue
        files = folder_files(path)
        body = applied.get(path.name)
        if body is not None and as_it_was(body, files, partials, segments):
            yield Definition(kind=TEMPLATE.word, name=path.name, body=body)
            continue
        try:
            compiled = templates.compile_template(
                path.name, files, partials=partials, segments=segments
            )
        except templates.SourceError as error:
            file = error.where.partition(":")[0]
            place = (
                "templates"
                if file in partials and file not in files
                else TEMPLATE.file(folder_of(path, file))
            )
            mistakes.add(f"{place.rstrip('/')}/{error}")
        else:
            yield Definition(kind=TEMPLATE.word, name=path.name, body=compiled.body())


def _campaigns(
    workspace: Path, names: Mapping[str, Iterable[str]], mistakes: Mistakes
) -> Iterator[Definition]:
    for name, data, source in _read(workspace, CAMPAIGN, mistakes):
        try:
            definition = campaigns.read_definition(name, data)
        except campaigns.CampaignError as error:
            mistakes.add(_placed(source, data, str(error)))
            continue
        for word in ("segment", "template", "identity"):
            _is_there(word, getattr(definition, word), names, source, (word,), mistakes)
        for number, variant in enumerate(definition.variants[1:]):
            for word, wanted in (("template", variant.template), ("identity", variant.identity)):
                if wanted:
                    path = ("variant", number, word)
                    _is_there(word, wanted, names, source, path, mistakes)
        yield Definition(kind=CAMPAIGN.word, name=name, body=definition.body())


def _is_there(
    word: str,
    wanted: str,
    names: Mapping[str, Iterable[str]],
    source: Source,
    path: tuple[str | int, ...],
    mistakes: Mistakes,
) -> None:
    if wanted in names[word]:
        return
    near = difflib.get_close_matches(wanted, names[word], n=1)
    known = ", ".join(sorted(names[word])) or "none yet"
    hint = f'did you mean "{near[0]}"?' if near else f"there is: {known}"
    mistakes.add(f'{source.name}:{source.line(path)}: there is no {word} "{wanted}"; {hint}')


def _sequences(
    settings: Settings,
    others: Iterable[Definition],
    names: Mapping[str, Iterable[str]],
    mistakes: Mistakes,
) -> Iterator[Definition]:
    bodies = {(other.kind, other.name): other.body for other in others}
    for name, data, source in _read(settings.path, SEQUENCE, mistakes):
        try:
            definition = campaigns.read_sequence(name, data, settings.pipelines)
        except campaigns.CampaignError as error:
            mistakes.add(_placed(source, data, str(error)))
            continue
        if (settings.path / CAMPAIGN.file(name)).exists():
            mistakes.add(f"{source.name}:1: there is a campaign {name} too; rename one of them")
        _is_there("identity", definition.identity, names, source, ("identity",), mistakes)
        if definition.segment:
            path = ("segment",) if definition.trigger else ("trigger", "segment")
            _is_there("segment", definition.segment, names, source, path, mistakes)
        topics: dict[str, str] = {}
        for number, step in enumerate(definition.steps):
            if step.send is None:
                continue
            _is_there("template", step.send, names, source, ("step", number, "send"), mistakes)
            body = bodies.get((TEMPLATE.word, step.send))
            if body is not None:
                compiled = templates.Compiled.from_body(step.send, body)
                topics.setdefault(compiled.topic, step.send)
        if len(topics) > 1:
            told = " and ".join(f'"{topic}" ({name})' for topic, name in topics.items())
            mistakes.add(
                f"{source.name}:1: its templates are about different topics, {told}; people allow "
                "us to write by topic, so one sequence has one"
            )
        closed = replace(
            definition,
            topic=next(iter(topics), ""),
            entry=bodies.get((SEGMENT.word, definition.segment)),
        )
        yield Definition(kind=SEQUENCE.word, name=name, body=closed.body())


def _placed(source: Source, data: Mapping[str, Any], sentence: str) -> str:
    """The sentence with file and the line of the first key it speaks of."""
    sentence = sentence.removeprefix(f"{source.name}: ")
    words = re.findall(r"[\w-]+", sentence)
    paths = (path for word in words for path in ((word,), ("when", word), ("window", word)))
    spoken = next((path for path in paths if path in source.lines), None)
    line = source.line(spoken) if spoken else 1
    if step := re.match(r"step (\d+)\b", sentence):
        line = source.line(("step", int(step[1]) - 1))
    return f"{source.name}:{line}: {sentence}"
