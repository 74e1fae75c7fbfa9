"""How a file is to be taken in: what the user said once, for every row."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from difflib import get_close_matches

from leads.errors import StageError
from leads.pipeline import Pipeline

#: The states of a consent.
GIVEN, WITHDRAWN = "given", "withdrawn"

#: What happens to a lead that is there already.
ON_DUPLICATE: dict[str, str] = {
    "fill": "only what is still empty is filled",
    "overwrite": "what the file says replaces what was known; empty cells replace nothing",
    "skip": "it is left as it is",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """The conditions of one import."""

    #: Keys `leads.address_key`.
    key: bytes
    #: Shown on timelines: the file's name without its folder.
    file: str
    by: str
    now: datetime
    #: What dates without a zone mean.
    zone: tzinfo
    #: By name; stages in the file must be theirs.
    pipelines: Mapping[str, Pipeline]
    #: Where new leads go unless the file says otherwise.
    pipeline: Pipeline
    #: A key of `ON_DUPLICATE`.
    on_duplicate: str = "fill"
    #: Written into `source` where the file has none.
    source: str = ""
    #: Who stated the preferences; else the file.
    said_by: str = ""
    #: Consent of every row that does not speak of its own: how it was obtained, when, about what.
    consent_source: str = ""
    consent_date: datetime | None = None
    consent_topic: str = ""


def find_pipeline(pipelines: Mapping[str, Pipeline], name: str | None) -> Pipeline:
    """The pipeline of this name; without a name `sales`, else the first there is.

    Raises StageError with the nearest name.
    """
    if not name:
        return pipelines.get("sales") or next(iter(pipelines.values()))
    if name in pipelines:
        return pipelines[name]
    near = get_close_matches(name, list(pipelines), n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there is: {', '.join(pipelines)}"
    raise StageError(f"There is no pipeline {name!r}; {hint}")
