"""What a plan finds wrong or worth knowing."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something that is wrong or worth knowing before sending."""

    id: str
    #: error | warning | info; an error stops `start`.
    level: str
    where: str
    what: str
    do: str

    def document(self) -> dict[str, str]:
        return {
            "id": self.id,
            "level": self.level,
            "where": self.where,
            "what": self.what,
            "do": self.do,
        }
