"""Where bytes go: partitions and fragments to devices."""
