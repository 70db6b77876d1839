"""The tour's captions: what they say follows from numbers, for every outcome."""

import math

from tinygrad_rnn.course.tour import captions, remarks


def facts(first=1.0, last=0.5, lags=99, direct=None, horizon=10, **more):
    usable = first > 0 and last > 0 and math.isfinite(first) and math.isfinite(last)
    rate = (last / first) ** (1 / lags) if usable else None
    return {
        "first": first,
        "last": last,
        "lags": lags,
        "rate": rate,
        "horizon": horizon,
        "direct": direct,
        "forget_gate": None,
        "paid_by_last_10": 0.5,
        **more,
    }


def test_lag_captions_follow_the_numbers():
    textbook = captions.lags({"Elman": facts(last=1e-12), "LSTM": facts(last=0.5, direct=0.4, horizon=99)})
    assert "dies (less than a millionth is left) in Elman, and holds in LSTM" in textbook
    assert "can vanish too" not in textbook
    assert "all 99 in LSTM" in textbook
    assert "forget gates decide" in textbook
    vanished = captions.lags({"Elman": facts(last=1e-12), "LSTM": facts(last=1e-9, direct=1e-30)})
    assert "can vanish too: here in LSTM" in vanished
    assert "comes round through W_hh" in vanished
    assert "longest in Elman" in captions.lags({"Elman": facts(last=0.9), "LSTM": facts(last=0.2, direct=0.1)})
    mixed = captions.lags({"Elman": facts(last=0.1), "A": facts(last=0.01, direct=0.0), "B": facts(last=1, direct=1)})
    assert "In A it is lost faster than in Elman" in mixed
    assert "longest" not in mixed
    assert "grows more than tenfold in Elman" in captions.lags({"Elman": facts(last=50.0)})
    odd = captions.lags({"A": facts(first=0.0, last=0.0, horizon=0), "B": facts(last=math.inf, horizon=None)})
    assert "zero from the start in A" in odd
    assert "no longer a number in B" in odd


def test_captions_compare_before_and_after():
    before, after = {"Elman": facts(last=1e-9)}, {"Elman": facts(last=0.1)}
    assert "last longer in Elman (0.81 to 0.98)" in captions.lags_after(before, after)
    assert "last shorter in Elman" in captions.lags_after(after, before)
    assert "Training made" not in captions.lags_after(before, before)

    def told(old, new):
        return captions.changes({"A": {"rate": old}}, {"A": {"rate": new}})[0]

    assert "made it hold where it grew in A (1.02 to 1.00)," in told(1.02, 1.0)
    assert "last shorter in A (1.02 to 0.90)" in told(1.02, 0.9)
    assert "grow less in A" in told(1.2, 1.1)
    assert "grow faster in A" in told(1.1, 1.2)
    assert "grow in A (0.98 to 1.03)" in told(0.98, 1.03)
    assert "last longer in A (0.90 to 1.00)" in told(0.9, 1.0)


def test_a_direct_path_that_is_partly_cancelled_is_told():
    def told(last, direct):
        return " ".join(captions.direct_path({"A": facts(last=last, direct=direct)}))

    assert "In A less arrives: what comes round through W_hh cancels part" in told(2.1e-4, 3.8e-4)
    assert "decide" not in told(2.1e-4, 3.8e-4)
    assert "cancels" not in told(0.5, 0.4)
    assert "forget gates decide" in told(0.5, 0.4)
    assert "forget gates decide" in told(0.5, 0.5)
    assert "round through W_hh." in told(1.0, 0.001)


def test_ledger_captions_follow_the_numbers():

    def told(**shares):
        return captions.ledgers({name: facts(paid_by_last_10=share) for name, share in shares.items()})

    assert "less than a tenth for A." in told(A=0.999, B=0.5)
    assert "less than a tenth for A and B." in told(A=0.999, B=0.91, C=0.5)
    assert "They hardly differ: all earlier steps together paid 4 to 7%." in told(A=0.93, B=0.95, C=0.96)
    assert "less than" not in told(A=0.93, B=0.96, C=0.88)
    assert "earlier steps" not in told(B=0.5)
    assert "h_0 = 0" in told(B=0.5)
    assert "too short" in captions.ledgers({"B": facts(lags=5)})
    assert "too short" in captions.ledgers({"B": facts(paid_by_last_10=None)})


def added(elman=None, **lstms):
    models = {"Elman": elman, **{f"LSTM {name}": solved for name, solved in lstms.items()}}
    return {
        "length": 100,
        "error_without_memory": 1 / 6,
        "hidden_size": 16,
        "batch_size": 32,
        "models": {
            name: {"solved": solved, "updates": 500, "error": 0.004 if solved else 0.16, "learning_rate": 0.03}
            for name, solved in models.items()
        },
    }


def test_adding_captions_follow_the_numbers():
    usual = captions.adding(added(a=400, b=500))
    assert "Learned by LSTM a (after 400 updates) and LSTM b" in usual
    assert "not by Elman (500 updates)" in usual
    assert "Not every LSTM" in captions.adding(added(a=400, b=None))
    assert "opposite of the textbook" in captions.adding(added(elman=300, a=None))
    assert "so did all" in captions.adding(added(elman=300, a=400))
    assert "by all" in captions.adding(added(elman=300, a=400))
    nobody = captions.adding(added(a=None))
    assert "None of the networks" in nobody
    assert "--seconds" in nobody
    n = added(a=400)
    held = {"Elman": facts(last=0.9), "LSTM a": facts(last=0.9, direct=0.5)}
    lost = {"Elman": facts(last=1e-20), "LSTM a": facts(last=1e-20, direct=0.0)}
    assert "LSTM a learned it and keeps the gradient" in captions.adding_lags(lost, held, n)
    assert "a gradient that lasts is not enough" in captions.adding_lags(lost, held, n)
    assert "although the gradient does not last" in captions.adding_lags(held, lost, n)


def test_language_captions_follow_the_numbers():
    def told(read=1000, held=None, **last):
        models = {name: {"first": 6.0, "last": bits, "held_out": held} for name, bits in last.items()}
        known = {"bits_knowing_nothing": 6.6, "updates": 200, "characters": 1000}
        return captions.language({**known, "read": read, "models": models})

    assert "over the last 10 updates (the curve's last point: over 3): Elman 2.00, LSTM 2.50." in told(
        Elman=2.0, LSTM=2.5
    )
    assert "simplest network is ahead" in told(Elman=2.0, LSTM=2.5)
    assert "LSTM is ahead" in told(Elman=2.5, LSTM=2.0)
    assert "are level" in told(Elman=2.0, LSTM=2.01)
    assert "LSTM learned next to nothing" in told(Elman=2.0, LSTM=5.9)
    assert "read 9 times" in told(read=9000, Elman=2.0, LSTM=3.0)
    assert "none has seen: Elman 2.50" in told(held=2.5, Elman=2.0, LSTM=3.0)


def test_the_other_captions_follow_the_numbers():
    assert "to the last bit" in remarks.by_hand(0.0)
    assert "rounding" in remarks.by_hand(1e-16)
    assert "wrong" in remarks.by_hand(1e-3)
    learned = {"updates": 9, "loss_before": 1.4, "loss_after": 0.1, "loss_without_memory": 0.35, "says": "ello"}
    assert "right" in remarks.hello_learned(learned)
    assert "remembers" in remarks.hello_learned(learned)
    assert "no better than without memory" in remarks.hello_learned({**learned, "loss_after": 0.5, "says": "elll"})

    def order(*wrong):
        return remarks.order([{"wrong": w, "clip": None if i % 2 == 0 else 1.0} for i, w in enumerate(wrong)])

    assert "alone makes the difference" in order(0.75, 0.0, 0.7, 0.05)
    assert "helps here" in order(0.75, 0.0, 0.7, 0.5)
    assert "no clear difference" in order(0.7, 0.7)
    run = {"w": [5.0, 4.9, 13.0], "error": [0.1, 0.1, 0.09]}
    clipped = {"w": [5.0, 4.9, 4.8], "error": [0.1, 0.1, 0.01]}
    n = {"learning_rate": 0.3, "clip": 0.2, "plain": run, "clipped": clipped}
    assert "where the minimum is" in remarks.descent(n)
    assert "luckier" in remarks.descent({**n, "clipped": {**clipped, "error": [1, 1, 1]}})
    assert "little difference" in remarks.descent({**n, "plain": clipped})


def test_what_is_said_of_gradient_norms_follows_the_numbers():
    def told(plain, clipped, largest=50.0):
        runs = [{"over_threshold": share, "median_norm": 0.5, "largest_norm": largest} for share in (plain, clipped)]
        return remarks.order_norms(*runs)

    assert "without clipping, 76% are above the threshold" in told(0.76, 0.4)
    assert "are the rule" in told(0.76, 0.4)
    assert "also come less often" in told(0.76, 0.4)
    assert "few steps" not in told(0.76, 0.4)
    assert "about a few steps" in told(0.04, 0.04)
    assert "less often" not in told(0.04, 0.04)
    assert told(0.3, 0.3).endswith("largest is 50.")
    assert told(0.04, 0.04, largest=1.2).endswith("largest is 1.2.")


def test_radius_captions_follow_the_numbers():
    def cases(*lasts):
        inputs = [1e-3] * (len(lasts) - 1) + [1.0]
        return [
            {"rho": 1.5, "sigma_1": 1.5, "inputs": x, "first": 1.0, "last": y, "lags": 20}
            for x, y in zip(inputs, lasts, strict=True)
        ]

    told = remarks.radius(cases(1e-7, 1.0, 3000.0, 1e-7))
    assert "it vanishes, from 1 to 1e-7" in told
    assert "it holds" in told
    assert "it explodes, from 1 to 3000" in told
    assert "explode or vanish" in told
    assert "slow the explosion down" in remarks.radius(cases(1.0, 1.0, 3000.0, 50.0))
    assert remarks.radius_panel(cases(1e-7, 1e-7)[1]) == "ρ = 1.5, strong inputs: it vanishes"
