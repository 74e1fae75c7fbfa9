"""Campaigns: what is sent, when, and what became of it.

Does        planning, the queue (claim and finish), sending, the worker, verification.
Owns        campaign, run, message, attempt.
Never       commits (the store does), speaks SMTP itself, keeps per-recipient state in memory only.
Standards   RFC 5321 4.5.4.1 (retries) and 6.1 (doubt), RFC 1047 (duplicates).
Read        tables.py, store.py
"""

from campaigns.store import Clock, Store
from campaigns.tables import Attempt, Campaign, Message, Run

__all__ = ["Campaign", "Run", "Message", "Attempt", "Store", "Clock"]
