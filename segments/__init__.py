"""Segments: which leads, said in a language one can read aloud.

Does        rule text to tree, tree to SQL, counts and previews, the audience with who is left out.
Owns        segment_version.
Never       reads message rows (behaviour comes from `event` only), loads a table into Python.
Read        tables.py
"""

from segments.tables import SegmentVersion

__all__ = ["SegmentVersion"]
