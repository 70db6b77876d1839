"""What is said about networks that were trained: sentences made from the numbers of this very run, also where these
contradict the textbook."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ...pictures.plot import number

Facts = Mapping[str, Any]
DEAD, FADED, GROWN = 1e-6, 0.1, 10.0  # last / first gradient norm: below, it is dead; below, faded; above, grown


def verdict(facts: Facts) -> str:
    """One word for what becomes of a gradient: none, overflows, dies, fades, holds or grows.

    >>> [verdict({"first": 1.0, "last": x}) for x in (0.0, 1e-9, 0.01, 0.5, 100.0, float("inf"))]
    ['dies', 'dies', 'fades', 'holds', 'grows', 'overflows']
    """
    first, last = facts["first"], facts["last"]
    if not (math.isfinite(first) and math.isfinite(last)):
        return "overflows"
    if first == 0:
        return "none" if last == 0 else "grows"
    share = last / first
    return "dies" if share < DEAD else "fades" if share < FADED else "holds" if share <= GROWN else "grows"


def fall(name: str, facts: Facts) -> str:
    """One sentence about one gradient."""
    word, lags = verdict(facts), facts["lags"]
    if word == "none":
        return f"{name}: no gradient at all arrives."
    if word == "overflows":
        return f"{name}: the gradient is no longer a number within {steps(lags)}."
    rate = facts.get("rate")
    per_step = f", times {rate:.2f} a step" if rate is not None else ""
    reach = facts.get("horizon")
    least = " It never falls below 1 % of where it began." if reach == lags and word in ("holds", "grows") else (
        f" More than 1 % of it is left for {steps(reach)}." if reach is not None else "")  # fmt: skip
    return f"{name}: it {word}, from {number(facts['first'])} to {number(facts['last'])} over {steps(lags)}{per_step}.{least}"


def steps(n: int) -> str:
    return f"{n} step{'' if n == 1 else 's'}"


def listed(names: Sequence[str]) -> str:
    """A, B and C."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else "none"


# The text


def language_summary(n: Facts) -> str:
    best = min(n["models"], key=lambda name: n["models"][name]["last"])
    return f"After {n['updates']} updates the best of four networks, {best}, needs {n['models'][best]['last']:.2f} bits per character."


def language_setting(n: Facts) -> str:
    return (f"An Elman network and three LSTMs, whose forget gates' biases start at 0, 1 and 2, read {n['source']} "
            f"({n['characters']:,} characters). Each has {n['hidden_size']} units and sees the same {n['updates']} batches of "
            f"{n['batch_size']} × {n['window']} characters ({n['read']:,} in all), one after another, with Adam at {n['learning_rate']:g} "
            f"and the gradient clipped at {n['clip']:g}. All of it took {n['seconds']:.0f} seconds.")  # fmt: skip


def language(n: Facts) -> str:
    """What the loss curves say: who learned, who is ahead, and whether the text was read more than once."""
    models = n["models"]
    knowing = n["bits_knowing_nothing"]
    parts = [f"Knowing nothing costs {knowing:.2f} bits per character."]
    learned = [name for name in models if models[name]["last"] < 0.9 * models[name]["first"]]
    if len(learned) < len(models):
        parts.append(f"In so short a time {listed([m for m in models if m not in learned])} learned next to nothing.")
    ranked = sorted(models, key=lambda name: models[name]["last"])
    parts.append("At the end: " + ", ".join(f"{name} {models[name]['last']:.2f}" for name in ranked) + ".")
    best, second = ranked[:2]
    if models[second]["last"] - models[best]["last"] < 0.03:
        parts.append(f"{best} and {second} are level.")
    elif best == "Elman":
        parts.append("The simplest network is ahead: it has fewer weights to set, and the next character depends mostly on the "
                     "few before it. Long memory has not paid off yet.")  # fmt: skip
    else:
        parts.append(f"{best} is ahead.")
    held = {name: models[name]["held_out"] for name in models if models[name]["held_out"] is not None}
    if held:
        parts.append("On text that none has seen: " + ", ".join(f"{name} {held[name]:.2f}" for name in ranked if name in held) + ".")
    if n["read"] > 2 * n["characters"]:
        parts.append(f"The text is short and was read {n['read'] / n['characters']:.0f} times: much of this is learning by heart.")
    return " ".join(parts)


# The gradient by lag


def reach_summary(before: Mapping[str, Facts], after: Mapping[str, Facts]) -> str:
    dead = [name for name in after if verdict(after[name]) == "dies"]
    if not dead:
        return "After learning the text, no network's gradient dies within the window."
    lstm = [name for name in dead if name != "Elman"]
    told = "; an LSTM is no guarantee" if lstm else ""
    return f"After learning the text, the gradient dies in {len(dead)} of {len(after)} networks{told}."


def lags(facts: Mapping[str, Facts]) -> str:
    """Each line of a lag chart, and what they say together."""
    return " ".join([*(fall(name, f) for name, f in facts.items()), *together(facts)])


def together(facts: Mapping[str, Facts]) -> list[str]:
    """What the Elman network and the LSTMs show side by side."""
    words = {name: verdict(f) for name, f in facts.items()}
    lstms = [name for name in facts if facts[name].get("forget_gate") is not None]
    dead = [name for name in lstms if words[name] == "dies"]
    kept = [name for name in lstms if words[name] in ("holds", "grows")]
    parts = []
    if dead:
        f = facts[dead[0]]["forget_gate"]
        parts.append(f"An LSTM's gradient can vanish too: {listed(dead)}. Its forget gates are {f:.2f} on average, and the direct path "
                     f"multiplies by them at every step.")  # fmt: skip
    if kept:
        f = facts[kept[-1]]["forget_gate"]
        parts.append(f"{listed(kept)} {'keeps' if len(kept) == 1 else 'keep'} the gradient: there the forget gates are {f:.2f} on average.")
    rates = {name: f["rate"] for name, f in facts.items() if f.get("rate") is not None}
    plain = [name for name in rates if name not in lstms]
    if plain and any(name in rates for name in lstms):
        name = plain[0]
        further = [each for each in lstms if each in rates and rates[each] > rates[name]]
        if not further:
            parts.append(f"Against the textbook, {name}'s gradient lasts longest here.")
        elif len(further) < sum(each in rates for each in lstms):
            behind = [each for each in lstms if each in rates and each not in further]
            parts.append(f"{listed(behind)} {'loses' if len(behind) == 1 else 'lose'} it faster than {name}.")
    return parts


def lags_after(before: Mapping[str, Facts], after: Mapping[str, Facts]) -> str:
    """The lag chart after training, against the one before."""
    parts = [fall(name, f) for name, f in after.items()]
    moved = {"longer": [], "shorter": []}  # type: dict[str, list[str]]
    for name in after:
        old, new = before[name].get("rate"), after[name].get("rate")
        if old is not None and new is not None and abs(new - old) > 0.01:
            moved["longer" if new > old else "shorter"].append(f"{name} ({old:.2f} to {new:.2f} a step)")
    for word, names in moved.items():
        if names:
            parts.append(f"Training made the gradient last {word} in {listed(names)}.")
    if moved["shorter"] and not moved["longer"]:
        parts.append("The next character of a text needs little memory, and the networks have learned just that.")
    return " ".join([*parts, *together(after)])


def ledgers(facts: Mapping[str, Facts]) -> str:
    """What the ledgers say: does the last stretch of steps pay for everything?"""
    parts = ["W_hh is used at every step, and its gradient is the sum of what each use contributes."]
    shares = {name: f["paid_by_last_10"] for name, f in facts.items() if f["paid_by_last_10"] is not None and f["lags"] > 20}
    if not shares:
        return " ".join([*parts, "Here the sequence is too short, or nothing was contributed, to say more."])
    told = ", ".join(f"{name} {100 * share:.{0 if share < 0.995 else 1}f} %" for name, share in shares.items())
    parts.append(f"The last ten steps paid (of the sum of norms): {told}.")
    blind = [name for name, share in shares.items() if share > 0.95]
    if blind:
        parts.append(f"What happened earlier hardly counts for {listed(blind)}.")
    return " ".join(parts)


# The adding problem


def adding_summary(n: Facts) -> str:
    told = [f"{name} {'learns it' if m['solved'] else 'does not, in the time it had'}" for name, m in sorted(n["models"].items(), reverse=True)]
    return f"Two of {n['length']} numbers must be remembered and added: the {told[0]}; the {told[1]}."


def adding_introduction(n: Facts) -> str:
    return (f"Each sequence has {n['length']} random numbers, of which two are marked, one in each half; the answer, at the end, is their sum "
            f"(Hochreiter & Schmidhuber 1997). Who forgets can only say 1 and has a mean squared error of {n['error_without_memory']:.4f}. "
            f"Both networks have {n['hidden_size']} units, an orthogonal W_hh at the start, batches of {n['batch_size']} and Adam at "
            f"{n['learning_rate']:g}; the LSTM's forget bias starts at {n['forget_bias']:g}.")  # fmt: skip


def adding(n: Facts) -> str:
    """Who solved it, after how much, and what that does and does not show."""
    parts = []
    for name, m in sorted(n["models"].items(), reverse=True):
        outcome = f"solves it after {m['solved']} updates" if m["solved"] else f"has not solved it after {m['updates']} updates"
        parts.append(f"The {name} network {outcome} (error {number(m['error'])} on sequences it has not seen).".replace("LSTM network", "LSTM"))
    lstm, elman = n["models"]["LSTM"], n["models"]["Elman"]
    if lstm["solved"] and not elman["solved"]:
        if elman["updates"] < lstm["updates"]:
            parts.append("The Elman network's time was over before it had as many updates.")
        parts.append("Within this budget, that is; with far more time, or a cleverer start, it can go otherwise.")
    elif elman["solved"] and not lstm["solved"]:
        parts.append("That is the opposite of what the textbook says; another seed or more time may turn it around.")
    elif not lstm["solved"]:
        better = lstm["error"] < 0.5 * n["error_without_memory"]
        parts.append("The LSTM is on its way: " + ("its error is well below that of forgetting." if better else "not in this time, though; give the tour more --seconds.")
                     if better else "Neither did in this time: give the tour more --seconds.")  # fmt: skip
    else:
        parts.append("Both did: here the Elman network remembered for as long as was needed.")
    return " ".join(parts)


def adding_lags(facts: Mapping[str, tuple[Facts, Facts]], n: Facts) -> str:
    """Before and after training, for each network."""
    parts = []
    for name, (before, after) in facts.items():
        parts += [fall(f"{name} before", before), fall("After", after)]
    lstm_before, lstm_after = facts["LSTM"]
    gates = lstm_before.get("forget_gate"), lstm_after.get("forget_gate")
    if None not in gates:
        parts.append(f"The LSTM's forget gates were {gates[0]:.2f} on average before, and are {gates[1]:.2f} after.")
    old, new = lstm_before.get("rate"), lstm_after.get("rate")
    if n["models"]["LSTM"]["solved"] and old is not None and new is not None and new > old:
        parts.append("It did not start with a gradient that lasts; it learned to keep one, because this task asks for it.")
    elif n["models"]["LSTM"]["solved"]:
        parts.append("It solved the task although its gradient does not last longer than before.")
    word = verdict(facts["Elman"][1])
    if word == "dies":
        parts.append("From the first numbers, next to nothing reaches the Elman network's weights.")
    elif word in ("holds", "grows") and not n["models"]["Elman"]["solved"]:
        parts.append("The Elman network's gradient does arrive; what it lacks is a way to hold a number still.")
    return " ".join(parts)
