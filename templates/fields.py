"""What a template may read, and the record of what it did read.

`lead`, `sender` and `links` are `Scope`s: every field taken from them is noted, so that the same
message can be made again from the notes alone. An empty field takes its default; without one it
is `Missing`: it may be asked about (`{% if lead.company %}`) but not printed.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, NoReturn

from jinja2 import StrictUndefined, Undefined, UndefinedError

from leads import OpenDeal, Recipient
from templates.unseen import Unseen

#: Fields of `lead` in templates.
LEAD_FIELDS = (
    *("email", "name", "first_name", "last_name", "company", "job_title", "phone", "country"),
    *("language", "timezone", "owner", "source", "stage", "stage_at", "score", "tags"),
)
#: The two fields of `lead` that hold fields themselves, by the marketer's own names.
OPEN_FIELDS = ("attributes", "prefers")
SENDER_FIELDS = ("name", "address", "postal_address")
LINK_FIELDS = ("unsubscribe", "preferences", "view", "mailto_unsubscribe")
WEB_LINKS = ("links.preferences", "links.view")
DEAL_FIELDS = ("name", "amount", "currency", "stage", "expected_close")

#: Every name a template may start from, with its fields.
KNOWN: Mapping[str, tuple[str, ...]] = {
    "lead": LEAD_FIELDS + OPEN_FIELDS,
    "sender": SENDER_FIELDS,
    "links": LINK_FIELDS,
    "deal": DEAL_FIELDS,
    # What `circumstances.py` makes; neither has fields.
    "open_deals": (),
    "segment": (),
}

#: Control characters and lone surrogates: no mail client shows them and some parsers trip on them.
#: And marks that turn the direction of all that follows, until somebody turns it back.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff"
    "\u202a-\u202e\u2066-\u2069]"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sender:
    """Who the message is from, as templates see it."""

    name: str
    #: The From address.
    address: str
    #: Where the sender can be reached by post (16 CFR 316.5 asks for it in every mail).
    postal_address: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Links:
    """This recipient's own links, as plain strings."""

    #: Where opting out happens; a `mailto:` when there is no web part.
    unsubscribe: str
    #: The message as a web page, and where to choose what to get: empty without a web part.
    view: str = ""
    preferences: str = ""
    mailto_unsubscribe: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """All one rendering gets."""

    recipient: Recipient
    sender: Sender
    links: Links
    #: Open deals, newest first.
    deals: tuple[OpenDeal, ...] = ()
    #: Of the segments that the template asks about, those the lead is in.
    segments: frozenset[str] = frozenset()
    #: From a page on the web to the address that leads there by way of us; None tracks nothing.
    track: Callable[[str], str] | None = None
    #: Addresses put behind the HTML for machines; see `templates.unseen`.
    unseen: Unseen = field(default_factory=Unseen)


class FieldError(UndefinedError):
    """A field was printed that has no value, or that does not exist."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def nearest(name: str, known: tuple[str, ...]) -> str:
    """The known name that `name` was probably meant to be, or an empty string."""
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    return close[0] if close else ""


def _suggest(name: str, prefix: str, known: tuple[str, ...]) -> str:
    close = nearest(name, known)
    if close:
        return f'did you mean "{prefix}{close}"?'
    return "known are " + ", ".join(prefix + each for each in known)


class Unknown(StrictUndefined):
    """A name that does not exist: any use is an error that says which name is nearest."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        name = str(self._undefined_name)
        if self._undefined_hint:
            return self._undefined_hint
        return f"{name} is not known; " + _suggest(name, "", tuple(KNOWN))

    def _fail_with_undefined_error(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        if issubclass(self._undefined_exception, FieldError):
            raise FieldError(self._undefined_message, str(self._undefined_name))
        raise self._undefined_exception(self._undefined_message)

    __iter__ = __str__ = __len__ = _fail_with_undefined_error
    __eq__ = __ne__ = __bool__ = __hash__ = _fail_with_undefined_error
    __contains__ = _fail_with_undefined_error

    def __getattr__(self, name: str) -> Any:
        # Python itself probes dunder names; anything else is the template asking.
        if name[:2] == "__":
            raise AttributeError(name)
        self._fail_with_undefined_error()


class Missing(Undefined):
    """A field this lead has no value for: false, empty, equal to "", and not printable."""

    __slots__ = ()

    def _fail_with_undefined_error(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise FieldError(str(self._undefined_hint), str(self._undefined_name))

    __str__ = _fail_with_undefined_error
    # Anything else that would make a value out of nothing fails as well.
    __add__ = __radd__ = __mul__ = __rmul__ = __mod__ = __rmod__ = _fail_with_undefined_error
    __getitem__ = __call__ = __int__ = __float__ = _fail_with_undefined_error
    __lt__ = __le__ = __gt__ = __ge__ = _fail_with_undefined_error

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Missing) or other is None or other == ""

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = Undefined.__hash__

    def __getattr__(self, name: str) -> Any:
        if name[:2] == "__":
            raise AttributeError(name)
        self._fail_with_undefined_error()


def clean(value: Any) -> Any:
    """`value` as it may be stored as JSON and shown: instants as text, control characters gone."""
    if isinstance(value, str):
        return _UNPRINTABLE.sub("", value) if _UNPRINTABLE.search(value) else value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): clean(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(each) for each in value]
    return value


class Scope:
    """Fields under one name (`lead`, `lead.attributes`): hands out values and notes each one."""

    __slots__ = ("_defaults", "_known", "_read", "_values", "path", "seen")

    def __init__(
        self,
        path: str,
        values: Any,
        read: dict[str, Any],
        *,
        known: tuple[str, ...] | None,
        defaults: Mapping[str, Any],
    ) -> None:
        self.path = path
        #: A mapping, or an object whose attributes are the fields.
        self._values = values
        self._read = read
        #: None: any name may exist, for this lead or for another.
        self._known = known
        #: By dotted path below `lead`: `first_name`, `attributes.industry`.
        self._defaults = defaults
        #: What `field` answered before; loops ask for the same field again and again.
        self.seen: dict[str, Any] = {}

    def field(self, name: str) -> Any:
        """The value of a field, its default when empty, else `Missing` or `Unknown`."""
        if name not in self.seen:
            self.seen[name] = self._find(name)
        return self.seen[name]

    def _find(self, name: str) -> Any:
        if self._known is not None and name not in self._known:
            return self._unknown(name)
        if name in OPEN_FIELDS and self.path == "lead":
            return self._inner(name)
        found, value = self._take(name)
        if found:
            value = self._read[name] = clean(value)
        if value is None or value == "" or value == []:
            return self._default(name, value)
        return value

    def _take(self, name: str) -> tuple[bool, Any]:
        if isinstance(self._values, (dict, Mapping)):
            return name in self._values, self._values.get(name)
        # Templates say `lead.prefers.topic`, as rules do; the room below says `preferences`.
        return True, getattr(self._values, "preferences" if name == "prefers" else name)

    def _inner(self, name: str) -> "Scope":
        values = self._take(name)[1] or {}
        notes = self._read.setdefault(name, {})
        return Scope(f"lead.{name}", values, notes, known=None, defaults=self._defaults)

    def _default(self, name: str, value: Any) -> Any:
        path = f"{self.path}.{name}"
        default = self._defaults.get(path.removeprefix("lead."))
        if default is not None:
            return default
        if value == []:
            return value
        hint = f"{path} is empty for this lead and has no default"
        if path in WEB_LINKS:
            hint = f"{path} is empty: potok.toml has no [web] base_url; ask: {{% if {path} %}}"
        if path.startswith("deal.") and not self._take("name")[1]:
            hint = f"{path} is empty: the lead has no open deal; ask first: {{% if deal %}}"
        if path.startswith("lead."):
            hint += f'; add {path.removeprefix("lead.")} = "..." under [defaults] in message.toml'
        return Missing(hint=hint, name=path)

    def _unknown(self, name: str) -> Unknown:
        assert self._known is not None  # noqa: S101 - only closed scopes call this
        hint = f"{self.path}.{name} is not known; "
        if self.path == "lead" and not nearest(name, self._known):
            hint += f"a column of your own is lead.attributes.{name}"
        else:
            hint += _suggest(name, f"{self.path}.", self._known)
        return Unknown(hint=hint, name=f"{self.path}.{name}", exc=FieldError)

    def __iter__(self) -> Iterator[str]:
        names = list(self._values) if isinstance(self._values, Mapping) else list(self._known or ())
        for name in names:
            self.field(name)
        return iter(names)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self.field(name))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        raise FieldError(f"{self.path} is not a text; name one of its fields", self.path)

    __html__ = __str__


def scopes(
    lead: Any, sender: Any, links: Any, read: dict[str, Any], defaults: Mapping[str, Any]
) -> dict[str, Any]:
    """The names a template starts from. Each of the three is an object or a stored mapping."""
    none: Mapping[str, Any] = {}
    return {
        name: Scope(
            name,
            values,
            read.setdefault(name, {}),
            known=KNOWN[name],
            defaults=defaults if name == "lead" else none,
        )
        for name, values in (("lead", lead), ("sender", sender), ("links", links))
    }
