"""The wirings against loops in NumPy, PyTorch's packed sequences, and derivatives by differences."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import nn
from tinygrad_rnn.data import length_mask
from tinygrad_rnn.nn import wirings

T, B, D, H, C = 5, 2, 3, 4, 6
x = np.random.default_rng(0).standard_normal((T, B, D))
F64 = {"dtype": np.float64}


def numbers(module):
    """Every parameter drawn anew, biases too, by name."""
    rng = np.random.default_rng(1)
    for p in module.parameters():
        p.data = rng.uniform(-0.8, 0.8, p.shape)
    return {name: p.numpy() for name, p in module.named_parameters()}


def rnn(**options):
    return nn.RNN(D, H, **F64, rng=0, **options)


def step(p, x_t, h, where="layer.layers.0.forward"):
    return np.tanh(x_t @ p[f"{where}.W_xh"] + h @ p[f"{where}.W_hh"] + p[f"{where}.b_h"])


def head(p, h):
    return h @ p["head.W"] + p["head.b"]


def test_many_to_many_and_many_to_one_are_their_loops():
    each = wirings.ManyToMany(rnn(), nn.Linear(H, C, **F64))
    last = wirings.ManyToOne(rnn(), nn.Linear(H, C, **F64))
    p, h = numbers(each), np.zeros((B, H))
    numbers(last)
    outputs, state = each(x)
    for t in range(T):
        h = step(p, x[t], h)
        np.testing.assert_allclose(outputs.numpy()[t], head(p, h), atol=1e-12)
    np.testing.assert_allclose(state.numpy(), h, atol=1e-12)
    np.testing.assert_allclose(last(x).numpy(), head(p, h), atol=1e-12)


def test_one_to_one_forgets_and_one_to_many_gets_its_input_once_always_or_from_itself():
    one = wirings.OneToOne(rnn(), nn.Linear(H, C, **F64))
    p = numbers(one)
    where = "recurrence.layers.0.forward"
    np.testing.assert_allclose(one(x[0]).numpy(), head(p, step(p, x[0], np.zeros((B, H)), where)), atol=1e-12)
    for then, width, fed in (("nothing", C, lambda y: np.zeros((B, D))), ("again", C, lambda y: x[0]),
                             ("output", D, np.tanh)):  # fmt: skip
        many = wirings.OneToMany(rnn(), nn.Linear(H, width, **F64), then=then, feed=tg.tanh)
        p, h, x_t = numbers(many), np.zeros((B, H)), x[0]
        outputs, state = many(x[0], steps=T)
        assert outputs.shape == (T, B, width)
        for t in range(T):
            h = step(p, x_t, h, where)
            np.testing.assert_allclose(outputs.numpy()[t], head(p, h), atol=1e-12)
            x_t = fed(head(p, h))
        np.testing.assert_allclose(state.numpy(), h, atol=1e-12)


@pytest.mark.parametrize("Cell", [nn.RNNCell, nn.LSTMCell, nn.GRUCell])
def test_a_cell_and_its_layer_are_the_same_to_a_wiring(Cell):
    Layer = {nn.RNNCell: nn.RNN, nn.LSTMCell: nn.LSTM, nn.GRUCell: nn.GRU}[Cell]
    layer, readout = Layer(D, H, **F64, rng=0), nn.Linear(H, C, **F64, rng=1)
    of_layer, _ = wirings.OneToMany(layer, readout)(x[0], steps=T)
    of_cell, _ = wirings.OneToMany(layer.layers[0].forward, readout)(x[0], steps=T)
    np.testing.assert_array_equal(of_layer.numpy(), of_cell.numpy())


@pytest.mark.parametrize("Layer", [nn.RNN, nn.LSTM])
def test_one_step_at_a_time_is_the_stack_over_the_sequence(Layer):
    layer, state = Layer(D, H, num_layers=3, **F64, rng=0), None
    outputs, end = layer(x)
    for t in range(T):
        h, state = wirings.one_step(layer, x[t], state)
        np.testing.assert_allclose(h.numpy(), outputs.numpy()[t], atol=1e-12)
    for mine, theirs in zip(state, end, strict=True):
        np.testing.assert_allclose(wirings.first_of(mine).numpy(), wirings.first_of(theirs).numpy(), atol=1e-12)


def test_output_recurrence_runs_freely_or_is_taught_by_force():
    net = wirings.OutputRecurrence(D, H, C, feed=tg.softmax, **F64)
    p, targets = numbers(net), np.random.default_rng(2).standard_normal((T, B, C))

    def softmax(y):
        e = np.exp(y - y.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    for given in (None, targets):
        fed, outputs = np.zeros((B, C)), net(x, given)
        for t in range(T):
            h = np.tanh(x[t] @ p["W_xh"] + fed @ p["W_yh"] + p["b_h"])
            y = h @ p["W_hy"] + p["b_y"]
            np.testing.assert_allclose(outputs.numpy()[t], y, atol=1e-12)
            fed = softmax(y) if given is None else targets[t]
    # taught by its own outputs it does what it does alone
    feeding_itself = net(x, np.array([softmax(y) for y in net(x).numpy()]))
    np.testing.assert_allclose(feeding_itself.numpy(), net(x).numpy(), atol=1e-12)
    start = targets[0]
    np.testing.assert_allclose(net(x[1:], targets[1:], start).numpy(), net(x, targets).numpy()[1:], atol=1e-12)


def test_integer_targets_stand_for_one_hot_vectors_and_nobody_waits_where_a_teacher_knows():
    net, ids = wirings.OutputRecurrence(D, H, C, **F64, rng=0), np.random.default_rng(3).integers(0, C, (T, B))
    np.testing.assert_allclose(net(x, ids).numpy(), net(x, np.eye(C)[ids]).numpy(), atol=1e-12)
    xs = tg.tensor(x, requires_grad=True)
    (taught,) = tg.grad(net(xs, ids)[-1].sum(), [xs])
    (free,) = tg.grad(net(xs)[-1].sum(), [xs])
    assert not taught.numpy()[:-1].any()  # no gradient through time
    assert (np.abs(free.numpy()).max(axis=(1, 2)) > 1e-6).all()
    with tg.trace() as tr:  # watched, it goes step by step, to the same numbers
        watched = net(x, ids)
    np.testing.assert_allclose(watched.numpy(), net(x, ids).numpy(), atol=1e-12)
    assert {node.step for node in tr.nodes if node.op.name == "tanh"} == set(range(T))


@pytest.mark.parametrize("taught", [True, False])
def test_gradients_of_output_recurrence(taught):
    net = wirings.OutputRecurrence(2, 3, 2, feed=tg.tanh, **F64, rng=0)
    targets = np.random.default_rng(2).standard_normal((4, 1, 2)) if taught else None
    parameters = list(net.parameters())

    def loss(x, *values):
        old = [p.data for p in parameters]
        names = ("W_xh", "W_yh", "b_h", "W_hy", "b_y")
        for name, value in zip(names, values, strict=True):
            setattr(net, name, value)
        y = net(x, targets)
        for name, p in zip(names, parameters, strict=True):
            setattr(net, name, p)
        assert all(p.data is array for p, array in zip(parameters, old, strict=True))
        return tg.sum(y * y)

    inputs = [x[:4, :1, :2], *(p.numpy() for p in parameters)]
    assert tg.gradcheck(loss, inputs, method="complex")


def test_a_dynamical_system_is_a_function_of_itself():
    W = np.random.default_rng(0).standard_normal((H, H))
    s = np.ones((1, H))
    states = wirings.dynamical_system(lambda s: tg.tanh(s @ W), tg.tensor(s, requires_grad=True), steps=3, offset=7)
    np.testing.assert_allclose(states[2].numpy(), np.tanh(np.tanh(np.tanh(s @ W) @ W) @ W), atol=1e-12)
    assert [state.step for state in states] == [7, 8, 9]
    layer = rnn()
    hs, _ = layer(x)
    states = wirings.dynamical_system(lambda h, x_t: layer.layers[0].forward(x_t, h), None, x)
    np.testing.assert_allclose(np.stack([h.numpy() for h in states]), hs.numpy(), atol=1e-12)


@pytest.mark.parametrize("merge", ["concat", "sum", "mul"])
@pytest.mark.parametrize("kind", ["rnn", "lstm"])
def test_the_last_state_of_each_sequence_is_that_of_pytorchs_packed_ones(kind, merge):
    torch = pytest.importorskip("torch")
    Ours, Theirs = {"rnn": (nn.RNN, torch.nn.RNN), "lstm": (nn.LSTM, torch.nn.LSTM)}[kind]
    lengths = [2, 5, 3]
    theirs = Theirs(D, H, bidirectional=True, dtype=torch.float64)
    ours = Ours(D, H, bidirectional=True, merge=merge)
    nn.load_torch(ours, theirs.state_dict())
    readout = nn.Linear(ours.output_size, C, **F64, rng=0)
    xs = np.random.default_rng(5).standard_normal((5, 3, D))
    pack = torch.nn.utils.rnn.pack_padded_sequence
    _, end = theirs(pack(torch.tensor(xs), torch.tensor(lengths), enforce_sorted=False))
    ahead, back = (end[0] if kind == "lstm" else end).detach().numpy()
    h = {"concat": np.concatenate([ahead, back], axis=1), "sum": ahead + back, "mul": ahead * back}[merge]
    y = wirings.ManyToOne(ours, readout)(xs, mask=length_mask(lengths))
    np.testing.assert_allclose(y.numpy(), h @ readout.W.numpy() + readout.b.numpy(), atol=1e-12)


@pytest.mark.parametrize(("call", "line"), [
    (lambda: wirings.OneToMany(rnn(), nn.Linear(H, C), then="x"), 'then is "nothing", "again" or "output", not \'x\''),
    (lambda: wirings.OneToMany(rnn(), nn.Linear(H, C))(x[0], steps=0), "steps must be at least 1, not 0"),
    (lambda: wirings.OneToMany(rnn(bidirectional=True), nn.Linear(2 * H, C))(x[0], steps=2), "cannot go step by step"),
    (lambda: wirings.OutputRecurrence(D, H, C)(x[0]), r"takes x \(T, B, 3\), time first, not array \(2, 3\)"),
    (lambda: wirings.OutputRecurrence(D, H, C)(x, x), r"targets are \(5, 2, 6\), or integers \(5, 2\), not"),
    (lambda: wirings.dynamical_system(abs, 1), "and not both"),
    (lambda: wirings.dynamical_system(abs, 1, [1], 1), "and not both"),
])  # fmt: skip
def test_what_does_not_fit_is_told_in_one_line(call, line):
    with pytest.raises(ValueError, match=line) as told:
        call()
    assert "\n" not in str(told.value)


def test_every_wiring_is_drawn_with_its_rows():
    pictures = {}
    for name, make in {
        "one to one": lambda: wirings.OneToOne(rnn(), nn.Linear(H, C, **F64))(x[0]),
        "one to many": lambda: wirings.OneToMany(rnn(), nn.Linear(H, C, **F64))(x[0], steps=T)[0],
        "fed back": lambda: wirings.OneToMany(rnn(), nn.Linear(H, D, **F64), then="output")(x[0], steps=T)[0],
        "many to one": lambda: wirings.ManyToOne(rnn(), nn.Linear(H, C, **F64))(x),
        "many to many": lambda: wirings.ManyToMany(rnn(), nn.Linear(H, C, **F64))(x)[0],
        "fed by its outputs": lambda: wirings.OutputRecurrence(D, H, C, **F64)(x),
        "both ways": lambda: wirings.ManyToMany(rnn(bidirectional=True, merge="mul"), nn.Linear(H, C, **F64))(x)[0],
    }.items():  # fmt: skip
        with tg.trace():
            y = make()
        pictures[name] = set(tg.draw(y, view="cells").keys)

    def boxes(name, row):
        return [t for t in range(1, T + 1) if f"t{t}/{row}" in pictures[name]]

    every = [1, 2, 3, 4, 5]
    assert [boxes("one to one", row) for row in "xhy"] == [[1], [1], [1]]
    assert [boxes("one to many", row) for row in "xhy"] == [[1], every, every]
    assert [boxes("fed back", row) for row in "xhy"] == [[1], every, every]
    assert "t1/y->t2/h" in pictures["fed back"] - pictures["one to many"]
    assert [boxes("many to one", row) for row in "xhy"] == [every, every, [5]]
    assert [boxes("many to many", row) for row in "xhy"] == [every, every, every]
    assert [boxes("fed by its outputs", row) for row in "xhy"] == [every, every, every]
    assert "t1/y->t2/h" in pictures["fed by its outputs"]
    assert "t1/h->t2/h" in pictures["many to many"] - pictures["fed by its outputs"]
    assert boxes("both ways", "h1back") == boxes("both ways", "rnn/multiply") == every


@pytest.mark.parametrize("merge", ["concat", "sum", "mul"])
def test_one_direction_cannot_copy_from_the_future_and_two_can_at_any_length(merge):
    for steps in (3, T):
        xs = tg.tensor(x[:steps], requires_grad=True)
        for layer in (rnn(), rnn(bidirectional=True, merge=merge)):
            (g,) = tg.grad(layer(xs)[0][0].sum(), [xs])  # of the first output
            assert g.numpy()[1:].any() == layer.bidirectional
