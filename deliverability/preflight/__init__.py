"""The preflight: is this sender in order, before thousands of mails find out that it is not.

Read        row.py; spf_macros.py, spf_record.py, spf.py, spf_audit.py (RFC 7208); dmarc.py
            (RFC 9989); dkim_record.py (RFC 6376); sender_spf.py, sender_dns.py, egress.py,
            relay.py, opt_out.py make rows of what they find; check.py runs them all.

DNS, the web and the clock are arguments. Rows that are about a campaign (its list, its content, its
plan) are made where campaigns are known.
"""

from deliverability.preflight.check import check_identity
from deliverability.preflight.opt_out import Fetch, HttpReply
from deliverability.preflight.row import PreflightRow, RowLevel, worst

__all__ = ["Fetch", "HttpReply", "RowLevel", "PreflightRow", "check_identity", "worst"]
