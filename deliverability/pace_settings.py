"""How fast one lane may begin, and how fast it may ever be."""

from dataclasses import dataclass, replace

from deliverability.errors import ProviderError
from deliverability.providers import Provider

#: Without `at_most_per_minute` a lane may grow to so many times its first pace.
GROWTH = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class PaceSettings:
    """`[pace.default]`, `[pace.<provider>]`: how fast one lane may be."""

    #: Messages per minute: where a lane begins, until its answers have taught it better.
    per_minute: float = 60.0
    #: Messages per minute that are never passed; None: `GROWTH` times `per_minute`.
    at_most_per_minute: float | None = None
    #: Connections of this lane at the same time; the identity's limit also holds.
    connections: int = 2
    #: Messages on one connection before it is closed.
    per_connection: int = 100
    #: Random extra room between slots, as a share of the slot.
    jitter: float = 0.2

    def __post_init__(self) -> None:
        most = self.at_most_per_minute
        if not 0 < self.per_minute <= 1_000_000:
            raise ProviderError(f"per_minute = {self.per_minute:g}: write a number above 0")
        if most is not None and not 0 < most <= 1_000_000:
            raise ProviderError(f"at_most_per_minute = {most:g}: write a number above 0")
        if self.connections < 1 or self.per_connection < 1:
            raise ProviderError("connections and per_connection start at 1")
        if not 0 <= self.jitter <= 1:
            raise ProviderError(f"jitter = {self.jitter:g}: write a share from 0 to 1")

    @property
    def start(self) -> float:
        """Messages per second a lane begins with."""
        return min(self.per_minute / 60, self.highest)

    @property
    def highest(self) -> float:
        """Messages per second that are never passed."""
        most = self.at_most_per_minute
        return (self.per_minute * GROWTH if most is None else most) / 60

    @property
    def spread(self) -> float:
        """The mean slot over the shortest one."""
        return 1 + self.jitter / 2

    def expected(self, learnt: float | None = None) -> float:
        """Messages per second to plan with: `learnt` by the lane, else where it begins."""
        rate = self.start if learnt is None else min(learnt, self.highest)
        return rate / self.spread

    def within(self, provider: Provider | None) -> "PaceSettings":
        """These settings, no hotter than what the shipped table says of the provider."""
        if provider is None:
            return self
        most = provider.at_most_per_minute
        if self.at_most_per_minute is not None:
            most = min(self.at_most_per_minute, most or self.at_most_per_minute)
        return replace(
            self,
            per_minute=min(self.per_minute, provider.per_minute or self.per_minute),
            at_most_per_minute=most,
            connections=min(self.connections, provider.connections or self.connections),
            per_connection=min(self.per_connection, provider.per_connection or self.per_connection),
        )
