"""The classic experiments of the lectures and their papers, at sizes that two cores finish in minutes.

    tinygrad-rnn experiment adding --quick      one of them: its claims, each true of k of n seeds, and its pictures
    tinygrad-rnn experiment --all               all of them, and one table

From the ground up: `experiment` says what one is, `catalogue` holds them, `verdict` counts, `store` keeps each trial
that was run, `running` runs what is missing, `report` makes table, page and pictures.
"""

from .experiment import Arm, Claim, Experiment, Outcome, Results, Size
from .verdict import Verdict, interval, judge

__all__ = ["Arm", "Claim", "Experiment", "Outcome", "Results", "Size", "Verdict", "interval", "judge"]
