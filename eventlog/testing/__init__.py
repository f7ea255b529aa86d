"""For tests of the log and of what stands on it: its laws, and a disk that misbehaves."""

from eventlog.testing.disk import FaultyDisk
from eventlog.testing.laws import LAWS, Counter, Noted, SteppedClock, check_log

__all__ = ["LAWS", "Counter", "FaultyDisk", "Noted", "SteppedClock", "check_log"]
