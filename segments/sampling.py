"""Samples: arithmetic on a lead's `draw`, the same in Python, SQLite and PostgreSQL.

A lead's place for a label is `((draw * a + b) % 2147483647) % 10000`, with a and b from the
label's sha256. The same label always picks the same leads; two labels pick independently.
"""

from hashlib import sha256

#: 2**31 - 1, a prime: multiplying by a and adding b only reorders the draws.
PRIME = 2_147_483_647
PLACES = 10_000


def factors(label: str) -> tuple[int, int]:
    """a (1 to PRIME - 1) and b (0 to PRIME - 1) of a label."""
    digest = sha256(label.encode()).digest()
    a = int.from_bytes(digest[:8]) % (PRIME - 1) + 1
    return a, int.from_bytes(digest[8:16]) % PRIME


def place_of(draw: int, label: str) -> int:
    """0 to 9999. A share of 10% is the places below 1000."""
    a, b = factors(label)
    return (draw * a + b) % PRIME % PLACES
