"""The instructor's side: a lesson's solution, mistakes and cases (`bench`), what is generated from them (`build`), and
the proof that the lesson is fit for learners (`proof`).
"""

from .bench import Bench, case_file, lesson_cases, mistaken
from .running import AuthoringError, solution_of

__all__ = ["AuthoringError", "Bench", "case_file", "lesson_cases", "mistaken", "solution_of"]
