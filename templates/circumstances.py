"""What a template may know beside the lead's own fields: open deals, and segments.

`deal` is the newest open deal, `open_deals` all of them, `lead in segment("hot")` whether the lead
is in a segment. All of it arrives as an argument, and what was looked at is noted as fields are.
"""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from templates.fields import DEAL_FIELDS, FieldError, Scope, clean


class Amount(Decimal):
    """Money that knows its currency, also after sums: `{{ (deal.amount * 0.9)|money }}`."""

    currency: str

    def __new__(cls, value: Any, currency: str = "") -> "Amount":
        made = super().__new__(cls, value)
        made.currency = currency
        return made

    def _with(self, other: Any, work: Callable[[Any, Any], Any], *, swap: bool = False) -> Any:
        currency = self.currency
        if isinstance(other, Amount):
            if other.currency != currency:
                raise FieldError(f"{currency} and {other.currency} cannot be put together")
            # How many times one goes into the other is a plain number.
            currency = "" if work is operator.truediv else currency
        elif isinstance(other, float):
            other = Decimal(str(other))
        elif not isinstance(other, (int, Decimal)):
            return NotImplemented
        one, two = Decimal(self), Decimal(other)
        return Amount(work(two, one) if swap else work(one, two), currency)

    def __add__(self, other: Any) -> Any:
        return self._with(other, operator.add)

    def __radd__(self, other: Any) -> Any:
        return self._with(other, operator.add, swap=True)

    def __sub__(self, other: Any) -> Any:
        return self._with(other, operator.sub)

    def __rsub__(self, other: Any) -> Any:
        return self._with(other, operator.sub, swap=True)

    def __mul__(self, other: Any) -> Any:
        return self._with(other, operator.mul)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        return self._with(other, operator.truediv)

    def __round__(self, digits: int | None = None) -> Any:
        return Amount(round(Decimal(self), digits or 0), self.currency)


class Deal(Scope):
    """One open deal, or none: then it is false, and each field of it is empty."""

    __slots__ = ()

    def _find(self, name: str) -> Any:
        value = super()._find(name)
        if name == "amount" and isinstance(value, str):
            return Amount(value, str(self.field("currency")))
        return value

    def __bool__(self) -> bool:
        return bool(self.field("name"))


class Deals:
    """`open_deals`: noted as a whole once anything of it is looked at."""

    __slots__ = ("_deals", "_read", "_values")

    def __init__(self, values: Sequence[Any], read: dict[str, Any]) -> None:
        self._values = values
        self._read = read
        self._deals: list[Deal] | None = None

    def _all(self) -> list[Deal]:
        if self._deals is None:
            kept = [each if isinstance(each, Mapping) else _facts(each) for each in self._values]
            self._read["open_deals"] = kept
            self._deals = [_deal("open_deals", each, {}) for each in kept]
        return self._deals

    def __iter__(self) -> Iterator[Deal]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __getitem__(self, place: Any) -> Any:
        return self._all()[place]

    def __str__(self) -> str:
        raise FieldError("open_deals is a list; go through it: {% for deal in open_deals %}")

    __html__ = __str__


def _facts(deal: Any) -> dict[str, Any]:
    return {name: clean(getattr(deal, name)) for name in DEAL_FIELDS}


def _deal(path: str, values: Any, read: dict[str, Any]) -> Deal:
    return Deal(path, values, read, known=DEAL_FIELDS, defaults={})


class Segment:
    """What `segment("hot")` gives: only good for `lead in segment("hot")`."""

    __slots__ = ("_inside",)

    def __init__(self, inside: bool) -> None:
        self._inside = inside

    def __contains__(self, what: object) -> bool:
        if isinstance(what, Scope) and what.path == "lead":
            return self._inside
        raise FieldError("only the lead can be looked for: {% if lead in segment(...) %}")

    def __str__(self) -> str:
        raise FieldError("a segment is no text; ask: {% if lead in segment(...) %}")

    __iter__ = __len__ = __bool__ = __html__ = __str__


class Segments:
    """`segment`, as templates call it."""

    __slots__ = ("_read", "_within")

    def __init__(self, within: Mapping[str, bool], read: dict[str, Any]) -> None:
        self._within = within
        self._read = read

    def __call__(self, name: str) -> Segment:
        if name not in self._within:
            raise FieldError(f'nobody asked whether the lead is in the segment "{name}"')
        inside = self._read.setdefault("segments", {})[name] = self._within[name]
        return Segment(inside)


def circumstances(
    deals: Sequence[Any], within: Mapping[str, bool], read: dict[str, Any]
) -> dict[str, Any]:
    """The names a template has beside `lead`, `sender` and `links`.

    `deals` are open ones, newest first; `within` says of each segment asked about whether the lead
    is in it.
    """
    none: Mapping[str, Any] = {}
    return {
        "deal": _deal("deal", deals[0] if deals else none, read.setdefault("deal", {})),
        "open_deals": Deals(deals, read),
        "segment": Segments(within, read),
    }


def circumstances_again(read: Mapping[str, Any], notes: dict[str, Any]) -> dict[str, Any]:
    """The same from what was noted."""
    again = circumstances(read.get("open_deals", ()), read.get("segments", {}), notes)
    return {**again, "deal": _deal("deal", read.get("deal", {}), notes.setdefault("deal", {}))}
