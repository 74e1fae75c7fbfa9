"""How a file is to be taken in: what the user said once, for every row."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from leads.pipeline import Pipeline

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
    #: One of its stages; empty means the first.
    stage: str = ""
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
