"""Segments: which leads, said in a language one can read aloud.

Does        rule text to tree, tree to SQL and to plain Python, canonical text, the audience with
            who is left out and why.
Owns        segment_version.
Never       reads message rows (behaviour comes from `event` only), loads a table into Python.
Standards   RFC 5890 (domains are compared in their IDNA form), ISO 8601 days.
Read        rules.lark, vocabulary.py, terms.py, tree.py, reading.py (with building.py,
            building_records.py, slots.py, fitting.py, stages.py and, for errors, misreading.py),
            saying.py, moments.py, folding.py, patterns.py, sampling.py, sql.py (with clauses.py,
            clauses_json.py, side_tables.py, dialects.py, dialects_json.py), facts.py, judge.py
            (with values_judged.py), definition.py,
            audience.py, tables.py, errors.py
"""

from segments.audience import Audience, audience, preview
from segments.definition import SegmentDefinition, close, read_definition, rule_of
from segments.errors import DefinitionError, RuleError, SegmentCycleError, SegmentError
from segments.facts import DealFacts, Facts, Happened, Stated, TaskFacts
from segments.folding import BARE_FUNCTION, bare_or_null
from segments.judge import fits
from segments.reading import parse
from segments.sampling import factors, place_of
from segments.saying import say
from segments.sql import where
from segments.stages import Stages, stage_names
from segments.tables import SegmentVersion
from segments.tree import Rule

__all__ = [
    "parse",
    "say",
    "Rule",
    "where",
    "fits",
    "bare_or_null",
    "BARE_FUNCTION",
    "Facts",
    "Stated",
    "Happened",
    "DealFacts",
    "TaskFacts",
    "audience",
    "Audience",
    "preview",
    "SegmentDefinition",
    "read_definition",
    "close",
    "rule_of",
    "stage_names",
    "Stages",
    "SegmentVersion",
    "factors",
    "place_of",
    "SegmentError",
    "RuleError",
    "DefinitionError",
    "SegmentCycleError",
]
