"""Handwritten digits: 1 797 images of 8 x 8 points, from scikit-learn."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .augment import pad_images, resize

# Where each filled-in form begins, read off the labels: three times 0 to 9, then 0 9 5 5 6 5 0 ... 8 8 4 9 0 8 9 8.
_FORMS = (0, 130, 256, 386, 516, 646, 776, 906, 1029, 1157, 1287, 1415, 1545, 1667)


class Digits(NamedTuple):
    """images (N, 1, size, size), float32 from 0 to 1; labels (N,), integers 0 to 9; writers (N,), integers 0 to 13."""

    images: np.ndarray
    labels: np.ndarray
    writers: np.ndarray


def digits(size: int = 8, margin: int = 0) -> Digits:
    """The digits, `size` points high and wide, of which `margin` on each side are empty; 8 is as they come, others are
    interpolated. LeNet5 takes `digits(32, margin=4)`.

    They are the test part of E. Alpaydin and C. Kaynak's "Optical Recognition of Handwritten Digits" (UCI, 1998), in
    the order in which they were collected: everybody filled in the same form of 130 digits, a few of which were lost or
    misread. The labels show 14 such forms, and each counts as a writer here (UCI speaks of 13 people). An image of a
    known writer is easier than one of a stranger: `writer_split` asks for the latter, `random_split` for the former.
    Raises RuntimeError where scikit-learn is missing, ValueError where the margins leave nothing.
    """
    if size - 2 * margin < 1 or margin < 0:
        raise ValueError(f"digits: a margin of {margin} leaves {size - 2 * margin} of {size} points: make size larger")
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise RuntimeError("digits: the images come with scikit-learn, which is missing here: pip install "
                           "'tinygrad_rnn[data]'") from None  # fmt: skip
    images, labels = load_digits(return_X_y=True)
    images = (images.reshape(-1, 1, 8, 8) / 16).astype(np.float32)
    writers = np.searchsorted(_FORMS, np.arange(len(labels)), side="right") - 1
    return Digits(pad_images(resize(images, size - 2 * margin), margin), labels, writers)


def random_split(count: int, test: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The numbers 0 to count - 1, shuffled, in two parts: for training, and a share `test` for testing. Raises
    ValueError where one would be empty."""
    cut = count - round(count * test)
    if not 0 < cut < count:
        raise ValueError(f"random_split: {test} of {count} leaves one part empty: choose a share between 0 and 1")
    order = rng.permutation(count)
    return order[:cut], order[cut:]


def writer_split(writers: np.ndarray, last: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Where the images of all but the last `last` writers stand, and where those of the last do: strangers to a network
    that trained on the first. Raises ValueError where one part would be empty."""
    blocks = int(writers.max()) + 1
    if not 0 < last < blocks:
        raise ValueError(f"writer_split: there are {blocks} writers, so last= is from 1 to {blocks - 1}, not {last}")
    strangers = writers >= blocks - last
    return np.flatnonzero(~strangers), np.flatnonzero(strangers)
