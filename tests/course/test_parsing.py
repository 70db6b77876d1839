"""Source is parsed from several threads at once: the proof and the grader do, and NumPy, which reads the head of each
array as source."""

import ast
import gc
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tinygrad_rnn.course.cases import unpack
from tinygrad_rnn.course.parsing import parse

DEEP = "x = " + "[" * 60 + "1" + "]" * 60 + "\n"
SOURCE = DEEP * 300


def let_others_run(*_):
    """The collector may start in the middle of a tree, and what it calls may hand the interpreter to another thread."""
    time.sleep(0.0001)


CASES = Path(__file__).parents[2] / "lessons" / "03_bptt" / "cases.npz"


def test_cases_are_read_beside_a_thread_that_parses():
    packed = CASES.read_bytes()
    gc.callbacks.append(let_others_run)
    try:
        with ThreadPoolExecutor(4) as threads:
            trees = [threads.submit(parse, SOURCE) for _ in range(6)]
            read = [threads.submit(unpack, packed) for _ in range(12)]
            assert all(len(tree.result().body) == 300 for tree in trees)
            assert all(len(cases.result()) > 1 for cases in read)
    finally:
        gc.callbacks.remove(let_others_run)


def test_threads_that_parse_at_once_do_not_disturb_each_other():
    gc.callbacks.append(let_others_run)
    try:
        with ThreadPoolExecutor(4) as threads:
            trees = list(threads.map(parse, [SOURCE] * 12))
    finally:
        gc.callbacks.remove(let_others_run)
    assert all(len(tree.body) == 300 and isinstance(tree.body[0], ast.Assign) for tree in trees)
