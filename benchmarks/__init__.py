"""What proves speed: ratios measured in one run, interleaved, medians. `make bench` runs it."""
