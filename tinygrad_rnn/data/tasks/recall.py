"""A text, and a question about it that comes before it or only after it."""

from __future__ import annotations

import numpy as np

from .sizes import needs, one_of


def recall(rng: np.random.Generator, length: int, batch_size: int, values: int = 4, question: str = "after",
           dtype: type[np.floating] = np.float32) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """`length` symbols are read, and one of them is asked for by its place: x (length + 1, B, values + length) and the
    answer y (B,), below `values`.

    Channels 0 to values - 1 are symbols, the others the places that a question can ask for. With question="before" the
    question is the first step, and one symbol has to be remembered; with "after" it is the last step, and all have to
    be: who cannot, guesses, with a cross-entropy of ln(values), `recall_without_memory`. From the last page of the
    lecture on recurrent networks, where a reader of twenty pages is asked afterwards what someone said. Raises
    ValueError where length or batch_size < 1, values < 2, or question is neither.

    >>> x, y = recall(np.random.default_rng(0), length=3, batch_size=1)
    >>> x[:, 0].argmax(axis=1).tolist(), y.tolist()
    ([3, 2, 2, 4], [3])
    """
    needs("recall", length=(length, 1), batch_size=(batch_size, 1), values=(values, 2))
    one_of("recall", "question", question, ("before", "after"))
    symbols = rng.integers(0, values, (length, batch_size))
    asked = rng.integers(0, length, batch_size)
    steps = [values + asked[None], symbols] if question == "before" else [symbols, values + asked[None]]
    return np.eye(values + length, dtype=dtype)[np.concatenate(steps)], symbols[asked, np.arange(batch_size)]


def recall_without_memory(values: int = 4) -> float:
    """The cross-entropy of `recall`, in nats, for who has forgotten the text: ln(values)."""
    return float(np.log(values))
