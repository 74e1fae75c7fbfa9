"""What a sequence file says: `sequences/*.toml` as a value."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from campaigns.definition import check_name, read_consent
from campaigns.errors import DefinitionError
from campaigns.window import WINDOW_KEYS, Window, read_window
from leads import JsonObject, Pipeline, StageError, stage_named

_STEP_NAME = re.compile(r"^[a-z0-9][a-z0-9_-]{0,31}$")
_SPAN = re.compile(r"^(\d+)\s*(second|minute|hour|day|week)s?$")
_KEYS = (
    "description",
    "identity",
    "segment",
    "trigger",
    "exit",
    "window",
    "expires_after",
    "when_in_doubt",
    "step",
    "consent",
)
_STEP_KEYS = ("name", "send", "wait")

#: (pipeline, stage): where a lead stands.
Place = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step: it either sends a template or waits."""

    name: str
    send: str | None = None
    wait: timedelta | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SequenceDefinition:
    """One sequence as its file describes it; closed once `topic` and `entry` are known."""

    name: str
    identity: str
    #: Entering this stage starts it; None: coming to fit `segment` does.
    trigger: Place | None
    steps: tuple[Step, ...]
    #: Entering one of these ends it; a reply always does.
    exits: tuple[Place, ...] = ()
    description: str = ""
    #: The segment that starts it, or with a stage: only its leads may enter; empty: all may.
    segment: str = ""
    window: Window | None = None
    #: A message not sent this long after it was due is not sent at all.
    expires_after: timedelta = timedelta(hours=48)
    #: hold | resend; None takes the workspace's `[delivery] when_in_doubt`.
    when_in_doubt: str | None = None
    #: Of its templates: what a lead must have allowed us to write about.
    topic: str = ""
    #: The segment's closed body.
    entry: JsonObject | None = field(default=None)
    #: As a campaign's.
    consent: str = ""

    @property
    def templates(self) -> tuple[str, ...]:
        """The templates it sends, in order, each once."""
        return tuple(dict.fromkeys(step.send for step in self.steps if step.send))

    def body(self) -> dict[str, Any]:
        """The closed JSON form that is frozen as a version."""
        own = {"consent": self.consent} if self.consent else {}
        return own | {
            "description": self.description,
            "identity": self.identity,
            "trigger": list(self.trigger) if self.trigger else None,
            "exits": [list(place) for place in self.exits],
            "segment": self.segment,
            "entry": self.entry,
            "window": self.window.body() if self.window else None,
            "expires_after": int(self.expires_after.total_seconds()),
            "when_in_doubt": self.when_in_doubt,
            "topic": self.topic,
            "steps": [
                {"name": step.name, "send": step.send}
                if step.wait is None
                else {"name": step.name, "wait": int(step.wait.total_seconds())}
                for step in self.steps
            ],
        }


def sequence_of(name: str, body: Mapping[str, Any]) -> SequenceDefinition:
    """The definition a frozen version holds."""
    return SequenceDefinition(
        name=name,
        description=body["description"],
        identity=body["identity"],
        trigger=(body["trigger"][0], body["trigger"][1]) if body["trigger"] else None,
        exits=tuple((pipeline, stage) for pipeline, stage in body["exits"]),
        segment=body["segment"],
        entry=body["entry"],
        window=Window.of_body(body["window"]) if body["window"] else None,
        expires_after=timedelta(seconds=body["expires_after"]),
        when_in_doubt=body["when_in_doubt"],
        topic=body["topic"],
        consent=body.get("consent", ""),
        steps=tuple(
            Step(
                name=step["name"],
                send=step.get("send"),
                wait=timedelta(seconds=step["wait"]) if "wait" in step else None,
            )
            for step in body["steps"]
        ),
    )


def read_sequence(
    name: str, data: Mapping[str, Any], pipelines: Mapping[str, Pipeline]
) -> SequenceDefinition:
    """The parsed TOML of `sequences/<name>.toml` as a definition, its stages looked up.

    Raises DefinitionError: one line with file, key and what to write instead.
    """
    where = f"sequences/{name}.toml"
    check_name(name, where)
    _known(data, _KEYS, where)
    start, segment = _start(data, where, pipelines)
    leaving = _table(data, "exit", where, ("stages",)) or {}
    window = _table(data, "window", where, WINDOW_KEYS)
    doubt = data.get("when_in_doubt")
    if doubt not in (None, "hold", "resend"):
        raise DefinitionError(f'{where}: when_in_doubt is "hold" or "resend", not {doubt!r}')
    named = leaving.get("stages", [])
    if not isinstance(named, list):
        raise DefinitionError(f'{where}: stages is a list; write stages = ["won", "lost"]')
    exits = tuple(dict.fromkeys(_place(each, where, "[exit] stages", pipelines) for each in named))
    if start is not None and start in exits:
        raise DefinitionError(
            f"{where}: stages of [exit] names {start[1]!r}, which starts it: it would end at once"
        )
    return SequenceDefinition(
        name=name,
        description=_text(data, "description", where, "") or "",
        identity=_text(data, "identity", where) or "",
        segment=segment,
        trigger=start,
        exits=exits,
        window=read_window(window, where) if window is not None else None,
        expires_after=length(data.get("expires_after", "48 hours"), where, "expires_after"),
        when_in_doubt=doubt,
        steps=_steps(data.get("step"), where),
        consent=read_consent(data, where),
    )


def _start(
    data: Mapping[str, Any], where: str, pipelines: Mapping[str, Pipeline]
) -> tuple[Place | None, str]:
    """The stage that starts it, if one does, and the segment that does or whose leads may enter."""
    trigger = _table(data, "trigger", where, ("stage", "segment")) or {}
    if not trigger:
        raise DefinitionError(
            f'{where}: what starts it is missing; write [trigger] stage = "demo" '
            'or [trigger] segment = "NAME"'
        )
    if len(trigger) > 1:
        raise DefinitionError(
            f"{where}: [trigger] names a stage and a segment; keep one of them. For leads of a "
            "segment that enter a stage write the segment above [trigger]"
        )
    if "stage" in trigger:
        start = _place(trigger["stage"], where, "[trigger] stage", pipelines)
        return start, _text(data, "segment", where, "") or ""
    if "segment" in data:
        raise DefinitionError(
            f"{where}: segment = {data['segment']!r} is for a sequence that a stage starts; "
            "this one starts with the segment of [trigger], so take the line away"
        )
    return None, _text(trigger, "segment", f"{where}: [trigger]") or ""


def _steps(data: object, where: str) -> tuple[Step, ...]:
    if not isinstance(data, list) or not data or not all(isinstance(s, Mapping) for s in data):
        raise DefinitionError(
            f'{where}: it has no steps; write [[step]] with name = "hello" and send = "TEMPLATE"'
        )
    steps: list[Step] = []
    for number, given in enumerate(data, 1):
        place = f"{where}: step {number}"
        _known(given, _STEP_KEYS, place)
        name = _text(given, "name", place) or ""
        if not _STEP_NAME.match(name):
            raise DefinitionError(
                f"{place}: the name {name!r} must be small letters, digits, - and _ (at most 32)"
            )
        if any(step.name == name for step in steps):
            raise DefinitionError(f"{place}: there is a step {name!r} already; give it a new name")
        if ("send" in given) == ("wait" in given):
            raise DefinitionError(
                f'{place} ({name}): write either send = "TEMPLATE" or wait = "3 days"'
            )
        if "send" in given:
            steps.append(Step(name=name, send=_text(given, "send", place)))
        else:
            steps.append(Step(name=name, wait=length(given["wait"], place, "wait")))
    if not any(step.send for step in steps):
        raise DefinitionError(f'{where}: no step sends anything; write send = "TEMPLATE" in one')
    return tuple(steps)


def length(text: object, where: str, key: str) -> timedelta:
    """`"3 days"`, `"30 seconds"` as a timedelta; raises DefinitionError."""
    match = _SPAN.match(text.strip().lower()) if isinstance(text, str) else None
    if match is None or int(match[1]) == 0 or len(match[1]) > 6:
        raise DefinitionError(
            f'{where}: {key} = {text!r} is no length of time; write "3 days" '
            "(seconds, minutes, hours, days, weeks)"
        )
    return timedelta(**{match[2] + "s": int(match[1])})


def _known(data: Mapping[str, Any], keys: Sequence[str], where: str) -> None:
    for key in data:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(keys)}"
            raise DefinitionError(f"{where}: unknown key {key!r}{hint}")


def _table(
    data: Mapping[str, Any], key: str, where: str, keys: Sequence[str]
) -> Mapping[str, Any] | None:
    found = data.get(key)
    if found is None:
        return None
    if not isinstance(found, Mapping):
        raise DefinitionError(f"{where}: {key} is a table: [{key}] with {', '.join(keys)}")
    _known(found, keys, f"{where}: [{key}]")
    return found


def _text(data: Mapping[str, Any], key: str, where: str, default: str | None = None) -> str | None:
    value = data.get(key, default)
    if value == default and default is not None:
        return default
    if not isinstance(value, str) or not value.strip():
        raise DefinitionError(f'{where}: {key} is missing; write {key} = "NAME"')
    return value.strip()


def _place(text: object, where: str, key: str, pipelines: Mapping[str, Pipeline]) -> Place:
    if not isinstance(text, str) or not text.strip():
        raise DefinitionError(f'{where}: {key} must name a stage, such as "demo"')
    try:
        return stage_named(text.strip(), pipelines)
    except StageError as error:
        raise DefinitionError(f"{where}: {key}: {error}") from error
