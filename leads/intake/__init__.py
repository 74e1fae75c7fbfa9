"""Intake: a file of rows becomes leads.

Read        headings.py, encoding.py, reading.py, sheet.py, json_lines.py, opening.py, mapping.py,
            values.py, terms.py, incoming.py, draft.py, bulk.py, arriving.py, writing.py, chunk.py,
            counts.py, rejects.py, pace.py, ahead.py, run.py; about.py, deals.py, events.py
"""
