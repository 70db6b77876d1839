"""What is said about networks that were trained: sentences made from the numbers of this very run, also where these
contradict the textbook."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ...pictures.scales import number

Facts = Mapping[str, Any]
CURVE = 60  # points of a loss curve, at most: each is a mean over a stretch of updates
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


def steps(n: int) -> str:
    """"1 step", "20 steps"."""
    return f"{n} step{'' if n == 1 else 's'}"


def listed(names: Sequence[str], last: str = " and ") -> str:
    """A, B and C."""
    return last.join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else "none"


def joined(*groups: Sequence[str]) -> str:
    """Sentences in groups, a line for each group."""
    return "\n".join(" ".join(group) for group in groups if group)


# The text


def language_summary(n: Facts) -> str:
    """One line for the table of contents: the best of the four, in bits per character."""
    best = min(n["models"], key=lambda name: n["models"][name]["last"])
    return (
        f"After {n['updates']} updates the best of four networks, {best}, needs {n['models'][best]['last']:.2f} bits"
        " per character."
    )


def language_setting(n: Facts) -> str:
    """What was trained, on what, for how long."""
    return (
        f"An Elman network and three LSTMs, whose forget gates' biases start at 0, 1 and 2, read {n['source']}"
        f" ({n['characters']:,} characters). Each has {n['hidden_size']} units and sees the same {n['updates']} batches"
        f" of {n['batch_size']} × {n['window']} characters ({n['read']:,} in all), one after another, with Adam at"
        f" {n['learning_rate']:g} and the gradient clipped at {n['clip']:g}. All of it took {n['seconds']:.0f} seconds."
    )


def language(n: Facts) -> str:
    """What the loss curves say: who learned, who is ahead, and whether the text was read more than once."""
    models = n["models"]
    knowing = n["bits_knowing_nothing"]
    parts = [f"Knowing nothing costs {knowing:.2f} bits per character."]
    learned = [name for name in models if models[name]["last"] < 0.9 * models[name]["first"]]
    if len(learned) < len(models):
        parts.append(f"In so short a time {listed([m for m in models if m not in learned])} learned next to nothing.")
    ranked = sorted(models, key=lambda name: models[name]["last"])
    told = ", ".join(f"{name} {models[name]['last']:.2f}" for name in ranked)
    tail = " (the curve's last point: over {})".format(n["updates"] // min(CURVE, n["updates"]))
    parts.append(f"At the end, over the last {max(1, n['updates'] // 20)} updates{tail}: {told}.")
    best, second = ranked[:2]
    if models[second]["last"] - models[best]["last"] < 0.03:
        parts.append(f"{best} and {second} are level.")
    elif best == "Elman":
        parts.append(
            "The simplest network is ahead: it has fewer weights to set, and the next character depends mostly on the "
            "few before it. Long memory has not paid off yet."
        )
    else:
        parts.append(f"{best} is ahead.")
    held = {name: models[name]["held_out"] for name in models if models[name]["held_out"] is not None}
    if held:
        parts.append(
            "On text that none has seen: "
            + ", ".join(f"{name} {held[name]:.2f}" for name in ranked if name in held)
            + "."
        )
    if n["read"] > 2 * n["characters"]:
        parts.append(
            f"The text is short and was read {n['read'] / n['characters']:.0f} times: much of this is learning by"
            " heart."
        )
    return " ".join(parts)


# The gradient by lag


def reach_summary(before: Mapping[str, Facts], after: Mapping[str, Facts]) -> str:
    """One line for the table of contents: in which networks the gradient dies after learning the text."""
    dead = [name for name in after if verdict(after[name]) == "dies"]
    if not dead:
        return "After learning the text, no network's gradient dies within the window."
    lstm = [name for name in dead if name != "Elman"]
    told = "; an LSTM is no guarantee" if lstm else ""
    return f"After learning the text, the gradient dies in {len(dead)} of {len(after)} networks{told}."


def lags(facts: Mapping[str, Facts]) -> str:
    """What a lag chart says: what becomes of each gradient, how far it reaches, and why."""
    return joined([outcomes(facts)], reaches(facts), textbook(facts), direct_path(facts))


def outcomes(facts: Mapping[str, Facts]) -> str:
    """Over 99 steps the gradient dies in Elman, and holds in LSTM bias 2."""
    lengths = [f["lags"] for f in facts.values()]
    meaning = {
        "dies": "dies (less than a millionth is left) in",
        "fades": "fades (less than a tenth is left) in",
        "holds": "holds in",
        "grows": "grows more than tenfold in",
        "overflows": "is no longer a number in",
        "none": "is zero from the start in",
    }
    groups = {word: [name for name, f in facts.items() if verdict(f) == word] for word in meaning}
    told = [f"{meaning[word]} {listed(names)}" for word, names in groups.items() if names]
    return f"Over {steps(max(lengths))}, the gradient {listed(told, ', and ')}."


def reaches(facts: Mapping[str, Facts]) -> list[str]:
    """For how many steps more than a hundredth of the gradient is left."""
    known = {name: f for name, f in facts.items() if f.get("horizon") is not None and f["first"] > 0}
    if not known:
        return []
    told = [f"{'all ' if f['horizon'] == f['lags'] else ''}{f['horizon']} in {name}" for name, f in known.items()]
    return [f"Steps for which more than 1% of it is left: {listed(told)}."]


def textbook(facts: Mapping[str, Facts]) -> list[str]:
    """Where the LSTMs are not what they are said to be."""
    lstms = {name: f for name, f in facts.items() if f.get("direct") is not None}
    dead = [name for name, f in lstms.items() if verdict(f) == "dies"]
    parts = [f"An LSTM's gradient can vanish too: here in {listed(dead)}."] if dead else []
    for name in [name for name in facts if name not in lstms and facts[name].get("rate") is not None]:
        rate = facts[name]["rate"]
        behind = [each for each, f in lstms.items() if f.get("rate") is not None and f["rate"] < rate]
        if behind and len(behind) == len(lstms):
            parts.append(f"Against the textbook, it lasts longest in {name}.")
        elif behind:
            parts.append(f"In {listed(behind)} it is lost faster than in {name}.")
    return parts


def direct_path(facts: Mapping[str, Facts]) -> list[str]:
    """What the forget gates alone would leave of each LSTM's gradient, against what is left."""
    lstms = {name: f for name, f in facts.items() if f.get("direct") is not None and math.isfinite(f["last"])}
    if not lstms:
        return []
    told = [f"{number(f['direct'])} (where {number(f['last'])} arrives) in {name}" for name, f in lstms.items()]
    parts = [
        f"On the direct path from cell to cell, forget gates are the only factors; alone it would bring {listed(told)}."
    ]
    less = [name for name, f in lstms.items() if f["direct"] > 1.1 * f["last"]]
    if less:
        parts.append(f"In {listed(less)} less arrives: what comes round through W_hh cancels part of it.")
    mostly = [name for name, f in lstms.items() if 0.5 * f["last"] < f["direct"] <= 1.1 * f["last"]]
    hardly = [name for name, f in lstms.items() if f["direct"] < 0.05 * f["last"]]
    if mostly:
        parts.append(f"So in {listed(mostly)} the forget gates decide how much arrives.")
    if hardly:
        parts.append(f"In {listed(hardly)} nearly all that arrives comes round through W_hh.")
    return parts


def lags_after(before: Mapping[str, Facts], after: Mapping[str, Facts]) -> str:
    """The lag chart after training, against the one before."""
    return joined([outcomes(after)], reaches(after), [*changes(before, after), *textbook(after)], direct_path(after))


def changes(before: Mapping[str, Facts], after: Mapping[str, Facts]) -> list[str]:
    """In which networks training made the gradient last longer, in which shorter, in which grow: by the factor a step,
    as it is told, with two decimals."""
    became: dict[str, list[str]] = {}
    for name in after:
        old, new = before[name].get("rate"), after[name].get("rate")
        if old is None or new is None or abs(new - old) <= 0.01:
            continue
        if new > old:
            what = "last longer" if round(new, 2) <= 1 else "grow faster" if round(old, 2) > 1 else "grow"
        else:
            what = "last shorter" if round(new, 2) < 1 else "grow less" if round(new, 2) > 1 else "hold where it grew"
        became.setdefault(what, []).append(f"{name} ({old:.2f} to {new:.2f})")
    parts = [f"Training made it {what} in {listed(names)}." for what, names in became.items()]
    if parts:
        parts[0] = parts[0][:-1] + ", measured by the factor a step."
    return parts


def ledgers(facts: Mapping[str, Facts]) -> str:
    """What the ledgers say: does the last stretch of steps pay for everything?"""
    parts = [
        "W_hh is used at every step, and its gradient is the sum of what each use contributes; the first use pays"
        " nothing, since it multiplies h_0 = 0."
    ]
    shares = {
        name: f["paid_by_last_10"] for name, f in facts.items() if f["paid_by_last_10"] is not None and f["lags"] > 20
    }
    if not shares:
        return " ".join([*parts, "Here the sequence is too short, or nothing was contributed, to say more."])
    told = ", ".join(f"{name} {100 * share:.{0 if share < 0.995 else 1}f}%" for name, share in shares.items())
    parts.append(f"The last ten steps paid (of the sum of norms): {told}.")
    blind = [name for name, share in shares.items() if share > 0.9]
    if len(shares) > 1 and max(shares.values()) - min(shares.values()) < 0.1:
        least, most = (f"{100 * (1 - pick(shares.values())):.0f}" for pick in (max, min))
        parts.append(f"They hardly differ: all earlier steps together paid {least} to {most}%.")
    elif blind:
        parts.append(f"All earlier steps together paid less than a tenth for {listed(blind)}.")
    return " ".join(parts)


# The adding problem


def adding_summary(n: Facts) -> str:
    """One line for the table of contents: who learned to add, and after how many updates."""
    return f"Two of {n['length']} numbers must be remembered and added. {_solvers(n)}"


def _solvers(n: Facts) -> str:
    """Who learned it, and who did not."""
    models = n["models"]
    able = [f"{name} (after {m['solved']} updates)" for name, m in models.items() if m["solved"]]
    unable = [f"{name} ({m['updates']} updates)" for name, m in models.items() if not m["solved"]]
    if not able:
        return "None of the networks learned it in this time."
    return f"Learned by {listed(able)}; not by {listed(unable)}." if unable else f"Learned by {listed(able)}: by all."


def adding_introduction(n: Facts) -> str:
    """What the adding task asks, and what knowing nothing scores."""
    named = {
        rate: [name for name, m in n["models"].items() if m["learning_rate"] == rate]
        for rate in sorted({m["learning_rate"] for m in n["models"].values()})
    }
    rates = [f"{rate:g} ({listed(names)})" for rate, names in named.items()]
    return (
        f"Each sequence has {n['length']} random numbers, of which two are marked, one in each half; the answer, at the"
        " end, is their sum (Hochreiter & Schmidhuber 1997). Who forgets can only say 1, with a mean squared error of"
        f" {n['error_without_memory']:.4f}. All networks have {n['hidden_size']} units, an orthogonal W_hh at the"
        f" start, batches of {n['batch_size']} and Adam at {listed(rates)}: tried beforehand at 0.03, 0.01, 0.003 and"
        " 0.001, an Elman network learned it at none of them in 800 updates."
    )


def adding(n: Facts) -> str:
    """Who solved it, after how much, and what that does and does not show."""
    models = n["models"]
    errors = [f"{number(m['error'])} in {name}" for name, m in models.items()]
    parts = [_solvers(n), f"Error on sequences never seen, at the end: {listed(errors)}."]
    elman = models["Elman"]["solved"]
    lstms = [m for name, m in models.items() if name != "Elman"]
    able = sum(bool(m["solved"]) for m in lstms)
    if able and not elman:
        parts.append(
            "This is what the Elman network does within this budget; far more time, or another start, may change it."
        )
    if able and able < len(lstms):
        parts.append("Not every LSTM does in the time it had.")
    if elman:
        parts.append(
            "Here the Elman network remembered for long enough"
            + (
                ", and so did " + ("all" if able == len(lstms) else "some") + " of the LSTMs."
                if able
                else ", and no LSTM did: the opposite of the textbook."
            )
        )
    if not able and not elman:
        parts.append("Give the tour more `--seconds` to see who does.")
    return " ".join(parts)


def adding_lags(before: Mapping[str, Facts], after: Mapping[str, Facts], n: Facts) -> str:
    """After training, against before; and what that has to do with who solved it."""
    parts: list[str] = []
    solved = [name for name in after if n["models"][name]["solved"]]
    kept = [name for name in solved if verdict(after[name]) in ("holds", "grows")]
    lost = [name for name in solved if name not in kept]
    if kept:
        parts.append(
            f"The task pays for memory: {listed(kept)} learned it and {'keeps' if len(kept) == 1 else 'keep'} "
            "the gradient over its whole length."
        )
    if lost:
        parts.append(f"{listed(lost)} learned it although the gradient does not last over its whole length.")
    elman = after["Elman"]
    if not n["models"]["Elman"]["solved"] and verdict(elman) in ("holds", "grows"):
        parts.append("Elman's gradient arrives too, and yet it has not learned: a gradient that lasts is not enough.")
    return joined([lags_after(before, after)], parts)
