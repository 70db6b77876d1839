"""What a module holds, and its numbers on their way in and out."""

import copy

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import nn


def weight(value=0.0):
    return tg.tensor([value], requires_grad=True)


class Part(nn.Module):
    def __init__(self, value=0.0):
        self.W = weight(value)

    def forward(self, x):
        return x * self.W


class Whole(nn.Module):
    def __init__(self):
        self.z = weight()
        self.size = 3
        self.parts = [Part(), Part()]
        self.named = {"left": Part(), "right": (weight(), Part())}
        self.a = weight()
        self._scratch = weight()
        self.nothing = None


NAMES = ["z", "parts.0.W", "parts.1.W", "named.left.W", "named.right.0", "named.right.1.W", "a"]


def test_parameters_are_the_tensors_in_order_of_assignment():
    whole = Whole()
    assert [name for name, _ in whole.named_parameters()] == NAMES
    assert list(whole.state_dict()) == NAMES
    assert whole.count_parameters() == 7
    assert [name for name, _ in whole.named_modules()] == ["", "parts.0", "parts.1", "named.left", "named.right.1"]


def test_a_shared_parameter_comes_once():
    whole = Whole()
    whole.parts[1].W = whole.parts[0].W
    whole.again = whole.parts[0]
    names = [name for name, _ in whole.named_parameters()]
    assert names == [name for name in NAMES if name != "parts.1.W"]
    assert len(whole.parameters()) == len({id(p) for p in whole.parameters()}) == 6


def test_a_circle_of_modules_ends():
    a, b = Part(), Part()
    a.child, b.parent = b, a
    assert [name for name, _ in a.named_parameters()] == ["W", "child.W"]


def test_an_unknown_attribute_is_an_error_that_names_near_ones():
    cell = nn.LSTMCell(2, 3)
    with pytest.raises(AttributeError, match=r"LSTMCell has no 'W_hx': did you mean .*W_xh"):
        cell.W_hx  # noqa: B018
    assert not hasattr(cell, "nothing_like_it")
    assert getattr(Whole(), "nothing", "default") is None


def test_parameters_of_a_layer_are_where_the_conventions_say():
    layer = nn.GRU(2, 3, num_layers=2, bidirectional=True)
    names = [name for name, _ in layer.named_parameters()]
    assert names[:3] == ["layers.0.forward.W_xh", "layers.0.forward.W_hh", "layers.0.forward.b_h"]
    assert names[-1] == "layers.1.backward.b_h"
    assert layer.layers[1].forward.W_xh.shape == (6, 9)


@pytest.mark.parametrize("make", [
    lambda rng: nn.LSTM(3, 4, 2, True, rng=rng), lambda rng: nn.GRU(3, 4, reset="after", rng=rng),
    lambda rng: nn.Linear(3, 4, rng=rng), lambda rng: nn.Embedding(5, 2, rng=rng),
])  # fmt: skip
def test_state_dict_round_trip(make):
    one, two = make(0), make(1)
    two.load_state_dict(one.state_dict())
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        np.testing.assert_array_equal(a.data, b.data)
        assert not np.shares_memory(a.data, b.data)


def test_state_dict_is_a_copy():
    part = Part(1.0)
    part.state_dict()["W"][0] = 5
    assert part.W.item() == 1


def test_loading_rebinds_and_leaves_a_recorded_graph_alone():
    part = Part(2.0)
    y = part(tg.tensor([3.0], requires_grad=True))
    loaded = np.array([7.0], np.float32)
    part.load_state_dict({"W": loaded})
    loaded[0] = 9
    assert part.W.item() == 7
    assert tg.grad(y, y.inputs[0])[0].item() == 2  # the numbers that were multiplied


def test_loading_takes_the_dtype_of_the_arrays():
    cell = nn.RNNCell(2, 3)
    cell.load_state_dict({name: a.astype(np.float64) for name, a in cell.state_dict().items()})
    assert cell(np.ones((1, 2))).dtype == cell.zero_state(1).dtype == np.float64
    cell.load_state_dict({name: np.zeros(a.shape, int) for name, a in cell.state_dict().items()})
    assert cell.W_xh.dtype == np.float64


def test_what_does_not_fit_is_named_and_nothing_is_loaded():
    cell = nn.RNNCell(2, 3, rng=0)
    before, good = cell.state_dict(), nn.RNNCell(2, 3, rng=1).state_dict()
    missing = {"W_xh": good["W_xh"], "W_hx": good["W_hh"], "b_h": good["b_h"]}
    with pytest.raises(ValueError, match=r"missing W_hh; unexpected W_hx \(did you mean W_xh\?\).*strict=False"):
        cell.load_state_dict(missing)
    with pytest.raises(ValueError, match=r"W_hh is \(3, 3\) here and \(2, 2\) there"):
        cell.load_state_dict(good | {"W_hh": np.ones((2, 2))})
    for name, a in cell.state_dict().items():
        np.testing.assert_array_equal(a, before[name])
    cell.load_state_dict(missing, strict=False)
    np.testing.assert_array_equal(cell.W_xh.data, good["W_xh"])
    np.testing.assert_array_equal(cell.W_hh.data, before["W_hh"])


def test_numbers_of_a_computed_parameter_cannot_be_replaced():
    cell = nn.RNNCell(2, 3)
    cell.W_hh = 2 * cell.W_hh
    with pytest.raises(ValueError, match="W_hh is the result of multiply, not a leaf"):
        cell.astype(np.float64)


def test_train_and_eval_reach_every_module():
    whole = Whole()
    assert not any(module.training for module in whole.eval().modules())
    assert all(module.training for module in whole.train().modules())


def test_zero_grad():
    part = Part(2.0)
    part(3.0).backward()
    assert part.W.grad.item() == 3
    part.zero_grad()
    assert part.W.grad is None


def test_astype_turns_gradients_and_zero_states_too():
    cell = nn.LSTMCell(2, 3)
    cell(np.ones((1, 2), np.float32))[0].sum().backward()
    assert cell.astype(np.float64) is cell
    assert {p.dtype for p in cell.parameters()} == {p.grad.dtype for p in cell.parameters()} == {np.dtype(np.float64)}
    assert cell.zero_state(1)[0].dtype == np.float64


@pytest.mark.parametrize("Layer", [nn.RNN, nn.LSTM, nn.GRU])
def test_on_every_device(Layer, device):
    layer = Layer(2, 3, num_layers=2, bidirectional=True, rng=0)
    x = np.random.default_rng(0).standard_normal((4, 2, 2)).astype(np.float32)
    expected = layer(x)[0].numpy()
    assert layer.to(device) is layer
    outputs, _ = layer(tg.tensor(x, device=device))
    assert outputs.device == device
    np.testing.assert_allclose(outputs.numpy(), expected, rtol=1e-5, atol=1e-6)
    outputs.sum().backward()
    assert {p.grad.device for p in layer.parameters()} == {device}
    saved = layer.state_dict()
    layer.load_state_dict(saved)
    assert {p.device for p in layer.parameters()} == {device}
    assert all(isinstance(a, np.ndarray) for a in (*saved.values(), *nn.to_torch(nn.LSTM(2, 3).to(device)).values()))


def test_a_copy_is_deep():
    layer = nn.LSTM(2, 3, 2, rng=0)
    twin = copy.deepcopy(layer)
    twin.layers[0].forward.W_xh.data[:] = 0
    assert layer.layers[0].forward.W_xh.data.any()
    assert list(twin.state_dict()) == list(layer.state_dict())


def test_repr_lists_parameters():
    assert repr(nn.LSTMCell(2, 3)) == "LSTMCell(2, 3): 72 parameters\n  W_xh (2, 12)\n  W_hh (3, 12)\n  b_h (12,)"
    assert repr(nn.GRU(2, 3, 2, True, 0.5)).startswith("GRU(2, 3, num_layers=2, bidirectional=True, dropout=0.5):")
    assert repr(nn.GRUCell(2, 3, keep="1-z", reset="after")).startswith("GRUCell(2, 3, keep='1-z', reset='after'):")
    assert repr(nn.Dropout(0.5)) == "Dropout(0.5): 0 parameters"


def test_a_module_opens_the_scope_of_its_name():
    part = Part()
    assert part(1.0).scope == ()
    part.name = "part"
    assert part(1.0).scope == ("part",)


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match="Whole cannot be called: define its forward"):
        Whole()(1.0)


def test_nothing_changes_where_a_later_parameter_is_computed():
    cell = nn.RNNCell(2, 3)
    before, good = cell.state_dict(), nn.RNNCell(2, 3, rng=1).state_dict()
    cell.b_h = 2 * cell.b_h
    for act in (lambda: cell.astype(np.float64), lambda: cell.to("strict"), lambda: cell.load_state_dict(good)):
        with pytest.raises(ValueError, match="b_h is the result of multiply, not a leaf"):
            act()
        assert (cell.W_xh.dtype, cell.W_xh.device) == (np.float32, "cpu")
        np.testing.assert_array_equal(cell.W_xh.data, before["W_xh"])


def test_nothing_is_loaded_where_a_later_entry_is_no_array_of_numbers():
    cell = nn.RNNCell(2, 3)
    before = cell.state_dict()
    wrong = nn.RNNCell(2, 3, rng=1).state_dict() | {"b_h": np.array(["a", "b", "c"])}
    with pytest.raises(ValueError, match="a"):
        cell.load_state_dict(wrong)
    np.testing.assert_array_equal(cell.W_xh.data, before["W_xh"])


def test_an_error_inside_a_property_is_told_as_it_is():
    class Half(Part):
        @property
        def rate(self):
            return self.W.no_such_thing

    with pytest.raises(AttributeError, match="no_such_thing"):
        Half().rate  # noqa: B018


def test_a_copy_starts_without_gradients():
    part = Part(2.0)
    part(3.0).backward()
    assert copy.deepcopy(part).W.grad is None
