"""Applied versions of segments."""

from sqlalchemy import Index

from leads import Version


class SegmentVersion(Version, table=True):
    """A segment as it was applied. `body` embeds the rules of every segment it names."""

    __tablename__ = "segment_version"
    __table_args__ = (Index("ix_segment_version_name_id", "name", "id"),)
