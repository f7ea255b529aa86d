"""The log's commands: what they print, on a running and on a stopped log, and their exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from eventlog.database import open_database, run
from eventlog.event import Event, event
from eventlog.log import Actor
from eventlog.meter import meter_line
from eventlog.shown import When, brief, escaped, key_text, plain, time_text, when_from_text
from eventlog.sqlite import SqliteLog
from eventlog.testing import Counter, Noted, SteppedClock
from tests.eventlog.logcli import main

ROOT = Path(__file__).parents[2]
START = 1_800_000_000_000_000  # 2027-01-15T08:00:00Z
EVIL = "a\x1b[2J\r\n\x07\x9b31m\u202egnp.exe\x7f\u2028"


@event("testing.other", v=1)
class Other(Event, frozen=True, kw_only=True):
    """A type that is known, though the log has none of it."""


@pytest.fixture
async def running(tmp_path):
    clock = SteppedClock(START)
    path = tmp_path / "log.db"
    log = await SqliteLog.open(path, views=[Counter()], clock=clock)
    for number in range(1, 21):
        clock.us = START + number * 1_000_000
        actor = Actor(id=f"user-{number % 2}", request_id=f"r{number}", source="192.0.2.1")
        await log.append(f"bucket/{number % 3}", [Noted(name=f"n{number}")], actor=actor)
    yield log
    await log.close()


@pytest.fixture
async def path(running):
    """Where a stopped log is."""
    await running.close()
    return running.path


def cli(path, *words):
    """Run a command as a user would; return the process's result."""
    return subprocess.run(
        [sys.executable, "-m", "tests.eventlog.logcli", *words, "--data", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def said(path, capsys):
    """Run a command in this process; return its exit code and its lines."""

    def ask(*words):
        code = main([*words, "--data", str(path)])
        return code, capsys.readouterr().out.splitlines()

    return ask


# The commands run an event loop of their own, so these tests are not coroutines.


def test_tail_shows_the_last_events_one_line_each(said):
    code, lines = said("tail", "-n", "3")
    assert code == 0
    assert [line.split()[0] for line in lines] == ["18", "19", "20"]
    assert lines[-1] == (
        "20 2027-01-15T08:00:20.000000Z bucket/2@7 testing.noted user-0 192.0.2.1 r20"
        ' {"name":"n20","amount":1,"poison":false}'
    )
    assert len(said("tail")[1]) == 10


def test_tail_finds_the_last_of_a_stream_however_far_back(said):
    _, lines = said("tail", "-n", "2", "--stream", "bucket/0")
    assert [line.split()[0] for line in lines] == ["15", "18"]
    assert said("tail", "--type", "testing.other") == (0, [])


@pytest.mark.parametrize("verb", ["tail", "grep"])
def test_a_type_that_there_is_not_is_wrong_usage_and_names_those_like_it(path, verb):
    done = cli(path, verb, "--type", "testing.notd")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--type testing.notd: there is no such type" in done.stderr
    assert "testing.noted" in done.stderr


@pytest.mark.parametrize("verb", ["tail", "grep", "replay"])
def test_help_says_what_json_is(path, verb):
    assert "one JSON document per line" in " ".join(cli(path, verb, "--help").stdout.split())


def test_tail_as_json_gives_everything_known(said):
    _, [line] = said("tail", "-n", "1", "--json")
    shown = json.loads(line)
    assert shown["position"] == 20
    assert shown["event"] == {"name": "n20", "amount": 1, "poison": False}
    assert (shown["actor"], shown["request_id"], shown["source"]) == ("user-0", "r20", "192.0.2.1")


def test_show_explains_one_event(said):
    code, lines = said("show", "7")
    assert code == 0
    shown = dict(line.split(None, 1) for line in lines if len(line.split()) > 1)
    assert shown["position"] == "7"
    assert shown["committed"] == "2027-01-15T08:00:07.000000Z"
    assert len(shown["leaf"]) == len(shown["commit"]) == 64
    code, lines = said("show", "7", "--json")
    assert json.loads("".join(lines))["stream"] == "bucket/1"


def test_show_of_what_is_not_there_is_a_refusal(said):
    assert said("show", "21") == (1, [])
    code, [refusal] = said("show", "21", "--json")
    assert (code, "no event 21" in json.loads(refusal)["text"]) == (1, True)


@pytest.mark.parametrize(
    ("words", "positions"),
    [
        (["--actor", "user-1", "--until", "5"], [1, 3, 5]),
        (["--stream", "bucket/0"], [3, 6, 9, 12, 15, 18]),
        (["--stream", "buck*/[01]", "--until", "4"], [1, 3, 4]),
        (["--text", '"n1"'], [1]),
        (["--text", "n2"], [2, 20]),
        (["--since", "18"], [18, 19, 20]),
        (["--since", "20270115t080018z"], [18, 19, 20]),
        (["--since", "2027-01-15T08:00:18.5", "--until", "2027-01-15T09:00:19+01:00"], [19]),
        (["--type", "testing.noted", "--type", "testing.other", "-n", "2"], [1, 2]),
        (["--type", "testing.other"], []),
        (["--since", "2030-01-01"], []),
    ],
)
def test_grep_finds_by_every_filter(said, words, positions):
    code, lines = said("grep", *words)
    assert code == 0
    assert [int(line.split()[0]) for line in lines] == positions


def test_verify_says_that_all_is_good(said):
    assert said("verify") == (0, ["20 events, views counter v1: all good"])
    code, lines = said("verify", "--json")
    assert code == 0
    assert json.loads("".join(lines))["fault_count"] == 0


def test_verify_tells_damage_by_its_exit_code(said, path):
    connection = open_database(path)
    run(connection, "UPDATE event SET data = x'00' WHERE pos = 5")
    connection.close()
    code, lines = said("verify")
    assert code == 1
    assert any(line.startswith("event 5: ") for line in lines)
    code, lines = said("verify", "--json")
    assert code == 1
    assert {fault["position"] for fault in json.loads("".join(lines))["faults"]} >= {5}


def test_replay_shows_the_rows_as_of_a_position_and_a_time(said):
    _, now = said("replay")
    assert len(now) == 20
    _, then = said("replay", "--as-of", "3", "--view", "counter")
    assert then == [
        f'total n{number} {{"amount": 1, "position": {number}}}' for number in (1, 2, 3)
    ]
    assert said("replay", "--as-of", "20270115t080003z")[1] == then
    _, rows = said("replay", "--as-of", "3", "--json")
    assert json.loads(rows[0]) == {
        "table": "total", "key": b"n1".hex(), "row": {"amount": 1, "position": 1},
    }  # fmt: skip
    assert said("replay", "--view", "nothing") == (2, [])
    assert "nothing" in json.loads(said("replay", "--view", "nothing", "--json")[1][0])["text"]


def test_views_shows_each_view_and_says_what_must_be_rebuilt(said, path):
    code, [_, line] = said("views")
    assert code == 0
    assert line.split() == ["counter", "1", "20", "0", "20", "live"]
    connection = open_database(path)
    run(connection, "UPDATE view SET version = 7, position = 15")
    connection.close()
    code, lines = said("views", "--json")
    assert code == 1
    [old] = json.loads("".join(lines))
    assert (old["version"], old["lag"], old["state"]) == (7, 5, "rebuild it")


def test_rebuild_compares_on_request_and_repairs(said, path):
    assert said("rebuild") == (0, ["counter v1: rebuilt to position 20, not compared"])
    connection = open_database(path)
    run(connection, "DELETE FROM v_counter_1_total WHERE key = x'6e31'")
    connection.close()
    code, lines = said("rebuild", "counter", "--compare")
    assert code == 1
    assert lines == [
        "counter v1: rebuilt to position 20, was NOT what the log says", "  table total, key n1",
    ]  # fmt: skip
    code, lines = said("rebuild", "--compare", "--json")
    assert code == 0
    assert json.loads("".join(lines))[0]["compared"] is True
    assert said("rebuild", "nothing") == (2, [])


@pytest.mark.parametrize(
    "words",
    [["show"], ["show", "x"], ["show", "0"], ["tail", "-n", "-1"], ["grep", "--since", "soon"], []],
)
def test_wrong_usage_exits_with_2(said, words):
    with pytest.raises(SystemExit) as exit:
        said(*words)
    assert exit.value.code == 2


@pytest.mark.parametrize("verb", ["tail", "show", "grep", "verify", "replay", "views", "rebuild"])
def test_every_verb_explains_itself_with_examples(said, verb, capsys):
    with pytest.raises(SystemExit) as exit:
        main([verb, "--help"])
    assert exit.value.code == 0
    help_text = capsys.readouterr().out
    assert f"cumulog log {verb}" in help_text
    assert "examples:" in help_text
    assert "--json" in help_text


async def test_a_long_value_is_cut_short_in_lines_and_whole_everywhere_else(tmp_path):
    log = await SqliteLog.open(tmp_path / "log.db", views=[Counter()])
    long = "n" * 70_000 + "end"
    await log.append("s", [Noted(name=long)], actor=Actor(id="u"))
    await log.close()
    for words in (["tail"], ["grep", "--text", "end"]):
        [line] = cli(log.path, *words).stdout.splitlines()
        assert len(line) < 500
        assert "...(70,003 characters)" in line
    for words in (["show", "1"], ["show", "1", "--json"], ["tail", "--json"]):
        assert long in cli(log.path, *words).stdout, words
    assert len(cli(log.path, "replay").stdout) > 70_000, "a key is never cut: it says which row"


def test_bytes_are_hex_and_what_is_long_is_marked():
    blob = bytes(range(32))
    value = {"id": blob[:16], "table": b"\x01" * 65_536, "parts": tuple(range(10_000))}
    assert plain(value)["id"] == brief(value)["id"] == blob[:16].hex()
    assert plain(value)["table"] == "01" * 65_536
    assert brief(value)["table"] == "01" * 16 + "...(65,536 bytes)"
    assert plain(value)["parts"] == list(range(10_000))
    assert brief(value)["parts"] == [*range(8), "...(10,000 in all)"]
    assert brief(["a"] * 8) == ["a"] * 8


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (b"", ""),
        ("photos/ä".encode(), "photos/ä"),
        (b"a\nb", "a\\u000ab"),
        (b"0" * 32 + b"\0photos", "0" * 32 + "\\u0000photos"),
        ((7).to_bytes(8, "big"), "0000000000000007"),
        (bytes(range(16)), bytes(range(16)).hex()),
        (b"\x01\xa2" * 8 + b"a/b", "01a2" * 8 + " a/b"),
        (b"\x01\xa2" * 8 + b"a\0\xff", "01a2" * 8 + " a\\u0000\\xff"),
    ],
)
def test_a_row_s_key_is_text_or_an_id_in_hex(key, text):
    assert key_text(key) == text


async def test_hostile_names_reach_no_terminal(tmp_path):
    log = await SqliteLog.open(tmp_path / "log.db", views=[Counter()])
    actor = Actor(id=EVIL, source=EVIL, agent=EVIL)
    await log.append("s", [Noted(name=EVIL)], actor=actor)
    await log.close()
    for words in (
        ["tail"], ["tail", "--json"], ["show", "1"], ["show", "1", "--json"], ["grep"],
        ["replay"], ["replay", "--json"],
    ):  # fmt: skip
        done = cli(log.path, *words)
        assert done.returncode == 0, done.stderr
        assert all(one.isprintable() or one == "\n" for one in done.stdout), words
        if words[0] in ("tail", "grep", "replay"):
            assert done.stdout.count("\n") == 1, "an event is one line"


async def test_what_cannot_be_read_is_shown_as_such_and_told_by_the_exit_code(running):
    await running.close()
    connection = open_database(running.path)
    run(connection, "UPDATE type SET name = 'testing.forgotten'")
    connection.close()
    for words in (["tail", "-n", "1"], ["tail", "-n", "1", "--json"]):
        done = cli(running.path, *words)
        assert done.returncode == 1
        assert "no event type testing.forgotten" in done.stdout


async def test_every_reading_verb_works_while_the_log_runs(running):
    for words in (["tail"], ["show", "1"], ["grep"], ["verify"], ["replay"], ["views"]):
        done = cli(running.path, *words)
        assert (done.returncode, done.stderr) == (0, ""), words
    await running.append("s", [Noted(name="after")], actor=Actor(id="x"))


async def test_tail_follows_a_running_log(running):
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.eventlog.logcli", "tail", "-f", "-n", "1",
         "--data", str(running.path)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout.readline().startswith("20 ")
        for position in (21, 22):
            await running.append("s", [Noted(name="late")], actor=Actor(id="x"))
            assert process.stdout.readline().startswith(f"{position} ")
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("0", When(position=0)),
        ("4711", When(position=4711)),
        ("20270115t080000z", When(us=START)),
        ("20270115T080000Z", When(us=START)),
        ("2027-01-15T08:00:00Z", When(us=START)),
        ("2027-01-15T10:00:00+02:00", When(us=START)),
        ("2027-01-15 08:00", When(us=START)),
        ("2027-01-15T08:00:00.000007", When(us=START + 7)),
    ],
)
def test_a_point_of_the_log_is_a_position_or_a_time(text, when):
    assert when_from_text(text) == when


@pytest.mark.parametrize("text", ["", "-1", "soon", "20271315t080000z", "٣", "1e3"])
def test_what_is_no_point_of_the_log_is_refused(text):
    with pytest.raises(ValueError, match="is no position"):
        when_from_text(text)


def test_times_are_utc_to_the_microsecond():
    assert time_text(START + 1) == "2027-01-15T08:00:00.000001Z"
    assert time_text(10**30) == f"{10**30}us"


def test_plain_text_is_left_as_it_is():
    assert escaped("Grüße, 世界 ☁") == "Grüße, 世界 ☁"
    assert escaped("\x1b[0m\u202e") == "\\u001b[0m\\u202e"


def test_progress_shows_rate_and_time_left():
    line = meter_line("verified", 5_000, 20_000, 5_000, 2.0)
    assert line == "verified: 5,000 of 20,000 (25 %), 2,500/s, 0:00:06 left"
