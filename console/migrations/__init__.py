"""Schema versions, oldest first, in `versions/`. They ship inside the wheel."""
