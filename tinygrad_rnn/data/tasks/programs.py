"""Programs and what they print: counting, copying, adding, sums among distractors, little Python; and made-up XML.

A program is a text, and so is its answer; `spelled` makes of such pairs what a network reads and is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from zlib import crc32

import numpy as np

from ..lengths import pad
from ..text import Vocabulary
from .sizes import needs

DISTRACTORS = "abcdefghijk"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
VARIABLES = "abcdefgh"
Pair = tuple[str, str]


def counting(rng: np.random.Generator, most: int = 12) -> Pair:
    """From a number below 1000 on, so many, of which the last digits are written: the program says from where and how
    many, at most `most`.

    >>> counting(np.random.default_rng(2))
    ('837:4', '7890')
    """
    needs("counting", most=(most, 1))
    start, count = int(rng.integers(1000)), int(rng.integers(1, most + 1))
    return f"{start}:{count}", "".join(str((start + k) % 10) for k in range(count))


def copying_digits(rng: np.random.Generator, length: int = 8) -> Pair:
    """As many digits as `length` at most, and the same again (W. Zaremba and I. Sutskever, "Learning to Execute", 2014,
    section 3.2).

    >>> copying_digits(np.random.default_rng(0))
    ('6523000', '6523000')
    """
    needs("copying_digits", length=(length, 1))
    text = "".join(map(str, rng.integers(0, 10, rng.integers(1, length + 1))))
    return text, text


def adding_digits(rng: np.random.Generator, digits: int = 2) -> Pair:
    """Two numbers of so many digits, and their sum (W. Zaremba and I. Sutskever, "Learning to Execute", 2014, section
    3.1).

    >>> adding_digits(np.random.default_rng(0))
    ('86+67', '153')
    """
    needs("adding_digits", digits=(digits, 1))
    a, b = (_number(rng, digits) for _ in range(2))
    return f"{a}+{b}", str(a + b)


def arithmetic(rng: np.random.Generator, digits: int = 8, distractors: int = 3) -> Pair:
    """A sum or a difference of two numbers of up to so many digits, among letters that mean nothing, and its value.

    After each character but the last come up to `distractors` letters. From R. Jozefowicz, W. Zaremba and I. Sutskever
    ("An Empirical Exploration of Recurrent Network Architectures", 2015, section 3.6), whose example of 8 digits is
    3e36d9-h1h39f94eeh43keg3c, which is -13991064.

    >>> arithmetic(np.random.default_rng(1), digits=3, distractors=1)
    ('56k-95e5', '-899')
    """
    needs("arithmetic", digits=(digits, 1), distractors=(distractors, 0))
    a, b = (_number(rng, int(rng.integers(1, digits + 1))) for _ in range(2))
    plus = bool(rng.integers(2))
    text = f"{a}{'+' if plus else '-'}{b}"
    noise = ["".join(_letter(rng, DISTRACTORS) for _ in range(rng.integers(distractors + 1))) for _ in text[1:]]
    return "".join(c + more for c, more in zip(text, [*noise, ""], strict=True)), str(a + b if plus else a - b)


def evaluation(rng: np.random.Generator, digits: int = 2, nesting: int = 2) -> Pair:
    """A little program in Python, and what it prints: numbers of up to so many digits, and `nesting` operations, each
    on the results of those before (W. Zaremba and I. Sutskever, "Learning to Execute", 2014, section 3).

    Operations are sums, differences, products with a number of one digit, conditions, variables and loops. The answer
    is exact: the program was made from its value.

    >>> evaluation(np.random.default_rng(6))
    ('print(((5*9) if 9>6 else 2))', '45')
    """
    needs("evaluation", digits=(digits, 1), nesting=(nesting, 1))
    lines: list[str] = []
    texts: list[tuple[str, int]] = []

    def operand() -> tuple[str, int]:
        """A result not yet used, or a new number."""
        if texts and rng.random() < 0.7:
            return texts.pop(int(rng.integers(len(texts))))
        number = _number(rng, int(rng.integers(1, digits + 1)))
        return str(number), number

    free = list(VARIABLES)
    for _ in range(nesting):
        (a, value_a), (b, value_b) = operand(), operand()
        small = int(rng.integers(1, 10))
        operation = int(rng.integers(6)) if free else int(rng.integers(4))
        if operation == 0:
            texts.append((f"({a}+{b})", value_a + value_b))
        elif operation == 1:
            texts.append((f"({a}-{b})", value_a - value_b))
        elif operation == 2:
            texts.append((f"({a}*{small})", value_a * small))
        elif operation == 3:
            c, value_c = operand()
            texts.append((f"({a} if {b}>{c} else {small})", value_a if value_b > value_c else small))
        else:
            name = free.pop(int(rng.integers(len(free))))
            loop = operation == 5
            lines.append(f"{name}={a}" + (f"\nfor x in range({small}):{name}+={b}" if loop else ""))
            texts.append((name, value_a + small * value_b * loop))
    text, value = texts[-1]
    return "\n".join([*lines, f"print({text})"]), str(value)


def xml(rng: np.random.Generator, tags: int = 50, letters: tuple[int, int] = (2, 10), depth: int | None = None) -> str:
    """Made-up XML: nested tags with names of random letters. With one chance in two, and after `tags` of them for
    certain, the innermost is closed; else, and where none is open, another is opened, up to `depth` in each other.

    From R. Jozefowicz, W. Zaremba and I. Sutskever ("An Empirical Exploration of Recurrent Network Architectures",
    2015, section 3.6): what can be known is the name that a closing tag must have. Raises ValueError where tags, the
    least number of letters or depth < 1.

    >>> xml(np.random.default_rng(4), tags=3, letters=(1, 2))
    '<yw><zc><j></j></zc></yw>'
    """
    fewest, most = letters
    needs("xml", tags=(tags, 1), fewest_letters=(fewest, 1), most_letters=(most, fewest), depth=(depth or 1, 1))
    text, open_ = "", list[str]()
    for k in range(10**9):
        full = depth is not None and len(open_) >= depth
        if open_ and (k >= tags or full or rng.random() < 0.5):
            text += f"</{open_.pop()}>"
        elif k < tags:
            open_.append("".join(_letter(rng, LETTERS) for _ in range(rng.integers(fewest, most + 1))))
            text += f"<{open_[-1]}>"
        else:
            break
    return text


def held_out(program: str, share: int = 10) -> bool:
    """Is this program one of the tenth (or another share) that is kept for testing? The same answer everywhere."""
    return crc32(program.encode()) % share == 0


def pairs_of(make: Callable[[], Pair], count: int, test: bool, share: int = 10) -> list[Pair]:
    """`count` pairs that are held out, or that are not.

    >>> rng = np.random.default_rng(0)
    >>> all(held_out(program) for program, _ in pairs_of(lambda: adding_digits(rng), 5, test=True))
    True
    """
    pairs: list[Pair] = []
    while len(pairs) < count:
        pair = make()
        if held_out(pair[0], share) == test:
            pairs.append(pair)
    return pairs


def spelled(pairs: Sequence[Pair], vocabulary: Vocabulary, reverse: bool = False,
            double: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """`x, y, mask (T, B)`: the characters of "program=answer." but the last, after each the next, and where that is one
    of the answer's or the final stop, which is what can be known.

    `reverse` spells the program backwards, so that its beginning is near the answer's; `double` spells it twice
    (Zaremba & Sutskever 2014, section 4). Raises ValueError, from the vocabulary, for a character that it lacks.

    >>> x, y, mask = spelled([("12", "3")], Vocabulary("0123456789=."))
    >>> [Vocabulary("0123456789=.").decode(part[:, 0]) for part in (x, y)], mask[:, 0].astype(int).tolist()
    (['12=3', '2=3.'], [0, 0, 1, 1])
    """
    programs = [(program[::-1] if reverse else program) * (1 + double) for program, _ in pairs]
    ids = [vocabulary.encode(f"{program}={answer}.") for program, (_, answer) in zip(programs, pairs, strict=True)]
    x, mask = pad([row[:-1] for row in ids])
    y, _ = pad([row[1:] for row in ids])
    asked = np.arange(len(x))[:, None] >= np.array([len(program) for program in programs])
    return x, y, mask & asked


def _number(rng: np.random.Generator, digits: int) -> int:
    """A number of exactly so many digits."""
    return int(rng.integers(10 ** (digits - 1) if digits > 1 else 0, 10**digits))


def _letter(rng: np.random.Generator, letters: str) -> str:
    return letters[int(rng.integers(len(letters)))]
