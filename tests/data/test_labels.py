"""Labels of a text: by hand, by Python's own tokenizer, and of texts that are no Python."""

from __future__ import annotations

import io
import keyword
import sys
import tokenize

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_rnn.data import stdlib_code
from tinygrad_rnn.data import text_labels as labels
from tinygrad_rnn.data.labels import IN_PROSE, LABELS

BY_HAND = {  # a text, what is asked, the characters where it is so (- where not)
    "quotes": [
        ("a = 'b' + \"c's\"", "----'b----\"c's-"),
        ("'it\\'s'", "'it\\'s-"),
        ("'open\nx", "'open--"),
        ("# it's\nx = ''", "-----------'-"),
        ('"""it\'s""" \'x\'', "-----------'x-"),
    ],
    "docstrings": [
        ('"""a\n"b" """', '"""a\n"b" ""-'),
        ("x = '''#'''#", "----'''#''--"),
        ('r"""\\""" """', '-"""\\""" ""-'),
    ],
    "comments": [
        ("x # a 'b\ny", "--# a 'b--"),
        ("'#' # c", "----# c"),
        ("#", "#"),
    ],
    "if": [
        ("if a[1:2]: b", "-f a[1:2]---"),
        ("  elif x == ':':\n y", "-----f x == ':'----"),
        ("x if y else z", "-------------"),
        ("if (a or\n    b): c", "-f (a or\n    b)---"),
        ("# if a: b", "---------"),
        ("[x\nif y]: z", "-----------"),
    ],
    "url": [("see https://a.b/c, or x", "---------://a.b/c,-----"), ("http: //x", "---------")],
    "newline": [("ab\n\nc", "-b\n--")],
}


@pytest.mark.parametrize(("name", "text", "where"), [(n, t, w) for n, cases in BY_HAND.items() for t, w in cases])
def test_labels_by_hand(name, text, where):
    inside = np.nan_to_num(labels(text)[name]).astype(bool)
    assert "".join(c if yes else "-" for c, yes in zip(text, inside, strict=True)) == where


@pytest.mark.parametrize(("name", "text", "values"), [
    ("depth", "f(a[1])(']')", [0, 1, 1, 2, 2, 1, 0, 1, 1, 1, 1, 0]),
    ("depth", ")(a", [0, 1, 1]),
    ("brackets", "f((a))b", [0, 1, 1, 1, 1, 0, 0]),
    ("position", "f(a[1])b(", [None, 0, 1, 2, 3, 4, None, None, 0]),
    ("line", "ab\ncd\n\ne", [1, 2, 0, 1, 2, 0, 0, 1]),
    ("indent", "a\n  b\n\n\n c", [0, 0, 0, 0, 2, 2, 2, 2, 2, 1]),
    ("indent", "  a\nb", [0, 0, 2, 2, 0]),
    ("newline", "a\n", [1, None]),
])  # fmt: skip
def test_numbers_by_hand(name, text, values):
    found = [None if np.isnan(v) else v for v in labels(text)[name]]
    assert found == values


def by_tokenizer(source):
    """(N,) inside a string, a comment, and the depth of brackets, from Python's own tokens."""
    starts = np.cumsum([0, *(len(line) for line in source.split("\n"))]) + np.arange(source.count("\n") + 2)
    string, comment, change = np.zeros(len(source), bool), np.zeros(len(source), bool), np.zeros(len(source), int)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        first, last = (int(starts[row - 1]) + column for row, column in (token.start, token.end))
        if token.type == tokenize.STRING:
            first += min(token.string.index(q) for q in "'\"" if q in token.string)  # after its prefix
            string[first : last - 1] = True
        elif token.type == tokenize.COMMENT:
            comment[first:last] = True
        elif token.type == tokenize.OP and token.string in "([{}])":
            change[first] = 1 if token.string in "([{" else -1
    return string, comment, np.cumsum(change)


def check(source):
    found = labels(source)
    string, comment, depth = by_tokenizer(source)
    np.testing.assert_array_equal(np.maximum(found["quotes"], found["docstrings"]), string)
    np.testing.assert_array_equal(found["comments"], comment)
    np.testing.assert_array_equal(found["depth"], depth)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="since 3.12 the tokenizer takes f-strings apart")
def test_strings_comments_and_brackets_are_those_of_the_tokenizer():
    files = stdlib_code()
    for name in ("argparse.py", "heapq.py", "inspect.py", "json/encoder.py", "tokenize.py", "turtle.py", "ast.py"):
        check(files[name])


pieces = st.sampled_from(["x", "12", "+", ",", "(y)", "[z, 1]", "{}", "'a'", '"it\'s"', "r'\\d'", "'\\''", "'#'", "b''",
                          '"""a\n b"""', "'''('''", "# if\n", "#'\n", "\n", " ", *keyword.kwlist[:5]])  # fmt: skip


@given(st.lists(pieces, max_size=40))
@settings(max_examples=150)
def test_streams_of_tokens_are_labelled_as_the_tokenizer_does(parts):
    check(" ".join(parts).replace("\n ", "\n") + "\n")


@given(st.text(alphabet="ab \n'\"#()[]{}\\:if", max_size=60), st.booleans())
@settings(max_examples=200)
def test_any_text_has_labels(text, prose):
    found = labels(text, prose)
    assert list(found) == list(IN_PROSE if prose else LABELS)
    for name, values in found.items():
        assert values.shape == (len(text),), name
        assert not np.isnan(values[:-1] if name == "newline" else values).any() or name == "position"
    lines = text.split("\n")
    assert found["line"].tolist() == [float(c) for k, line in enumerate(lines)
                                      for c in ([0] if k else []) + list(range(1, len(line) + 1))]  # fmt: skip
    assert (np.isnan(found["position"]) == (found["depth"] == 0)).all()
    if not prose:
        assert (found["quotes"] + found["docstrings"] + found["comments"] <= 1).all()


def test_prose_has_apostrophes_and_only_double_quotes():
    text = 'don\'t say "it\'s\nso" # (1)\n\n"open\n\nnext'
    found = labels(text, prose=True)
    inside = "".join(c if yes else "-" for c, yes in zip(text, found["quotes"], strict=True))
    assert inside == '----------"it\'s\nso---------"open------'
    assert found["depth"].max() == 1
    assert "comments" not in found
