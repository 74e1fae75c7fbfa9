"""The life of a message as a table: which state may follow which, and what each one means.

planned -> sending -> accepted            (bounced, complained, replied, opted out are events on it)
   ^         |-> rejected
   |         |-> planned                   deferred: the server asked us to come back later
   |---------|   given back unsent         dial failed, connection lost before 354, drained, paused
             |-> in_doubt                  after 354 without an answer, or the sender died
             |-> skipped                   the text could not be made for this lead
in_doubt -> accepted | rejected | planned | cancelled     by evidence or by a person
planned -> skipped | cancelled | expired
reserved -> planned                       kept back until the better variant of a split is known
   `-------> skipped | cancelled
"""

from enum import StrEnum


class State(StrEnum):
    """Where one message stands."""

    RESERVED = "reserved"
    PLANNED = "planned"
    SENDING = "sending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    IN_DOUBT = "in_doubt"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


MOVES: dict[State, frozenset[State]] = {
    State.RESERVED: frozenset({State.PLANNED, State.SKIPPED, State.CANCELLED}),
    State.PLANNED: frozenset({State.SENDING, State.SKIPPED, State.CANCELLED, State.EXPIRED}),
    State.SENDING: frozenset(
        {State.ACCEPTED, State.REJECTED, State.PLANNED, State.IN_DOUBT, State.SKIPPED}
    ),
    State.IN_DOUBT: frozenset({State.ACCEPTED, State.REJECTED, State.PLANNED, State.CANCELLED}),
    State.ACCEPTED: frozenset(),
    State.REJECTED: frozenset(),
    State.SKIPPED: frozenset(),
    State.CANCELLED: frozenset(),
    State.EXPIRED: frozenset(),
}

#: States in which nothing more will happen by itself.
SETTLED = frozenset({State.ACCEPTED, State.REJECTED, State.SKIPPED, State.CANCELLED, State.EXPIRED})

#: States in which somebody is still to be written to.
WAITING = frozenset({State.PLANNED, State.RESERVED})

#: States that count as "somebody may have received this": for frequency caps and `--again`.
WRITTEN = frozenset({State.ACCEPTED, State.SENDING, State.IN_DOUBT})


class RunState(StrEnum):
    """Where a run stands. Pausing and cancelling change this word and no message row."""

    PLANNING = "planning"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    FINISHED = "finished"
