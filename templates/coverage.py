"""What a template makes of everybody it is for: traits about single messages, put together.

Pure: it takes what was rendered, one recipient at a time, and gives tallies, values that can be
merged in any order. A tally's size depends on the template, not on the number of recipients.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from leads import Recipient
from templates.branches import Branch, Notes
from templates.compiled import Compiled
from templates.errors import RenderError
from templates.fields import Missing
from templates.greeting import hole, lines_of
from templates.odd_names import NAME_FIELDS, oddity, printable
from templates.rendered import Rendered

#: Leads that are kept of each group.
FEW = 10


class TraitKind(StrEnum):
    """What a trait is about."""

    #: The message cannot be made.
    FAILED = "failed"
    #: It greets nobody.
    GREETING = "greeting"
    #: A field had no value and a default was taken.
    DEFAULT = "default"
    #: A field had no value, and the template asked before it printed anything.
    EMPTY = "empty"
    #: A name that looks strange.
    ODD = "odd"
    #: There are no texts in the lead's language.
    FALLBACK = "fallback"
    LANGUAGE = "language"
    BRANCH = "branch"
    CHOICE = "choice"


#: Kinds that say something about the lead; the others are about the template.
OF_LEADS = tuple(TraitKind)[:6]
#: What is measured of a message, and whether the most or the least of it is looked for.
MEASURES = {
    "longest_subject": True,
    "shortest_subject": False,
    "largest_html": True,
    "largest_message": True,
}


class Trait(NamedTuple):
    """What messages can have in common."""

    kind: TraitKind
    #: The field, the part of the mail, the language, the branch.
    what: str
    #: `file:line` where there is one.
    where: str = ""
    #: The default's text, the kind of oddity, the language taken instead.
    said: str = ""


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
class Tried:
    """One recipient's message as it came out, or the error instead of it."""

    recipient: Recipient
    notes: Notes = field(default_factory=Notes)
    rendered: Rendered | None = None
    error: RenderError | None = None
    #: Bytes of the whole mail.
    size: int = 0


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


def traits(compiled: Compiled, tried: Tried) -> Iterator[tuple[Trait, str]]:
    """What is to be said of one message, each with what is particular about it."""
    recipient, rendered = tried.recipient, tried.rendered
    if tried.error is not None:
        # Not by the words of the error: a lead's own data may be in them.
        yield Trait(TraitKind.FAILED, tried.error.field, tried.error.where), tried.error.what
    yield from _names(recipient, tried.notes)
    # Of those that failed, too: a way on which a message fails is no dead one.
    yield from _branches(tried.notes)
    if rendered is None:
        return
    yield from _fields(compiled, rendered, tried.notes)
    yield from _greetings(compiled, rendered)
    yield from _languages(compiled, recipient, rendered)


def _branches(notes: Notes) -> Iterator[tuple[Trait, str]]:
    for branch in notes.branches:
        yield Trait(TraitKind.BRANCH, branch.text, branch.place, branch.choice), ""
    for choice in {branch.choice for branch in notes.branches}:
        yield Trait(TraitKind.CHOICE, choice), ""


def _fields(compiled: Compiled, rendered: Rendered, notes: Notes) -> Iterator[tuple[Trait, str]]:
    """Fields without a value, and what was taken instead."""
    given = {name for name, _ in notes.defaults}
    for name, default in notes.defaults:
        yield Trait(TraitKind.DEFAULT, name, default.place, default.text), ""
    defaults = compiled.texts[rendered.language].defaults
    for path, answer in notes.seen.items():
        root, *inner, name = path.split(".", 2)
        read: Mapping[str, Any] = rendered.read.get(root, {})
        value = (read.get(inner[0], {}) if inner else read).get(name)
        if value is not None and value != "" and value != []:
            continue
        if isinstance(answer, Missing) or answer == []:
            if path not in given:
                yield Trait(TraitKind.EMPTY, path), ""
        elif path.removeprefix("lead.") in defaults:
            yield Trait(TraitKind.DEFAULT, path, "message.toml", str(answer)), ""


def _names(recipient: Recipient, notes: Notes) -> Iterator[tuple[Trait, str]]:
    """Odd ones among the names that the template uses."""
    for name in NAME_FIELDS:
        if f"lead.{name}" in notes.seen:
            value = getattr(recipient, name)
            kind = oddity(value) if value else ""
            if kind:
                yield Trait(TraitKind.ODD, f"lead.{name}", said=kind), value


def _greetings(compiled: Compiled, rendered: Rendered) -> Iterator[tuple[Trait, str]]:
    language = rendered.language or compiled.language
    holes = {
        "subject": hole([rendered.subject], language, subject=True),
        "text": hole(rendered.text[:4000].split("\n"), language),
        "html": "" if rendered.html is None else hole(lines_of(rendered.html), language),
    }
    parts = [part for part, line in holes.items() if line]
    if parts:
        yield Trait(TraitKind.GREETING, ", ".join(parts)), holes[parts[0]]


def _languages(
    compiled: Compiled, recipient: Recipient, rendered: Rendered
) -> Iterator[tuple[Trait, str]]:
    taken = rendered.language or compiled.language
    yield Trait(TraitKind.LANGUAGE, taken), ""
    wanted = recipient.language.lower().partition("-")[0]
    if wanted == taken.partition("-")[0]:
        return
    # With texts in one language only it says nothing that a lead's language is not known.
    if wanted or len(compiled.languages) > 1:
        known = wanted if re.fullmatch("[a-z]{0,3}", wanted) else "other"
        yield Trait(TraitKind.FALLBACK, known, said=taken), ""


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
            counts[trait] = counts.get(trait, 0) + 1
            behind = first.setdefault(trait, [])
            if len(behind) < FEW or lead_id <= behind[-1].lead_id:
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
        key = Trait(TraitKind.BRANCH, branch.text, branch.place, branch.choice)
        asked = found.groups.get(Trait(TraitKind.CHOICE, branch.choice), Group()).count
        told.append(Way(branch=branch, taken=found.groups.get(key, Group()), asked=asked))
    return told
