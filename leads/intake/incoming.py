"""One row of a file as a lead to be, or the reason why it is none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial

from leads.address import Address, address_key, parse_address
from leads.consent import GIVEN, PENDING, WITHDRAWN
from leads.errors import FieldError, LeadError
from leads.fields import FIELDS, attribute_list, attribute_value, choice, field_value, tag
from leads.intake.mapping import IGNORED, Column
from leads.intake.reading import Row
from leads.intake.terms import Terms
from leads.intake.values import moment, tags_in, values_in, yes_or_no
from leads.names import complete
from leads.pipeline import find_pipeline

#: Fields whose values are codes: what is not understood is kept as an attribute of that name.
_CODED = {"country", "language", "timezone"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreed:
    """A consent as the file states it."""

    topic: str
    #: `given` or `withdrawn`.
    state: str
    source: str
    #: None when the file does not say; the import's own time is taken then.
    at: datetime | None


@dataclass(kw_only=True, slots=True)
class Incoming:
    """What a row says. Empty cells are not in it."""

    line: int
    address: Address
    key: str
    fields: dict[str, str] = field(default_factory=dict)
    pipeline: str = ""
    stage: str = ""
    #: Texts, and lists of texts.
    attributes: dict[str, str | list[str]] = field(default_factory=dict)
    preferences: dict[str, list[str]] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    consents: list[Agreed] = field(default_factory=list)
    opted_out: bool = False
    #: (column, what was not understood and is kept as an attribute).
    odd: list[tuple[str, str]] = field(default_factory=list)


#: What the row says of matters that several columns decide.
Said = dict[str, str]
Take = Callable[[Incoming, Said, str], None]


class Reader:
    """Turns rows into `Incoming`. Columns are sorted out once, so that a row costs little."""

    def __init__(self, columns: Sequence[Column], terms: Terms) -> None:
        self._terms = terms
        self._email = next(c.index for c in columns if c.target == "email")
        self._width = len(columns)
        self._rest = [
            (
                c.index,
                c.heading or f"#{c.index + 1}",
                c.target if c.target in _CODED else "",
                self._taker(c.target),
            )
            for c in columns
            if c.target not in (IGNORED, "email")
        ]
        #: What was said of pipeline and stage -> where that is; few, and asked for every row.
        self._places: dict[tuple[str, str], tuple[str, str]] = {}
        self._has_consent = any(c.target == "consent" for c in columns)

    def key(self, row: Row) -> str | None:
        """The address key of a row; None when it has no good address."""
        if self._email >= len(row.cells):
            return None
        try:
            return address_key(parse_address(row.cells[self._email]), self._terms.key)
        except LeadError:
            return None

    def read(self, row: Row) -> Incoming:
        """The row as a lead; raises LeadError with the reason why it is none."""
        cells = row.cells
        if row.wrong:
            raise FieldError(row.wrong)
        if len(cells) > self._width and any(cell.strip() for cell in cells[self._width :]):
            raise FieldError(
                f"the row has {len(cells)} cells and the header {self._width}: a value that holds "
                "the delimiter needs quotation marks around it"
            )
        if "\x00" in "".join(cells):
            raise FieldError("the row holds NUL bytes: the file was damaged")
        address = parse_address(cells[self._email] if self._email < len(cells) else "")
        found = Incoming(line=row.line, address=address, key=address_key(address, self._terms.key))
        said: dict[str, str] = {}
        width = len(cells)
        for index, heading, coded, take in self._rest:
            if index < width and (cell := cells[index].strip()):
                try:
                    take(found, said, cell)
                except FieldError as error:
                    if coded:
                        found.attributes[coded] = attribute_value(cell)
                        found.odd.append((heading, f"line {row.line}: {error}"))
                        continue
                    raise FieldError(f"{heading}: {error}") from error
        if self._terms.source:
            found.fields.setdefault("source", self._terms.source)
        complete(found.fields)
        self._stage(found, said)
        self._consent(found, said)
        return found

    def _taker(self, target: str) -> Take:
        """What puts a cell of this column into the row; made once for each column."""
        name = target.partition(".")[2]
        if target in _CODED:
            return partial(_coded, target)
        if target in FIELDS:
            return partial(_field, target)
        if target == "tags":
            return _tags
        if target.startswith("prefers."):
            return partial(_preference, name)
        if target.startswith("attr."):
            if name.endswith("[]"):
                return partial(_attribute_list, name.removesuffix("[]"))
            return partial(_attribute, name)
        if target.startswith("consent."):
            return partial(self._topic_consent, name)
        if target == "opted_out":
            return _opted_out
        return partial(_later, target)

    def _stage(self, found: Incoming, said: dict[str, str]) -> None:
        if "pipeline" in said or "stage" in said:
            place = said.get("pipeline", ""), said.get("stage", "")
            if place not in self._places:
                self._places[place] = self._place(*place)
            found.pipeline, found.stage = self._places[place]

    def _place(self, pipeline: str, stage: str) -> tuple[str, str]:
        terms = self._terms
        chosen = find_pipeline(terms.pipelines, pipeline) if pipeline else terms.pipeline
        return chosen.name, chosen.named(stage) if stage else chosen.names[0]

    def _consent(self, found: Incoming, said: dict[str, str]) -> None:
        terms = self._terms
        state = GIVEN
        own = "consent_source" in said or "consent_date" in said
        if "consent" in said:
            word = yes_or_no(said["consent"])
            if word is None:
                raise FieldError(f'consent: "{said["consent"]}" says neither yes nor no')
            state = GIVEN if word else WITHDRAWN
        elif not own and (self._has_consent or not (terms.consent_source or terms.consent_date)):
            return
        at = terms.consent_date
        if "consent_date" in said:
            at = self._past(said["consent_date"])
        source = choice(said.get("consent_source", terms.consent_source), "consent_source")
        topics = values_in(said.get("consent_topic", terms.consent_topic)) or [""]
        found.consents += [
            Agreed(topic=choice(t, "consent_topic"), state=state, source=source, at=at)
            for t in topics
        ]

    def _topic_consent(self, named: str, found: Incoming, __: Said, cell: str) -> None:
        """`given 2025-09-21 fair in Poznań`, as `leads export` writes it; or a plain yes or no."""
        word, _, rest = cell.partition(" ")
        if word.casefold() == PENDING:
            return  # as an export has it: nobody has agreed to anything
        state, at = yes_or_no(word), None
        if state is None:
            state, rest = True, cell
        date, _, source = rest.strip().partition(" ")
        if date:
            at = self._past(date)
        topic = choice(named, "a topic")
        found.consents.append(
            Agreed(
                topic="" if topic == "*" else topic,
                state=GIVEN if state else WITHDRAWN,
                source=choice(source, "the source of a consent"),
                at=at,
            )
        )

    def _past(self, text: str) -> datetime:
        at = moment(text, self._terms.zone)
        if at > self._terms.now:
            raise FieldError(f'consent_date: "{text}" has not come yet')
        return at


def _field(name: str, found: Incoming, _: Said, cell: str) -> None:
    value = field_value(name, cell)
    if value:
        found.fields[name] = value


def _coded(name: str, found: Incoming, _: Said, cell: str) -> None:
    value, why = _code(name, cell)
    if why:
        raise FieldError(why)
    if value:
        found.fields[name] = value


@lru_cache(maxsize=4096)
def _code(name: str, cell: str) -> tuple[str, str]:
    """(value, "") or ("", why not); few differ, and the nearest code takes milliseconds to find."""
    try:
        return field_value(name, cell), ""
    except FieldError as error:
        return "", str(error)


def _tags(found: Incoming, _: Said, cell: str) -> None:
    found.tags += [each for each in _tags_of(cell) if each not in found.tags]


@lru_cache(maxsize=4096)
def _tags_of(cell: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag(text) for text in tags_in(cell)))


def _preference(name: str, found: Incoming, _: Said, cell: str) -> None:
    values = _choices(cell)
    if name in found.preferences:
        found.preferences[name] += [v for v in values if v not in found.preferences[name]]
    elif values:
        found.preferences[name] = list(values)


@lru_cache(maxsize=4096)
def _choices(cell: str) -> tuple[str, ...]:
    values = (choice(text, "a preference") for text in values_in(cell))
    return tuple(dict.fromkeys(value for value in values if value))


def _attribute(name: str, found: Incoming, _: Said, cell: str) -> None:
    value = attribute_value(cell)
    if value:
        found.attributes[name] = value


def _attribute_list(name: str, found: Incoming, _: Said, cell: str) -> None:
    values = attribute_list(values_in(cell))
    if values:
        found.attributes[name] = values


def _opted_out(found: Incoming, _: Said, cell: str) -> None:
    word = yes_or_no(cell)
    if word is None:
        # Mailchimp writes the time of opting out, others the word itself.
        if not any(c.isdigit() for c in cell) and "unsub" not in cell.casefold():
            raise FieldError(f'"{cell}" says neither yes nor no')
        word = True
    found.opted_out = found.opted_out or word


def _later(target: str, _: Incoming, said: Said, cell: str) -> None:
    said[target] = cell
