"""One machine's disks: fragments that are there after a power cut, and verified whenever read."""
