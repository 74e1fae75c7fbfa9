"""The measurement of imports measures the product's own import, on a small file."""

from pathlib import Path

from benchmarks.import_file import write_file
from benchmarks.imports import Measured, one_import, report

ROWS = 1000


def test_an_import_is_measured_beside_a_lane_and_without_checks(tmp_path: Path) -> None:
    file = write_file(tmp_path / "leads.csv", ROWS)
    real = one_import(file, tmp_path / "real", lane=True)
    bare = one_import(file, tmp_path / "bare", checked=False)
    assert (real.added, real.rejected) == (ROWS - 1, 1)
    assert (bare.added, bare.rejected) == (ROWS, 0), "nobody looked at the addresses"
    assert real.waits is not None
    assert real.waits.middle <= real.waits.most <= real.waits.longest
    found = Measured(database="SQLite", real=[real], checked=[real], unchecked=[bare])
    page = report(ROWS, ROWS, [found])
    assert "| SQLite |" in page
    assert f"{found.ratio:.2f}" in page
