"""What stands after `where`: tests on the properties of an event or the columns of a deal.

Inside the parentheses a name is read before it is known whose it is, so a test waits as `Loose`
until the whole condition is there.
"""

from dataclasses import dataclass

from lark import Token

from segments.fitting import Unfit, Written, fit, fit_pair, unquote
from segments.terms import Ago, DealField, Operand, Place, Property, Today
from segments.tree import Between, Compare, Has, OneOf, Test
from segments.vocabulary import DEAL_FIELDS, Kind, nearest


@dataclass(frozen=True, slots=True)
class Loose:
    """A test whose name is not yet known to be a property or a column."""

    slot: Token
    #: compare, in, between, within, has
    form: str
    operator: str = ""
    values: tuple[Written, ...] = ()
    negated: bool = False

    @property
    def place(self) -> Place:
        """From the name to the last value."""
        start, end = self.slot.start_pos or 0, self.slot.end_pos or 0
        return Place(start, self.values[-1].place.end if self.values else end)


def property_of(slot: Token) -> Property:
    """A name after `event "..." where`."""
    place = Place(slot.start_pos or 0, slot.end_pos or 0)
    name = unquote(slot, place) if slot.type == "STRING" else str(slot)
    if not name.strip() or '"' in name or "\\" in name:
        raise Unfit(place, "a name may not be empty or hold quotes or backslashes")
    return Property(name=name, place=place)


def column_of(slot: Token) -> DealField:
    """A name after `deal where`."""
    place = Place(slot.start_pos or 0, slot.end_pos or 0)
    name = str(slot).lower()
    if slot.type == "STRING" or name not in DEAL_FIELDS:
        known = ", ".join(DEAL_FIELDS)
        message = f'a deal has no "{slot}"; it has {known}'
        raise Unfit(place, message, nearest(name, DEAL_FIELDS))
    return DealField(name=name, place=place)


def settle(loose: Loose, operand: Operand) -> Test:
    """The test on what its name stands for. Raises Unfit when the two do not go."""
    place = loose.place
    match loose.form:
        case "has":
            return Has(operand=operand, place=place)
        case "in":
            values = tuple(fit(operand, "in", value) for value in loose.values)
            return OneOf(operand=operand, values=values, negated=loose.negated, place=place)
        case "between":
            low, high = fit_pair(operand, *loose.values)
            return Between(operand=operand, low=low, high=high, negated=loose.negated, place=place)
        case "within":
            return _within(loose, operand)
        case _:
            value = fit(operand, loose.operator, loose.values[0])
            return Compare(operand=operand, operator=loose.operator, value=value, place=place)


def _within(loose: Loose, operand: Operand) -> Test:
    """A time in the last 30 days, or a day in the next 30 days: what a deal's columns are about."""
    span = loose.values[0].span
    kind = DEAL_FIELDS[operand.name].kind if isinstance(operand, DealField) else None
    if span is None or kind not in (Kind.INSTANT, Kind.DAY):
        place = Place(loose.slot.end_pos or 0, loose.place.end)
        raise Unfit(place, f"'within' does not go with {loose.slot}")
    if kind is Kind.DAY:
        ahead = Ago(span=span, ahead=True, place=span.place)
        return Between(operand=operand, low=Today(), high=ahead, place=loose.place)
    value = Ago(span=span, place=span.place)
    return Compare(operand=operand, operator=">=", value=value, place=loose.place)
