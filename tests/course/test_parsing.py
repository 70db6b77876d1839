"""Source is parsed from several threads at once: the proof and the grader do."""

import ast
import gc
import time
from concurrent.futures import ThreadPoolExecutor

from tinygrad_rnn.course.parsing import parse

DEEP = "x = " + "[" * 60 + "1" + "]" * 60 + "\n"
SOURCE = DEEP * 300


def let_others_run(*_):
    """The collector may start in the middle of a tree, and what it calls may hand the interpreter to another thread."""
    time.sleep(0.0001)


def test_threads_that_parse_at_once_do_not_disturb_each_other():
    gc.callbacks.append(let_others_run)
    try:
        with ThreadPoolExecutor(4) as threads:
            trees = list(threads.map(parse, [SOURCE] * 12))
    finally:
        gc.callbacks.remove(let_others_run)
    assert all(len(tree.body) == 300 and isinstance(tree.body[0], ast.Assign) for tree in trees)
