"""From an exercise.py to its verdicts: cases are asked, answers judged on a ladder, and mistakes told by their names.

Read in this order: `marks` (answers as tables), `judging` (one answer), `explaining` (which mistakes), `by_numbers`
(by hand, or numerically?), `telling` (in which words), `grader` (all together).
"""

from .grader import Grader, grade

__all__ = ["Grader", "grade"]
