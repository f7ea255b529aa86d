"""Verification names every kind of damage, and where it is."""

import pytest

from eventlog.codec import leaf_hash
from eventlog.database import open_database, run
from eventlog.errors import CloudError
from eventlog.log import Actor
from eventlog.sqlite import SqliteLog
from eventlog.testing import Counter, Noted
from eventlog.verify import verify


@pytest.fixture
async def path(tmp_path):
    log = await SqliteLog.open(tmp_path / "log.db", views=[Counter()])
    actor = Actor(id="tester", source="192.0.2.1")
    for number in range(6):
        stream = f"stream/{number % 2}"
        await log.append(stream, [Noted(name=f"n{number}")], actor=actor, key=f"k{number}")
    await log.close()
    return tmp_path / "log.db"


def faults_after(path, *statements):
    connection = open_database(path)
    for statement, bindings in statements:
        run(connection, statement, bindings)
    connection.close()
    return [(fault.position, fault.what) for fault in verify(path, [Counter()]).faults]


def test_a_whole_log_has_no_faults(path):
    verified = verify(path, [Counter()])
    assert (verified.head, verified.events, verified.fault_count) == (6, 6, 0)
    assert verified.views == ("counter v1",)


DAMAGE = {
    "the last rows were deleted": ("DELETE FROM event WHERE pos > 5", 0, "head is at 6"),
    "a row was deleted": ("DELETE FROM event WHERE pos = 3", 4, "positions 3 to 3 are missing"),
    "the entry was changed": (
        "UPDATE event SET entry = CAST(replace(CAST(entry AS TEXT), 'tester', 'nobody') AS BLOB)"
        " WHERE pos = 2", 2, "leaf is not the hash",
    ),
    "the payload was changed": (
        "UPDATE event SET data = CAST(replace(CAST(data AS TEXT), 'n1', 'n9') AS BLOB)"
        " WHERE pos = 2", 2, "not the one that the entry commits to",
    ),
    "the salt was changed": (
        "UPDATE event SET salt = zeroblob(32) WHERE pos = 2", 2, "commits to",
    ),
    "the payload was cut": (
        "UPDATE event SET data = substr(data, 2) WHERE pos = 2", 2, "bytes, not",
    ),
    "only the payload was erased": (
        "UPDATE event SET data = NULL WHERE pos = 2", 2, "not erased together",
    ),
    "the leaf was changed": ("UPDATE event SET leaf = zeroblob(32) WHERE pos = 2", 2, "leaf"),
    "the time was changed": ("UPDATE event SET at_us = 5 WHERE pos = 2", 2, "at is"),
    "the event id was changed": (
        "UPDATE event SET event_id = zeroblob(16) WHERE pos = 2", 2, "event_id is",
    ),
    "the commit time went back": (
        "UPDATE event SET committed_us = 5 WHERE pos = 3", 3, "committed before",
    ),
    "it was moved to another stream": (
        "UPDATE event SET stream_id = 1, ver = 9 WHERE pos = 2", 2, "stream is",
    ),
    "a stream's version was changed": (
        "UPDATE event SET ver = 7 WHERE pos = 5", 5, "version 7 of its stream",
    ),
    "a stream's row was changed": (
        "UPDATE stream SET ver = 9 WHERE id = 1", 0, "stream stream/0 is at version 9",
    ),
    "a stream was renamed": ("UPDATE stream SET name = 'other' WHERE id = 1", 1, "stream is"),
    "the type's name was changed": (
        "UPDATE type SET name = 'testing.unknown'", 1, "no event type testing.unknown",
    ),
    "the type's version was raised": ("UPDATE type SET schema = 7", 1, "v7 is newer than v1"),
    "the head was moved": ("UPDATE log_head SET pos = 9", 0, "head is at 9"),
    "the head's time was moved": ("UPDATE log_head SET committed_us = 9", 0, "commit time"),
    "an idempotency key points nowhere": (
        "UPDATE idem SET last = 99 WHERE key = 'k1'", 0, "key 'k1' points outside",
    ),
    "a row of a view was changed": (
        "UPDATE v_counter_1_total SET value = x'920501' WHERE key = CAST('n1' AS BLOB)",
        0, "row of key 6e31 differs",
    ),
    "a row of a view was deleted": (
        "DELETE FROM v_counter_1_total WHERE key = CAST('n1' AS BLOB)", 0, "6e31 is missing",
    ),
    "a row was added to a view": (
        "INSERT INTO v_counter_1_total VALUES (x'00', x'920501')", 0, "should not be there",
    ),
    "the view fell behind": ("UPDATE view SET position = 3", 0, "view counter is at 3"),
    "the view is another version": ("UPDATE view SET version = 3", 0, "view counter is v3"),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_named_with_its_place(what, path):
    statement, position, text = DAMAGE[what]
    faults = faults_after(path, (statement, ()))
    assert any(at == position and text in said for at, said in faults), faults


def test_a_forged_entry_with_a_matching_leaf_is_noticed_by_its_columns(path):
    connection = open_database(path)
    [(entry,)] = run(connection, "SELECT entry FROM event WHERE pos = 4")
    connection.close()
    forged = entry.replace(b"testing.noted", b"testing.false")
    faults = faults_after(
        path,
        ("UPDATE event SET entry = ?, leaf = ? WHERE pos = 4", (forged, leaf_hash(forged))),
    )
    assert faults == [(4, "type is 'testing.noted', but 'testing.false' in the entry")]


def test_two_rows_that_were_swapped_are_both_noticed(path):
    faults = faults_after(
        path,
        ("UPDATE event SET pos = -1 WHERE pos = 2", ()),
        ("UPDATE event SET pos = 2 WHERE pos = 4", ()),
        ("UPDATE event SET pos = 4 WHERE pos = -1", ()),
    )
    assert {2, 4} <= {position for position, _ in faults}


def test_an_erased_payload_is_no_fault(path):
    connection = open_database(path)
    run(connection, "UPDATE event SET data = NULL, salt = NULL WHERE pos = 2")
    run(connection, "DELETE FROM v_counter_1_total WHERE key = CAST('n1' AS BLOB)")
    connection.close()
    assert verify(path, [Counter()]).faults == []


def test_a_flipped_bit_anywhere_in_the_file_is_never_taken_for_a_whole_log(path):
    """Every page is hit. Bits that no one reads (free space) leave every answer right."""
    content = path.read_bytes()
    whole = verify(path, [Counter()])
    noticed = 0
    for offset in range(100, len(content), 997):
        damaged = bytearray(content)
        damaged[offset] ^= 0x10
        path.write_bytes(damaged)
        try:
            found = verify(path, [Counter()])
        except CloudError:
            noticed += 1
            continue
        noticed += found.fault_count > 0
        assert found.fault_count or found == whole
    assert noticed > 0
    path.write_bytes(content)
    assert verify(path, [Counter()]) == whole
