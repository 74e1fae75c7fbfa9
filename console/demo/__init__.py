"""The demo: five hundred invented leads, providers that behave like real ones, checked sums.

Does        a local receiver for mail, the shipped leads, the live view, the answers, the run
            from start to sums.
Owns        no table; everything it makes lies in one folder that can be deleted.
Never       talks to anything but 127.0.0.1: every domain in it is reserved (RFC 2606, RFC 6761).
Standards   RFC 5321 (answers of the receiver), RFC 3463 (their enhanced codes), RFC 3464 and
            RFC 3834 (mails that come back).
Read        providers.toml, behaviour.py, record.py, answer_mails.py, answering.py, receiver.py,
            process.py; leads.csv, workspace/, stage.py; lapse.py, tally.py, inbox.py, view.py,
            claims.py, sums.py, someone.py, play.py, telling.py
"""
