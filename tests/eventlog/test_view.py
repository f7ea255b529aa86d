"""An overlay of rows behaves as a dict would, whatever is below it and whatever is undone."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from eventlog.testing import Counter, Noted
from eventlog.testing.laws import Total
from eventlog.view import Overlay, encode_row

KEYS = st.sampled_from([bytes([a, b]) for a in range(3) for b in range(4)])
BOUNDS = st.sampled_from([b"", b"\x00\x02", b"\x01", b"\x01\x03", b"\x02\x01", b"\xff"])
AMOUNTS = st.integers(1, 1000)


class DictSource:
    """Stored rows, in a dict."""

    def __init__(self, rows):
        self.rows = {key: encode_row(row) for key, row in rows.items()}

    def load(self, table, keys):
        return [(key, self.rows[key]) for key in keys if key in self.rows]

    def range(self, table, lo, hi, limit, reverse):
        found = [pair for pair in sorted(self.rows.items()) if lo <= pair[0]]
        found = [pair for pair in found if hi is None or pair[0] < hi]
        return (found[::-1] if reverse else found)[:limit]

    def write(self, overlay):
        for _, written, gone in overlay.changes():
            self.rows |= dict(written)
            for key in gone:
                self.rows.pop(key, None)


class OverlayIsADict(RuleBasedStateMachine):
    @initialize(rows=st.dictionaries(KEYS, AMOUNTS), empty=st.booleans())
    def begin(self, rows, empty):
        self.model = {} if empty else {key: Total(amount, 0) for key, amount in rows.items()}
        self.source = DictSource(self.model)
        self.overlay = Overlay([Counter()], None if empty else self.source)
        self.rows = self.overlay.rows
        self.marks = []

    @rule(key=KEYS, amount=AMOUNTS)
    def put(self, key, amount):
        self.rows.put("total", key, Total(amount, 1))
        self.model[key] = Total(amount, 1)

    @rule(key=KEYS)
    def delete(self, key):
        self.rows.delete("total", key)
        self.model.pop(key, None)

    @rule(key=KEYS)
    def get(self, key):
        assert self.rows.get("total", key) == self.model.get(key)

    @rule(lo=BOUNDS, hi=BOUNDS | st.none(), limit=st.integers(1, 5), reverse=st.booleans())
    def scan(self, lo, hi, limit, reverse):
        inside = sorted(k for k in self.model if lo <= k and (hi is None or k < hi))
        wanted = [(k, self.model[k]) for k in (inside[::-1] if reverse else inside)]
        assert self.rows.scan("total", lo, hi, limit, reverse) == wanted[:limit]
        first = wanted[0] if wanted else None
        assert self.rows.first("total", lo, hi, reverse) == first

    @rule(keys=st.lists(KEYS))
    def prefetch(self, keys):
        self.overlay.prefetch([Noted(name=key.decode()) for key in keys])

    @rule()
    def mark(self):
        self.marks.append((self.overlay.mark(), dict(self.model)))

    @rule()
    def undo(self):
        if self.marks:
            mark, self.model = self.marks.pop()
            self.overlay.undo(mark)

    @rule()
    def write(self):
        self.source.write(self.overlay)
        self.overlay.clear()
        self.overlay.attach(self.source)
        self.marks.clear()
        decode = msgspec.msgpack.Decoder(Total).decode
        assert {key: decode(row) for key, row in self.source.rows.items()} == self.model


def test_an_overlay_behaves_as_a_dict():
    run_state_machine_as_test(OverlayIsADict)


@given(st.lists(st.tuples(KEYS, AMOUNTS), max_size=20))
def test_what_was_undone_is_not_written(changes):
    overlay = Overlay([Counter()], DictSource({}))
    for key, amount in changes:
        overlay.rows.put("total", key, Total(amount, 1))
    overlay.undo(0)
    assert list(overlay.changes()) == []
