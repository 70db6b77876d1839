"""Images moved, cut and resized: against PyTorch, against plain indexing, and as properties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_rnn.data import augment

few = settings(max_examples=25, deadline=None)
SIZE = st.integers(1, 6)


def pictures(B=2, C=3, H=6, W=5):
    """Every point of every image is another number, none of them 0."""
    return np.arange(1.0, B * C * H * W + 1).reshape(B, C, H, W)


@few
@given(SIZE, SIZE, st.integers(1, 12), st.integers(1, 12))
def test_resizing_is_pytorchs(H, W, down, across):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).random((2, 2, H, W))
    theirs = torch.nn.functional.interpolate(torch.tensor(x), (down, across), mode="bilinear", align_corners=False)
    np.testing.assert_allclose(augment.resize(x, (down, across)), theirs.numpy(), rtol=1e-10, atol=1e-12)


@few
@given(SIZE, SIZE, st.integers(0, 2**32 - 1))
def test_a_random_crop_is_a_part_of_its_own_image(H, W, seed):
    x = pictures(4, 2, 6, 6)
    cut = augment.random_crop(x, (H, W), np.random.default_rng(seed))
    assert cut.shape == (4, 2, H, W)
    for image, part in zip(x, cut, strict=True):
        top, left = np.argwhere(image[0] == part[0, 0, 0])[0]
        np.testing.assert_array_equal(part, image[:, top : top + H, left : left + W])


def test_a_random_crop_can_begin_at_every_place():
    cut = augment.random_crop(np.repeat(pictures(1, 1, 4, 3), 200, axis=0), 2, np.random.default_rng(0))
    assert set(cut[:, 0, 0, 0]) == {1, 2, 4, 5, 7, 8}


@few
@given(st.integers(0, 3), st.integers(0, 2**32 - 1))
def test_a_shift_moves_the_whole_image_and_zeros_come_in(most, seed):
    x = pictures()
    moved = augment.random_shift(x, most, np.random.default_rng(seed))
    for image, got in zip(x, moved, strict=True):
        shifts = [(dy, dx) for dy in range(-most, most + 1) for dx in range(-most, most + 1)]
        assert any((got == shifted(image, dy, dx)).all() for dy, dx in shifts)


def shifted(image, dy, dx):
    _, H, W = image.shape
    y = np.zeros_like(image)
    for i in range(H):
        for j in range(W):
            if 0 <= i - dy < H and 0 <= j - dx < W:
                y[:, i, j] = image[:, i - dy, j - dx]
    return y


def test_ten_crops_are_corners_and_centre_and_their_mirror_images():
    x = pictures(2, 3, 6, 5)
    crops = augment.ten_crops(x, (4, 3))
    assert crops.shape == (10, 2, 3, 4, 3)
    five = [x[..., :4, :3], x[..., :4, 2:], x[..., 2:, :3], x[..., 2:, 2:], x[..., 1:5, 1:4]]
    for crop, expected in zip(crops, [*five, *(a[..., ::-1] for a in five)], strict=True):
        np.testing.assert_array_equal(crop, expected)
    np.testing.assert_array_equal(augment.ten_crops(x, (4, 3), mirrored=False), crops[:5])
    np.testing.assert_array_equal(augment.centre_crop(x, (4, 3)), crops[4])


def test_crops_at_five_scales_are_fifty_and_each_scale_its_own():
    x = np.random.default_rng(0).random((2, 1, 12, 16))
    crops = augment.crops_at_scales(x, 8, (8, 9, 12, 15, 20))
    assert crops.shape == (50, 2, 1, 8, 8)
    np.testing.assert_array_equal(crops[20:30], augment.ten_crops(x, 8))  # a short side of 12 is the image as it is
    np.testing.assert_allclose(crops[:10], augment.ten_crops(augment.resize(x, (8, 11)), 8))


@few
@given(st.integers(0, 2**32 - 1))
def test_scale_jitter_resizes_the_short_side_to_one_in_the_range(seed):
    """Of an image with a gradient from 0 to 1 across, a crop shows a slope that tells its scale."""
    x = np.broadcast_to(np.linspace(0, 1, 20), (3, 1, 10, 20)).copy()
    cut = augment.random_scale(x, 8, (8, 24), np.random.default_rng(seed))
    assert cut.shape == (3, 1, 8, 8)
    slopes = np.diff(cut[:, 0, 4, :], axis=1).max(axis=1)  # 1/19 a point at a short side of 10
    sides = 10 / 19 / slopes
    assert ((sides > 7.5) & (sides < 24.5)).all()


def test_scale_jitter_takes_both_ends_of_its_range():
    x = np.broadcast_to(np.linspace(0, 1, 20), (60, 1, 10, 20)).copy()
    cut = augment.random_scale(x, 8, (10, 11), np.random.default_rng(0))
    assert len({round(float(s), 6) for s in np.diff(cut[:, 0, 4, :], axis=1).max(axis=1)}) == 2


def test_the_vote_is_the_majority_and_a_tie_goes_to_the_likelier():
    logits = np.zeros((3, 2, 3))
    logits[:, 0] = [[3, 2, 0], [3, 2, 0], [0, 9, 0]]  # 0 has two votes, 1 a strong one
    logits[:, 1] = [[5, 0, 0], [0, 1, 0], [0, 0, 0.1]]  # one vote each
    assert augment.vote(logits).tolist() == [0, 0]


def test_a_crop_larger_than_the_image_is_told():
    for cut in (augment.ten_crops, lambda x, size: augment.random_crop(x, size, np.random.default_rng(0))):
        with pytest.raises(ValueError, match=r"images of \(6, 5\) are smaller than the crop \(7, 7\): resize or pad"):
            cut(pictures(), 7)
