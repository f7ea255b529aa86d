"""What a suite's tests came to, and how that differs from what is known of them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

REASON_MAX = 300


@dataclass(kw_only=True)
class Outcomes:
    """Test ids by how they ended; for failures and skips, why."""

    passed: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def table(self) -> str:
        """Return the figures, with failures and skips counted by reason."""
        lines = [
            f"passed {len(self.passed)}  failed {len(self.failed)}  skipped {len(self.skipped)}"
        ]
        lines += [f"  FAILED {test}: {why}" for test, why in sorted(self.failed.items())]
        reasons = Counter(self.skipped.values())
        lines += [f"  skipped {count}: {why}" for why, count in reasons.most_common()]
        return "\n".join(lines)


@dataclass(frozen=True)
class Known:
    """One line of a list of known outcomes: `fail REGEX: reason` or `skip REGEX: reason`."""

    ending: str
    pattern: re.Pattern[str]
    reason: str


def read_known(path: Path) -> list[Known]:
    """Read a list of known outcomes; empty lines and those that begin with `#` say nothing.

    Raises:  ValueError, naming the line that is neither.
    """
    found = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        ending, _, rest = line.partition(" ")
        pattern, colon, reason = rest.partition(": ")
        if ending not in ("fail", "skip") or not colon or not reason.strip():
            raise ValueError(f"{path.name}:{number}: not `fail|skip REGEX: reason`: {line!r}")
        found.append(Known(ending, re.compile(pattern.strip()), reason.strip()))
    return found


def surprises(outcomes: Outcomes, known: list[Known], *, complete: bool) -> Iterator[str]:
    """Say what is not as the list has it, one sentence each.

    A failure or a skip that no line explains is one. So is, where the whole suite ran
    (`complete`), a line that explains nothing any more: the list only ever gets shorter.
    """
    used: set[Known] = set()
    for ending, found in (("fail", outcomes.failed), ("skip", outcomes.skipped)):
        lines = [line for line in known if line.ending == ending]
        for test, why in sorted(found.items()):
            explained = [line for line in lines if line.pattern.search(f"{test}: {why}")]
            used.update(explained)
            if not explained:
                yield f"{ending}: {test}: {why}"
    if complete:
        for line in known:
            if line not in used:
                yield f"nothing to {line.ending} any more: {line.pattern.pattern}"


def read_junit(path: Path) -> Outcomes:
    """Read a JUnit file as pytest writes it. A test that both failed and errored counts once."""
    outcomes = Outcomes()
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        test = f"{case.get('classname')}.{case.get('name')}"
        bad = [child for child in case if child.tag in ("failure", "error")]
        skip = case.find("skipped")
        if bad:
            outcomes.failed[test] = _short(bad[0].get("message") or bad[0].text or "")
        elif skip is not None:
            outcomes.skipped[test] = _short(skip.get("message") or "")
        else:
            outcomes.passed.add(test)
    outcomes.passed -= outcomes.failed.keys()
    return outcomes


def from_results(results: Iterable[tuple[str, str, str]], listed: Iterable[str]) -> Outcomes:
    """Gather (test id, status of subunit, text); `listed` are the ids of all tests there are.

    `setUpClass (...)` and the like stand for every test of that class: they never ran.
    """
    outcomes = Outcomes()
    names = [_bare(test) for test in listed]
    for test, status, text in results:
        of_class = re.fullmatch(r"(?:setUp|tearDown)Class \((.*)\)", test)
        prefix = f"{of_class[1]}." if of_class else ""
        meant = [name for name in names if name.startswith(prefix)] if of_class else [_bare(test)]
        for name in meant:
            if status in ("fail", "error", "uxsuccess"):
                outcomes.failed[name] = _short(_last_line(text))
            elif status == "skip":
                outcomes.skipped[name] = _short(text)
            elif status in ("success", "xfail"):
                outcomes.passed.add(name)
    outcomes.passed -= outcomes.failed.keys()
    return outcomes


def _bare(test: str) -> str:
    """Return a test's id without the tags that tempest puts behind it."""
    return re.sub(r"\[.*\]$", "", test)


def _last_line(text: str) -> str:
    """Return the line of a traceback that names the exception, and what follows it."""
    lines = text.strip().splitlines()
    starts = [
        at
        for at, line in enumerate(lines)
        if re.match(r"[A-Za-z_][\w.]*(Error|Exception|Mismatch|[A-Z]\w+):? ?", line)
    ]
    return "\n".join(lines[starts[-1] :]) if starts else "\n".join(lines[-3:])


def _short(text: str) -> str:
    return " ".join(text.split())[:REASON_MAX]
