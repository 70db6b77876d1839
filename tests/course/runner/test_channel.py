"""Frames: what is sent arrives to the last bit; whatever else comes is refused in one line, before memory is taken."""

from __future__ import annotations

import json
import struct
import tracemalloc
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_rnn.course.authoring.bench import nest
from tinygrad_rnn.course.grading import marks
from tinygrad_rnn.course.runner.channel import ANSWER_HEADER, MAX_ARRAYS, Garbled, encode, receive
from tinygrad_rnn.course.runner.trees import flatten, nested

DTYPES = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="?"),
    hnp.unsigned_integer_dtypes(endianness="?"),
    hnp.floating_dtypes(sizes=(16, 32, 64), endianness="?"),
)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
ARRAYS = DTYPES.flatmap(lambda dtype: hnp.arrays(dtype, SHAPES))


def read(data: bytes, cap: int = 1 << 20):
    return receive(BytesIO(data), ANSWER_HEADER, cap)


def frame(header: object, rest: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<I", len(text)) + text + rest


@given(st.dictionaries(st.text(max_size=8), ARRAYS, max_size=4), st.sampled_from("CFTs"))
def test_arrays_arrive_to_the_last_bit(arrays, layout):
    change = {"C": np.array, "F": np.asfortranarray, "T": np.transpose, "s": lambda a: a[::-2] if a.ndim else a}[layout]
    arrays = {name: change(array) for name, array in arrays.items()}
    header, got = read(encode({"x": "∂"}, arrays))
    assert header == {"x": "∂"}
    assert list(got) == list(arrays)
    for name, array in arrays.items():
        assert got[name].shape == array.shape
        assert got[name].dtype == array.dtype.newbyteorder("<")
        assert got[name].tobytes() == array.astype(got[name].dtype).tobytes()


def test_frames_follow_each_other_and_end():
    stream = BytesIO(encode({"a": 1}, {"x": np.arange(3)}) + encode({"b": 2}, {}))
    assert receive(stream, 100, 100)[0] == {"a": 1}
    assert receive(stream, 100, 100) == ({"b": 2}, {})
    assert receive(stream, 100, 100) is None


@given(st.binary(max_size=200))
def test_garbage_is_garbled(data):
    try:
        received = read(data)
    except Garbled:
        return
    assert received is None or isinstance(received[0], dict)


@given(st.data())
def test_what_is_cut_short_is_garbled(data):
    whole = encode({"id": 1}, {"x": np.arange(5.0), "y": np.ones((2, 2), bool)})
    cut = data.draw(st.integers(1, len(whole) - 1))
    with pytest.raises(Garbled):
        read(whole[:cut])


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)),
)


@given(JSON, st.binary(max_size=50))
def test_hostile_announcements_are_garbled(announced, rest):
    try:
        _, arrays = read(frame({"arrays": announced}, rest))
    except Garbled:
        return
    assert sum(array.nbytes for array in arrays.values()) <= len(rest)


@pytest.mark.parametrize(
    "announced",
    [
        [["x", "f8", [1_000_000, 1_000_000]]],  # 8 TB
        [["x", "f8", [2**62, 4]]],  # more than 64 bits can count
        [["x", "u1", [2**19]], ["y", "u1", [2**19]], ["z", "u1", [1]]],  # together
        [["x", "f8", [0, 2**62]]],
        [["x", "f8", [0, *[2**19] * 7]]],  # no bytes, and more than 64 bits can count
        [["x", "f8", [-1, -8]]],
        [["x", "f8", [True]]],
        [["x", "f8", [2.0]]],
        [["x", "f8", [1] * 9]],
        [["x", "f8", 3]],
        [["x", "O", [1]]],
        [["x", "c16", [1]]],
        [["x", ["f8"], [1]]],
        [["x", "f8"]],
        [["x", "f8", [1]], ["x", "f8", [1]]],
        [[3, "f8", [1]]],
        [[str(i), "u1", [0]] for i in range(MAX_ARRAYS + 1)],
        {"x": 1},
        None,
    ],
    ids=lambda announced: str(announced)[:30],
)
def test_no_announcement_takes_memory_before_it_is_believed(announced):
    tracemalloc.start()
    try:
        with pytest.raises(Garbled, match=r"\A[^\n]+\Z"):
            read(frame({"arrays": announced}))
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("<I", 2**32 - 1),
        struct.pack("<I", ANSWER_HEADER + 1) + b" " * (ANSWER_HEADER + 1),
        frame(b"[" * 60_000),
        frame(b"{"),
        frame(b"\xff\xfe"),
        frame([1, 2]),
        frame(b'{"arrays": [], "n": ' + b"9" * 5000 + b"}"),
    ],
    ids=["4 GB", "long", "deep", "open", "not UTF-8", "a list", "a giant number"],
)
def test_hostile_headers_are_garbled(data):
    with pytest.raises(Garbled):
        read(data)


def test_a_byte_that_is_neither_true_nor_false_is_true():
    _, arrays = read(frame({"arrays": [["x", "b1", [3]]]}, b"\0\2\xff"))
    assert arrays["x"].tobytes() == b"\0\1\1"


def test_what_does_not_travel_is_not_sent():
    with pytest.raises(ValueError, match=r"z: complex128 arrays do not travel"):
        encode({}, {"z": np.ones(1, complex)})
    with pytest.raises(ValueError, match="header"):
        encode({"long": "x" * 100}, {}, header_cap=50)


TREES = st.recursive(
    st.integers(0, 9).map(lambda n: np.arange(float(n))),
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from(["W", "b", "dW_hh"]), inner, min_size=1, max_size=3),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["p", "xs"]), TREES, min_size=1))
def test_flattened_trees_come_back(tree):
    leaves, arrays, too_much = flatten(tree, 1 << 20)
    assert not too_much
    assert leaves.keys() == arrays.keys()
    np.testing.assert_equal(nested([(name, "array", None) for name in arrays], arrays), tree)


@given(TREES | st.just([]) | st.dictionaries(st.sampled_from(["p", "xs"]), TREES | st.sampled_from([[], {}, 1.5])))
def test_an_authors_answers_have_the_names_of_a_learners(tree):
    places = marks.flatten(tree)
    assert places.keys() == flatten(tree, 1 << 20)[0].keys()
    if isinstance(tree, dict):
        np.testing.assert_equal(nest(places), tree)  # nothing that is empty is lost


@pytest.mark.parametrize("table", [[[1.0, 2.0], [3.0, 4.0]], [[[1.0]], [[2.0]]]])
def test_a_list_of_lists_of_numbers_is_one_place(table):
    assert marks.flatten({"W": table}) == {"W": table}
    assert list(flatten({"W": table}, 100)[0]) == ["W"]


def test_flattening_ends():
    loop: list = []
    loop.append(loop)
    assert next(iter(flatten(loop, 100)[0].values())) == ["list", None, None]
    assert flatten([0.0] * 1000, 10**6)[2] == f"more than {MAX_ARRAYS} values"
    assert flatten(np.broadcast_to(1.0, (10**6, 10**6)), 100)[2] == f"arrays of {8 * 10**12} bytes; at most 100"
