"""What a generator says to sizes that its task cannot have."""

from __future__ import annotations


def needs(task: str, **sizes: tuple[int, int, str] | tuple[int, int]) -> None:
    """Raise ValueError, in one line, unless each size (given, least, why) is at least its least.

    >>> needs("xor", seq_len=(4, 10, "a tenth is a step"), batch_size=(2, 1))
    Traceback (most recent call last):
    ValueError: xor: needs seq_len >= 10 (a tenth is a step) and batch_size >= 1, not 4 and 2
    """
    if any(given < least for given, least, *_ in sizes.values()):
        asked = [f"{name} >= {least}{''.join(f' ({word})' for word in why)}"
                 for name, (_, least, *why) in sizes.items()]  # fmt: skip
        raise ValueError(f"{task}: needs {_listed(asked)}, not {_listed([str(given) for given, *_ in sizes.values()])}")


def one_of(task: str, what: str, given: str, known: tuple[str, ...]) -> None:
    """Raise ValueError, in one line, unless `given` is one of the `known` words."""
    if given not in known:
        quoted = ", ".join(f'"{word}"' for word in known)
        raise ValueError(f"{task}: {what} is one of {quoted}, not {given!r}")


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
