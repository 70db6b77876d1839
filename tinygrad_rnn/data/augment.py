"""Augmentation: images (B, C, H, W) moved, cut and resized at random to train on, and in fixed ways to test on.

What may be done to an image is what leaves its label right: a cat seen in a mirror is a cat, a 2 is no digit at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Size = int | tuple[int, int]


def resize(images: np.ndarray, size: Size) -> np.ndarray:
    """The images `size` points high and wide, interpolated linearly between the centres of points (as PyTorch's
    `interpolate(mode="bilinear")`)."""
    down, across = _pair(size)
    if images.shape[2:] == (down, across):
        return images
    rows, columns = (_interpolation(n, m, images.dtype) for n, m in zip(images.shape[2:], (down, across), strict=True))
    return rows @ images @ columns.T


def _interpolation(n: int, m: int, dtype: Any) -> np.ndarray:
    """The matrix (m, n) that gives m points from n: each from its two neighbours, the nearer one weighing more."""
    places = np.clip((np.arange(m) + 0.5) * n / m - 0.5, 0, n - 1)
    below = np.minimum(places.astype(int), max(n - 2, 0))
    matrix = np.zeros((m, n), dtype)
    matrix[np.arange(m), below] = 1 - (places - below)
    if n > 1:
        matrix[np.arange(m), below + 1] = places - below
    return matrix


def pad_images(images: np.ndarray, margin: int) -> np.ndarray:
    """The images with `margin` points of zeros on each side."""
    return np.pad(images, ((0, 0), (0, 0), (margin, margin), (margin, margin))) if margin else images


def crop(images: np.ndarray, size: Size, top: Any, left: Any) -> np.ndarray:
    """From each image the part of `size` that begins at its `top` and `left`, a number or one an image (B,)."""
    down, across = _pair(size)
    _fits("crop", images, (down, across))
    B = len(images)
    rows = np.broadcast_to(top, B)[:, None] + np.arange(down)
    columns = np.broadcast_to(left, B)[:, None] + np.arange(across)
    return np.moveaxis(images[np.arange(B)[:, None, None], :, rows[:, :, None], columns[:, None, :]], 3, 1)


def random_crop(images: np.ndarray, size: Size, rng: np.random.Generator) -> np.ndarray:
    """From each image a part of `size` at a random place. Raises ValueError where the images are smaller."""
    down, across = _pair(size)
    _fits("random_crop", images, (down, across))
    B, _, H, W = images.shape
    return crop(images, (down, across), rng.integers(0, H - down + 1, B), rng.integers(0, W - across + 1, B))


def random_shift(images: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Each image moved by up to `most` points down or up and right or left; zeros come in from outside."""
    return random_crop(pad_images(images, most), images.shape[2:], rng)


def random_scale(images: np.ndarray, size: Size, short_side: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Scale jitter as ResNet is trained (He et al. 2016, section 3.4): each image resized so that its short side is a
    random number from `short_side`, both ends possible, then a random crop of `size`."""
    low, high = short_side
    B, C = images.shape[:2]
    down, across = _pair(size)
    cut = np.empty((B, C, down, across), images.dtype)
    sides = rng.integers(low, high + 1, B)
    for side in np.unique(sides):
        chosen = sides == side
        cut[chosen] = random_crop(_short_side(images[chosen], int(side)), size, rng)
    return cut


def centre_crop(images: np.ndarray, size: Size) -> np.ndarray:
    """The middle of each image, (B, C, *size)."""
    down, across = _pair(size)
    _, _, H, W = images.shape
    return crop(images, (down, across), (H - down) // 2, (W - across) // 2)


def ten_crops(images: np.ndarray, size: Size, mirrored: bool = True) -> np.ndarray:
    """The four corners and the centre of each image, and each of the five seen in a mirror: (10, B, C, *size), or
    (5, B, C, *size) without `mirrored` (Krizhevsky et al. 2012, section 4.1)."""
    down, across = _pair(size)
    _fits("ten_crops", images, (down, across))
    bottom, right = images.shape[2] - down, images.shape[3] - across
    corners = [(0, 0), (0, right), (bottom, 0), (bottom, right), (bottom // 2, right // 2)]
    five = [crop(images, (down, across), top, left) for top, left in corners]
    return np.stack(five + [image[..., ::-1] for image in five] if mirrored else five)


def crops_at_scales(images: np.ndarray, size: Size, short_sides: Sequence[int], mirrored: bool = True) -> np.ndarray:
    """`ten_crops` of the images at several scales, all one after another: ResNet is tested with crops of 224 at short
    sides of 224, 256, 384, 480 and 640, which are 50 (He et al. 2016, section 3.4)."""
    return np.concatenate([ten_crops(_short_side(images, side), size, mirrored) for side in short_sides])


def vote(logits: np.ndarray) -> np.ndarray:
    """The class of each image, (B,), by majority among its crops: logits (crops, B, classes). Where two classes have as
    many votes, the one that is likelier on average."""
    votes = (logits.argmax(axis=-1)[..., None] == np.arange(logits.shape[-1])).sum(axis=0)
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    likely = (e / e.sum(axis=-1, keepdims=True)).mean(axis=0)
    return (votes + 0.999 * likely).argmax(axis=-1)


def _short_side(images: np.ndarray, side: int) -> np.ndarray:
    H, W = images.shape[2:]
    return resize(images, (round(H * side / min(H, W)), round(W * side / min(H, W))))


def _fits(who: str, images: np.ndarray, size: tuple[int, int]) -> None:
    if images.shape[2] < size[0] or images.shape[3] < size[1]:
        raise ValueError(f"{who}: images of {images.shape[2:]} are smaller than the crop {size}: resize or pad them")


def _pair(size: Size) -> tuple[int, int]:
    down, across = (size, size) if isinstance(size, int) else size
    return down, across
