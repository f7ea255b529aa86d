-- One log: facts in order, and the table views that fold them.

CREATE TABLE log_head (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    epoch        INTEGER NOT NULL,  -- grows when the set of views changes; writers compare it
    pos          INTEGER NOT NULL,  -- the last position
    committed_us INTEGER NOT NULL,  -- and its commit time: never decreases
    streams      INTEGER NOT NULL   -- the last stream id
) STRICT;

CREATE TABLE stream (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    ver  INTEGER NOT NULL
) STRICT;

CREATE TABLE type (
    id     INTEGER PRIMARY KEY,
    name   TEXT NOT NULL,
    schema INTEGER NOT NULL,
    UNIQUE (name, schema)
) STRICT;

CREATE TABLE event (
    pos          INTEGER PRIMARY KEY,
    stream_id    INTEGER NOT NULL,
    ver          INTEGER NOT NULL,
    type_id      INTEGER NOT NULL,
    at_us        INTEGER NOT NULL,
    committed_us INTEGER NOT NULL,
    event_id     BLOB NOT NULL,
    entry        BLOB NOT NULL,     -- the exact bytes of the leaf
    data         BLOB,              -- NULL: erased
    salt         BLOB,
    subject_id   TEXT,
    leaf         BLOB NOT NULL      -- SHA-256(0x00 || entry)
) STRICT;
CREATE UNIQUE INDEX event_by_stream ON event (stream_id, ver);
CREATE INDEX event_by_type ON event (type_id, pos);

CREATE TABLE idem (
    key   TEXT PRIMARY KEY,
    hash  BLOB NOT NULL,            -- of what was asked for
    first INTEGER NOT NULL,         -- and the answer
    last  INTEGER NOT NULL,
    ver   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE view (
    name     TEXT PRIMARY KEY,
    version  INTEGER NOT NULL,
    position INTEGER NOT NULL       -- the last position folded into its tables
) STRICT, WITHOUT ROWID;

CREATE TABLE bookmark (
    name TEXT PRIMARY KEY,
    pos  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO log_head VALUES (1, 1, 0, 0, 0);
