"""Images read as a sequence of glimpses."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import optim
from tinygrad_rnn.nn.generative import GlimpseReader


def test_a_fixed_scan_sees_the_parts_of_the_image_in_order():
    """A bright quarter is seen by the glimpse of that quarter."""
    reader = GlimpseReader(8, 8, classes=2, N=2, glimpses=4, look="fixed", dtype=np.float64, rng=0)
    for quarter in range(4):
        x = np.zeros((1, 8, 8))
        row, column = divmod(quarter, 2)
        x[0, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = 1
        _, windows = reader(x)
        bright = [window.read(x).numpy().mean() for window in windows]
        assert int(np.argmax(bright)) == quarter
        assert bright[quarter] > 0.8
    assert [(w.x.item(), w.y.item()) for w in windows] == [(2.5, 2.5), (6.5, 2.5), (2.5, 6.5), (6.5, 6.5)]


def test_one_fixed_glimpse_is_the_whole_image_blurred():
    reader = GlimpseReader(8, 8, classes=2, N=2, glimpses=1, look="fixed", dtype=np.float64, rng=0)
    x = np.zeros((1, 8, 8))
    x[0, :4] = 1
    _, (window,) = reader(x)
    top, bottom = window.read(x).numpy()[0]
    np.testing.assert_allclose(top + bottom, 1, rtol=1e-9)
    assert (top > 0.75).all()


def test_a_reader_learns_where_to_look():
    """A dot in one of four corners of an image, one pixel at a time: gradients move the windows to them."""
    rng = np.random.default_rng(0)
    reader = GlimpseReader(6, 6, classes=4, hidden_size=16, N=2, glimpses=2, rng=0)
    corners = np.array([(0, 0), (0, 5), (5, 0), (5, 5)])
    optimizer = optim.Adam(reader.parameters(), lr=0.02)
    before = reader.attend.place.W.data.copy()
    for _ in range(80):
        classes = rng.integers(0, 4, 32)
        x = np.zeros((32, 6, 6), np.float32)
        x[np.arange(32), corners[classes, 0], corners[classes, 1]] = 1
        reader.zero_grad()
        logits, windows = reader(x)
        loss = tg.cross_entropy(logits, classes)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05
    assert (logits.numpy().argmax(1) == classes).all()
    assert len(windows) == 2
    assert np.abs(reader.attend.place.W.data - before).max() > 0.01


def test_gradients_reach_the_place_of_the_windows(rng):
    reader = GlimpseReader(4, 4, classes=3, hidden_size=3, N=2, glimpses=2, dtype=np.float64, rng=0)
    x = rng.random((2, 4, 4))

    def loss(W, b):
        reader.attend.place.W, reader.attend.place.b = W, b
        return reader(x)[0]

    assert tg.gradcheck(loss, [reader.attend.place.W.data, reader.attend.place.b.data])


def test_what_does_not_fit_is_refused_in_one_line():
    with pytest.raises(ValueError, match="look is \"learned\" or \"fixed\", not 'random'"):
        GlimpseReader(8, 8, 10, look="random")
    with pytest.raises(ValueError, match="at least one glimpse, not 0"):
        GlimpseReader(8, 8, 10, glimpses=0)
    with pytest.raises(ValueError, match=r"GlimpseReader takes images \(B, 8, 8\), not array \(3, 64\)"):
        GlimpseReader(8, 8, 10)(np.zeros((3, 64)))
