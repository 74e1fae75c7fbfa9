"""What is to be said of one message: what it lacked, whom it greets, which ways it went."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from leads import Recipient
from templates.branches import Branch, Notes
from templates.compiled import Compiled
from templates.errors import RenderError
from templates.fields import Missing
from templates.greeting import hole, lines_of
from templates.odd_names import NAME_FIELDS, oddity
from templates.rendered import Rendered


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

    # An Enum's own is a function in Python, called for each trait of each message.
    __hash__ = str.__hash__


#: Kinds that say something about the lead; the others are about the template.
OF_LEADS = tuple(TraitKind)[:6]


class Trait(NamedTuple):
    """What messages can have in common."""

    kind: TraitKind
    #: The field, the part of the mail, the language, the branch.
    what: str
    #: `file:line` where there is one.
    where: str = ""
    #: The default's text, the kind of oddity, the language taken instead.
    said: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tried:
    """One recipient's message as it came out, or the error instead of it."""

    recipient: Recipient
    notes: Notes = field(default_factory=Notes)
    rendered: Rendered | None = None
    error: RenderError | None = None
    #: Bytes of the whole mail.
    size: int = 0


def traits(compiled: Compiled, tried: Tried) -> Iterator[tuple[Trait, str]]:
    """What is to be said of one message, each with what is particular about it."""
    recipient, rendered = tried.recipient, tried.rendered
    if tried.error is not None:
        # Not by the words of the error: a lead's own data may be in them.
        yield Trait(TraitKind.FAILED, tried.error.field, tried.error.where), tried.error.what
    yield from _names(recipient, tried.notes)
    # Of those that failed, too: a way on which a message fails is no dead one.
    yield from _branches(tried.notes.branches)
    if rendered is None:
        return
    yield from _fields(compiled, rendered, tried.notes)
    yield from _greetings(compiled, rendered)
    yield from _languages(compiled, recipient, rendered)


@lru_cache(maxsize=512)
def _branches(branches: frozenset[Branch]) -> tuple[tuple[Trait, str], ...]:
    choices = {branch.choice for branch in branches}
    return (
        *((of_branch(branch), "") for branch in branches),
        *((of_choice(choice), "") for choice in choices),
    )


def of_branch(branch: Branch) -> Trait:
    """Messages that went this way."""
    return Trait(TraitKind.BRANCH, branch.text, branch.place, branch.choice)


def of_choice(choice: str) -> Trait:
    """Messages that came to a choice."""
    return Trait(TraitKind.CHOICE, choice)


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
