"""Mails that come back, as mail systems and people write them; shared by several rooms' tests."""

#: A Message-ID of ours.
OURS = "0123456789ab.mail.0.0000000000000001@sender.example"


def reply(
    text: str,
    *,
    to: str = OURS,
    sender: str = "Ala Kot <l1@d1.example>",
    subject: str = "Re: A word, Ala1?",
    **fields: str,
) -> bytes:
    """An answer with In-Reply-To; an empty `to` leaves that out."""
    head = {
        "From": sender,
        "To": "Anna Nowak <anna@sender.example>",
        "Subject": subject,
        "Date": "Tue, 10 Mar 2026 10:30:00 +0000",
        "Message-ID": "<answer-1@d1.example>",
    }
    if to:
        head["In-Reply-To"] = f"<{to}>"
    head |= {name.replace("_", "-"): value for name, value in fields.items()}
    lines = [f"{name}: {value}" for name, value in head.items()]
    return ("\r\n".join([*lines, "", *text.splitlines(), ""])).encode()


def report(
    *,
    recipient: str = "l1@d1.example",
    status: str = "5.1.1",
    action: str = "failed",
    said: str = "smtp; 550 5.1.1 <l1@d1.example>: Recipient address rejected: User unknown",
    original: str = OURS,
    queue_id: str = "4F1kZq2XyZz1",
    number: int = 1,
) -> bytes:
    """A delivery report as Postfix writes it (RFC 3464); an empty `original` encloses no header."""
    enclosed = f"Message-ID: <{original}>\n" if original else ""
    return f"""\
Return-Path: <>
From: MAILER-DAEMON@mx.sender.example (Mail Delivery System)
To: anna@sender.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Date: Tue, 10 Mar 2026 10:40:00 +0000
Message-Id: <report-{number}@mx.sender.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1/mx"

This is a MIME-encapsulated message.

--b1/mx
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.sender.example.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients.

<{recipient}>: host mx.d1.example[192.0.2.1] said: {said}

--b1/mx
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.sender.example
X-Postfix-Queue-ID: {queue_id}
X-Postfix-Sender: rfc822; anna@sender.example

Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
Diagnostic-Code: {said}

--b1/mx
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

Return-Path: <anna@sender.example>
From: Anna Nowak <anna@sender.example>
To: {recipient}
{enclosed}Subject: A word, Ala1?

--b1/mx--
""".encode()


def complaint(*, original: str = OURS, recipient: str = "l1@d1.example") -> bytes:
    """A feedback report (ARF, RFC 5965)."""
    return f"""\
From: <feedback@provider.example>
To: <anna@sender.example>
Subject: FW: A word, Ala1?
Date: Tue, 10 Mar 2026 10:45:00 +0000
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="part"

--part
Content-Type: text/plain

This is an email abuse report.

--part
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1
Original-Rcpt-To: <{recipient}>

--part
Content-Type: message/rfc822

From: Anna Nowak <anna@sender.example>
To: {recipient}
Message-ID: <{original}>
Subject: A word, Ala1?

Hello
--part--
""".encode()
