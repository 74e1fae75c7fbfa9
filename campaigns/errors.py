"""What can go wrong in this room, as a person would say it.

CampaignError
├── DefinitionError      a campaign file says something we do not understand
├── UnknownCampaign      nobody applied a campaign of that name
├── AlreadyRan           the occurrence exists: starting again would write twice
├── NotPossible          the run's state does not allow what was asked
│   └── Tripped          a breaker stopped it, and nobody has said yet that they know why
└── PlanChanged          what was looked at is not what would be sent now
"""


class CampaignError(Exception):
    """The campaign could not do what was asked."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class DefinitionError(CampaignError):
    """The campaign's file has a mistake."""


class UnknownCampaign(CampaignError):
    """There is no campaign of that name."""


class AlreadyRan(CampaignError):
    """This campaign has been started already."""


class NotPossible(CampaignError):
    """The run is not in a state that allows this."""


class Tripped(NotPossible):
    """What came back stopped it."""


class PlanChanged(CampaignError):
    """The plan changed since it was looked at."""
