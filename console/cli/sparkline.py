"""A row of numbers as a row of little bars."""

from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float]) -> str:
    """One bar a value, the highest one full; empty for no values."""
    most = max(values, default=0.0)
    if most <= 0:
        return _BARS[0] * len(values)
    return "".join(_BARS[round(max(value, 0.0) / most * (len(_BARS) - 1))] for value in values)
