"""Applied versions of templates."""

from sqlalchemy import Index

from leads import Version


class TemplateVersion(Version, table=True):
    """A template as it was applied.

    `body` holds the sources (all partials included) and the compiled form (CSS inlined, text part
    made), so rendering reads nothing else.
    """

    __tablename__ = "template_version"
    __table_args__ = (Index("ix_template_version_name_id", "name", "id"),)
