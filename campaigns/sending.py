"""How a worker sends: what `console` turns settings into."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

from campaigns.scribes import Scribes
from campaigns.starting import Starting
from campaigns.writing import Office
from deliverability import Connection, Identity, Pacer, PaceSettings, PaceState
from leads import FrequencyCap

#: Rows in `sending` at full speed: with fewer, fsync sets the pace; measured, see docs.
FULL_SPEED_WINDOW = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Sending:
    """How a worker sends."""

    #: One office per identity.
    offices: Mapping[str, Office]
    zone: ZoneInfo
    #: (identity, provider, what was learnt) -> the lane's pacer; None sends without pace.
    pacer: Callable[[Identity, str, PaceState], Pacer] | None
    #: Settings of a provider's lanes.
    pace: Callable[[str], PaceSettings]
    #: (identity, provider) -> a connection that judges answers as the provider means them.
    dial: Callable[[Identity, str], Awaitable[Connection]]
    #: (this deferral's number, seed) -> wait before the next try, None to give up.
    retry: Callable[[int, str], timedelta | None]
    #: Identity -> why it has no office: a password that was not found.
    absent: Mapping[str, str] = field(default_factory=dict)
    cap: FrequencyCap | None = None
    #: Messages an hour to one company domain, over all identities; None: any number.
    domain_per_hour: int | None = None
    #: What starting by schedule needs; None starts nothing by itself.
    starting: Starting | None = None
    window: int = FULL_SPEED_WINDOW
    #: Who writes messages in other processes; None: the worker's own does.
    scribes: Scribes | None = None
