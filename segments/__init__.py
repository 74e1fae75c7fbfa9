"""Segments: which leads, said in a language one can read aloud.

Does        rule text to tree, tree to SQL and to plain Python, canonical text, the audience with
            who is left out and why; why a lead is in or out, who entered and who left;
            how rules overlap, what stands in a field.
Owns        segment_version.
Never       reads message rows (behaviour comes from `event` only), loads a table into Python.
Standards   RFC 5890 (domains are compared in their IDNA form), ISO 8601 days.
Read        rules.lark, vocabulary.py, terms.py, tree.py, reading.py (with building.py,
            building_records.py, slots.py, fitting.py, stages.py and, for errors, misreading.py),
            saying.py, moments.py, folding.py, patterns.py, sampling.py, sql.py (with clauses.py,
            clauses_json.py, side_tables.py, dialects.py, dialects_json.py, dialects_numbers.py),
            facts.py, judge.py (with values_judged.py), recall.py, history.py, why.py (with
            leaves.py, turning.py, telling.py, remedy.py, ways.py), changes.py (with touched.py),
            definition.py, audience.py (with counting.py, found.py, putting_off.py), previewing.py,
            overlap.py, values.py (with columns.py, spread.py, dialects_rows.py), known.py,
            entering.py, tables.py, errors.py
"""

from segments.audience import Audience, audience
from segments.changes import Change, instant_of, moved
from segments.clauses import drawn_below
from segments.columns import Column, column_of
from segments.definition import SegmentDefinition, close, read_definition, rule_of
from segments.dialects import SqliteWithHints
from segments.entering import Entry, entered
from segments.errors import DefinitionError, RuleError, SegmentCycleError, SegmentError
from segments.facts import DealFacts, Facts, Happened, Stated, TaskFacts
from segments.folding import BARE_FUNCTION, bare_or_null
from segments.history import as_of
from segments.judge import fits
from segments.known import Known, Vocabulary, require_known, vocabulary
from segments.overlap import MOST_RULES, Example, Region, examples, regions
from segments.previewing import preview
from segments.reading import parse
from segments.recall import recall
from segments.remedy import Step
from segments.sampling import factors, place_of
from segments.saying import say
from segments.spread import Range, Spread
from segments.sql import where
from segments.stages import Stages, stage_names
from segments.tables import SegmentVersion
from segments.touched import touched
from segments.tree import Rule
from segments.turning import Turn
from segments.values import Share, Values, values
from segments.ways import Way
from segments.why import Explanation, Reason, why

__all__ = [
    "parse",
    "say",
    "Rule",
    "where",
    "fits",
    "SqliteWithHints",
    "bare_or_null",
    "BARE_FUNCTION",
    "Facts",
    "Stated",
    "Happened",
    "DealFacts",
    "TaskFacts",
    "recall",
    "as_of",
    "why",
    "Explanation",
    "Reason",
    "Turn",
    "Step",
    "Way",
    "touched",
    "entered",
    "Entry",
    "moved",
    "Change",
    "instant_of",
    "audience",
    "Audience",
    "preview",
    "regions",
    "Region",
    "MOST_RULES",
    "examples",
    "Example",
    "column_of",
    "Column",
    "values",
    "Values",
    "Share",
    "Spread",
    "Range",
    "vocabulary",
    "Vocabulary",
    "Known",
    "require_known",
    "SegmentDefinition",
    "read_definition",
    "close",
    "rule_of",
    "stage_names",
    "Stages",
    "SegmentVersion",
    "factors",
    "drawn_below",
    "place_of",
    "SegmentError",
    "RuleError",
    "DefinitionError",
    "SegmentCycleError",
]
