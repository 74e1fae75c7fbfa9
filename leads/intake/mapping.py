"""Which column is what: by the user's word, else by the heading, else an attribute."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from leads.errors import FieldError, MappingError
from leads.fields import field_word
from leads.intake.headings import HEADINGS, KNOWN, plain
from leads.intake.reading import Source
from leads.preferences import preference_name

#: Targets with a name of the user's own behind the dot, and what they become.
_PREFIXES = {
    "prefers.": "prefers.",
    "prefer.": "prefers.",
    "preference.": "prefers.",
    "attr.": "attr.",
    "attribute.": "attr.",
    "attributes.": "attr.",
    "consent.": "consent.",
}
IGNORED = "-"


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column of the file."""

    #: Counted from 0.
    index: int
    heading: str
    #: `email`, `company`, `tags`, `prefers.topic`, `attr.industry`, `-` ...
    target: str
    #: `given` by the user, `known` by its heading, or its `own` attribute.
    by: str


def map_columns(source: Source, given: Sequence[str] = ()) -> tuple[Column, ...]:
    """What every column is. `given` are the user's words: `Work e-mail=email`, `#3=prefers.topic`,
    `Notes=-` to leave one out.

    Raises MappingError: one line with what to do.
    """
    width = len(source.header) or source.width
    headings = source.header or tuple("" for _ in range(width))
    chosen = _given(given, headings, width)
    if not source.header and width == 1 and not chosen:
        chosen = {0: "email"}  # a plain list of addresses
    if not source.header and "email" not in chosen.values():
        raise MappingError(
            f"{source.path} has no header: its first line already holds an address. Put a line "
            "such as email,first_name,company on top, or number the columns: --map '#1=email'"
        )
    _refuse_twins(headings, chosen)
    targets = dict(chosen)
    best: dict[str, tuple[int, int]] = {}
    for index, heading in enumerate(headings):
        if index in chosen:
            continue
        if prefixed := _prefixed(heading):
            targets[index] = prefixed
        elif _is_reject_column(index, headings):
            targets[index] = IGNORED
        elif plain(heading) in KNOWN:
            target, rank = KNOWN[plain(heading)]
            if target == IGNORED:
                targets[index] = target
            elif target not in chosen.values() and (rank, index) < best.get(target, (999, 0)):
                best[target] = (rank, index)
    targets |= {index: target for target, (_, index) in best.items()}
    columns = []
    for index, heading in enumerate(headings):
        by = "given" if index in chosen else "known" if index in targets else "own"
        word = field_word(heading)
        own = f"attr.{word}{_list_mark(heading)}" if word else IGNORED
        target = targets.get(index, own)
        columns.append(Column(index=index, heading=heading, target=target, by=by))
    _refuse_doubles(columns)
    if "email" not in targets.values():
        raise MappingError(_no_address(source, headings))
    return tuple(columns)


def targets_of(columns: Sequence[Column]) -> Mapping[str, str]:
    """{heading: target}, for showing and for keeping with the import."""
    return {column.heading or f"#{column.index + 1}": column.target for column in columns}


def _given(given: Sequence[str], headings: Sequence[str], width: int) -> dict[int, str]:
    chosen: dict[int, str] = {}
    spelt = {plain(heading): heading for heading in headings}
    for text in given:
        left, sign, right = text.rpartition("=")
        if not sign or not left.strip():
            raise MappingError(f"--map {text!r}: write COLUMN=FIELD, as in 'Work e-mail=email'")
        target = _target(right.strip())
        name = left.strip()
        if name.startswith("#") and name[1:].isdigit() and name not in headings:
            number = int(name[1:])
            if not 1 <= number <= width:
                raise MappingError(f"--map {text!r}: the file has columns #1 to #{width}")
            chosen[number - 1] = target
            continue
        exact = [i for i, heading in enumerate(headings) if heading == name]
        places = exact or [i for i, h in enumerate(headings) if plain(h) == plain(name)]
        if not places:
            near = get_close_matches(plain(name), list(spelt), n=1)
            hint = f'did you mean "{spelt[near[0]]}"?' if near else f"there is: {_list(headings)}"
            raise MappingError(f'--map: the file has no column "{name}"; {hint}')
        if len(places) > 1:
            raise MappingError(
                f'--map: the header has "{name}" {len(places)} times; say which by number: '
                f"--map '#{places[0] + 1}={target}'"
            )
        chosen[places[0]] = target
    return chosen


def _target(text: str) -> str:
    if text in ("", IGNORED, "ignore"):
        return IGNORED
    if prefixed := _prefixed(text):
        return prefixed
    word = text.casefold().replace(" ", "_").replace("-", "_")
    if word in HEADINGS:
        return word
    near = get_close_matches(word, list(HEADINGS), n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"there is: {', '.join(HEADINGS)}"
    raise MappingError(
        f'--map: a lead has no field "{text}"; {hint} A field of your own is '
        f"attr.{field_word(text)}, a preference prefers.{field_word(text)}"
    )


def _prefixed(text: str) -> str:
    before, dot, name = text.strip().partition(".")
    prefix = _PREFIXES.get(f"{before.casefold().strip()}{dot}")
    if not prefix or not name.strip():
        return ""
    if prefix == "consent.":
        return f"consent.{name.strip()}"
    mark = _list_mark(name) if prefix == "attr." else ""
    try:
        return prefix + preference_name(name) + mark
    except FieldError:
        return ""


def _list_mark(name: str) -> str:
    """`[]` behind the name of an attribute whose cells hold lists."""
    return "[]" if name.rstrip().endswith("[]") else ""


def _is_reject_column(index: int, headings: Sequence[str]) -> bool:
    """The two columns that a file of rejected rows begins with."""
    return index < 2 and [plain(h) for h in headings[:2]] == ["line", "reason"]


def _refuse_twins(headings: Sequence[str], chosen: Mapping[int, str]) -> None:
    free = [plain(h) + _list_mark(h) for i, h in enumerate(headings) if i not in chosen and h]
    for word, count in Counter(free).items():
        if count > 1:
            places = [i + 1 for i, h in enumerate(headings) if plain(h) + _list_mark(h) == word]
            raise MappingError(
                f'The header has "{headings[places[0] - 1]}" more than once (columns '
                f"{', '.join(map(str, places))}): rename one, or leave one out: "
                f"--map '#{places[-1]}=-'"
            )


def _refuse_doubles(columns: Sequence[Column]) -> None:
    for target, count in Counter(column.target for column in columns).items():
        if count > 1 and target != IGNORED and not target.startswith("prefers."):
            names = [
                column.heading or f"#{column.index + 1}"
                for column in columns
                if column.target == target
            ]
            raise MappingError(
                f"The columns {_list(names)} all give {target}: leave all but one out, as in "
                f"--map '{names[-1]}=-'"
            )


def _no_address(source: Source, headings: Sequence[str]) -> str:
    for index, heading in enumerate(headings):
        cells = [row.cells[index] for row in source.sample if index < len(row.cells)]
        if cells and sum("@" in cell for cell in cells) > len(cells) / 2:
            name = heading or f"#{index + 1}"
            return (
                f'{source.path} has no column called email, but "{name}" looks like one: '
                f"--map '{name}=email'"
            )
    return (
        f"{source.path} has no column with e-mail addresses; its columns are: {_list(headings)}. "
        "Name the right one: --map 'COLUMN=email'"
    )


def _list(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
