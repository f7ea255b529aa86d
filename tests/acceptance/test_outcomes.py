"""What a list of known outcomes explains, and what it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.outcomes import Outcomes, from_results, read_junit, read_known, surprises

KNOWN = """
# a comment
fail box.Test.test_odd: it is odd here
skip not wanted: nobody wants it
"""


@pytest.fixture
def known(tmp_path: Path) -> Path:
    path = tmp_path / "suite.known"
    path.write_text(KNOWN)
    return path


def told(outcomes: Outcomes, known: Path, *, complete: bool = True) -> list[str]:
    return list(surprises(outcomes, read_known(known), complete=complete))


def test_what_the_list_explains_is_no_surprise(known: Path) -> None:
    outcomes = Outcomes(
        passed={"box.Test.test_good"},
        failed={"box.Test.test_odd": "AssertionError"},
        skipped={"box.Test.test_other": "not wanted today"},
    )
    assert told(outcomes, known) == []


def test_a_failure_or_skip_that_no_line_explains_is_told(known: Path) -> None:
    outcomes = Outcomes(
        failed={"box.Test.test_odd": "", "box.Test.test_new": "boom"},
        skipped={"a": "not wanted", "b": "not there"},
    )
    assert told(outcomes, known) == ["fail: box.Test.test_new: boom", "skip: b: not there"]


def test_a_skip_is_not_excused_by_the_line_of_a_failure(known: Path) -> None:
    outcomes = Outcomes(skipped={"box.Test.test_odd": "not there", "a": "not wanted"})
    assert told(outcomes, known, complete=False) == ["skip: box.Test.test_odd: not there"]


def test_a_line_that_explains_nothing_any_more_is_told_where_everything_ran(known: Path) -> None:
    outcomes = Outcomes(passed={"box.Test.test_odd"}, skipped={"a": "not wanted"})
    assert told(outcomes, known) == ["nothing to fail any more: box.Test.test_odd"]
    assert told(outcomes, known, complete=False) == []


@pytest.mark.parametrize("line", ["fail box.Test.test_odd", "fail x: ", "pass x: y", "x"])
def test_a_line_without_a_reason_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "suite.known"
    path.write_text(line)
    with pytest.raises(ValueError, match=r"suite\.known:1"):
        read_known(path)


def test_a_class_that_cannot_be_set_up_counts_for_all_of_its_tests() -> None:
    listed = ["m.C.test_a[id-1]", "m.C.test_b[id-2,slow]", "m.D.test_a[id-3]"]
    results = [
        ("setUpClass (m.C)", "skip", "not here"),
        ("m.D.test_a[id-3]", "success", ""),
    ]
    outcomes = from_results(results, listed)
    assert outcomes.skipped == {"m.C.test_a": "not here", "m.C.test_b": "not here"}
    assert outcomes.passed == {"m.D.test_a"}


def test_a_failure_is_told_by_the_line_that_names_the_exception() -> None:
    text = "Traceback (most recent call last):\n  File x\n    raise y\nm.Boom: went\noff\n"
    outcomes = from_results([("m.C.test_a", "fail", text)], [])
    assert outcomes.failed == {"m.C.test_a": "m.Boom: went off"}


def test_a_junit_file_gives_each_test_one_ending(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(
        "<testsuites><testsuite>"
        '<testcase classname="m.C" name="a"/>'
        '<testcase classname="m.C" name="b"><failure message="boom"/></testcase>'
        '<testcase classname="m.C" name="b"><error message="late"/></testcase>'
        '<testcase classname="m.C" name="c"><skipped message="no"/></testcase>'
        "</testsuite></testsuites>"
    )
    outcomes = read_junit(path)
    assert (outcomes.passed, outcomes.failed, outcomes.skipped) == (
        {"m.C.a"},
        {"m.C.b": "late"},
        {"m.C.c": "no"},
    )
    assert outcomes.table().startswith("passed 1  failed 1  skipped 1")
