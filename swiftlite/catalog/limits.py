"""How much a client may ask the catalog to hold. The figures are S3's; of notes they are Swift's.

Pure: no clock, no IO.
"""

from __future__ import annotations

KEY_BYTES_MAX = 1024
PART_NUMBER_MAX = 10_000
PART_BYTES_MIN = 5 << 20  # all but an upload's last part
PART_BYTES_MAX = 5 << 30
OBJECT_BYTES_MAX = 5 << 40
BUCKETS_PER_PROJECT_MAX = 10_000
CONTAINER_NAME_BYTES_MAX = 256
NOTES_MAX = 90  # of one bucket or account
NOTES_BYTES_MAX = 4096  # names and values together
INLINE_BLOBS_MAX = 8  # a manifest of more blobs has a row of its own, so that listings stay lean
