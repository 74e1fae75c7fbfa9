"""What a template makes of everybody it is for: the traits of single messages, put together.

Pure: it takes what was rendered, one recipient at a time, and gives tallies, values that can be
merged in any order. A tally's size depends on the template, not on the number of recipients.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from templates.branches import Branch
from templates.odd_names import printable
from templates.rendered import Rendered
from templates.traits import Trait, TraitKind, Tried, of_branch, of_choice

#: Leads that are kept of each group.
FEW = 10
#: What is measured of a message.
MEASURES = ("longest_subject", "shortest_subject", "largest_html", "largest_message")


class Behind(NamedTuple):
    """A lead behind a trait."""

    lead_id: int
    email: str
    #: What is particular about this one: the odd name, the line with the hole.
    note: str = ""


class Measured(NamedTuple):
    """A message that is longer, shorter or larger than the others; sorts with the first first."""

    rank: int
    lead_id: int
    email: str
    note: str

    @property
    def size(self) -> int:
        return abs(self.rank)


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """The leads behind one trait: how many, and the first few by id."""

    count: int = 0
    first: tuple[Behind, ...] = ()

    def merged(self, other: "Group") -> "Group":
        """Both together."""
        first = tuple(sorted((*self.first, *other.first))[:FEW])
        return Group(count=self.count + other.count, first=first)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """Traits of many messages. `merged` is associative and `Tally()` changes nothing."""

    messages: int = 0
    groups: Mapping[Trait, Group] = field(default_factory=dict)
    #: By the names of `MEASURES`.
    extremes: Mapping[str, tuple[Measured, ...]] = field(default_factory=dict)

    def merged(self, other: "Tally") -> "Tally":
        """Both together, as if all messages had been looked at in one go."""
        groups = dict(self.groups)
        for trait, group in other.groups.items():
            groups[trait] = groups[trait].merged(group) if trait in groups else group
        extremes = {
            name: tuple(sorted((*self.extremes.get(name, ()), *other.extremes.get(name, ())))[:FEW])
            for name in {**self.extremes, **other.extremes}
        }
        messages = self.messages + other.messages
        return Tally(messages=messages, groups=groups, extremes=extremes)

    def of(self, kind: TraitKind) -> list[tuple[Trait, Group]]:
        """The traits of one kind, the most frequent first."""
        found = [(trait, group) for trait, group in self.groups.items() if trait.kind == kind]
        return sorted(found, key=lambda each: (-each[1].count, each[0]))

    @property
    def failed(self) -> int:
        """Messages that cannot be made."""
        return sum(group.count for _, group in self.of(TraitKind.FAILED))


def tally(looked: Iterable[tuple[Tried, Iterable[tuple[Trait, str]]]]) -> Tally:
    """Messages with their `traits`, put together."""
    counts: dict[Trait, int] = {}
    first: dict[Trait, list[Behind]] = {}
    extremes: dict[str, list[Measured]] = {name: [] for name in MEASURES}
    messages = 0
    for tried, found in looked:
        messages += 1
        lead_id, email = tried.recipient.lead_id, tried.recipient.email
        for trait, note in found:
            count = counts[trait] = counts.get(trait, 0) + 1
            if count <= FEW or lead_id <= first[trait][-1].lead_id:
                behind = first.setdefault(trait, [])
                behind.append(Behind(lead_id, email, printable(note, 120)))
                behind.sort()
                del behind[FEW:]
        if tried.rendered is not None:
            _measure(extremes, tried, tried.rendered)
    return Tally(
        messages=messages,
        groups={each: Group(count=counts[each], first=tuple(first[each])) for each in counts},
        extremes={name: tuple(rows) for name, rows in extremes.items() if rows},
    )


def _measure(extremes: dict[str, list[Measured]], tried: Tried, rendered: Rendered) -> None:
    length = len(rendered.subject)
    ranks = {"longest_subject": -length, "shortest_subject": length}
    if rendered.html is not None:
        ranks["largest_html"] = -len(rendered.html.encode(errors="replace"))
    if tried.size:
        ranks["largest_message"] = -tried.size
    for name, rank in ranks.items():
        rows = extremes[name]
        if len(rows) < FEW or rank <= rows[-1].rank:
            note = printable(rendered.subject) if "subject" in name else ""
            recipient = tried.recipient
            rows.append(Measured(rank, recipient.lead_id, recipient.email, note))
            rows.sort()
            del rows[FEW:]


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """How often a branch was taken among the messages that came to its choice."""

    branch: Branch
    taken: Group
    #: Messages that came to the choice.
    asked: int

    @property
    def verdict(self) -> str:
        """never, always or sometimes; unreached when no message came by."""
        if not self.asked:
            return "unreached"
        if not self.taken.count:
            return "never"
        return "always" if self.taken.count == self.asked else "sometimes"


def ways(branches: Iterable[Branch], found: Tally) -> list[Way]:
    """Each branch of a template with how often it was taken, in the order they stand."""
    told = []
    for branch in branches:
        taken = found.groups.get(of_branch(branch), Group())
        asked = found.groups.get(of_choice(branch.choice), Group()).count
        told.append(Way(branch=branch, taken=taken, asked=asked))
    return told
