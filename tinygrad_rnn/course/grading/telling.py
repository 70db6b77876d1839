"""What is told of an answer that is not right: which of its faults, in which words, at most a handful of lines."""

from __future__ import annotations

from ..manifest import EXERCISE, Exercise
from ..runner import Answer, Limits
from ..verdict import Kind
from ..words import say
from .explaining import Explanation
from .judging import Fault, Judged, by_hand_line, first_wrong_step, spell_case, spell_step

RUNGS: tuple[Kind, ...] = ("wrong type", "wrong shape", "not finite", "wrong value")


def at_import(limits: Limits, answer: Answer) -> tuple[Kind, list[str]]:
    """exercise.py could not be read at all."""
    where = say("grading.at_import", file=EXERCISE)
    error = answer.error
    if answer.outcome not in ("raised", "unfinished"):
        return "stopped", [_why_stopped(limits, answer, "-"), where]
    if error is None:
        return "error", [where]
    lines = [say("grading.error", type=error.type, message=error.message)]
    if error.line is not None:
        lines.insert(0, say("grading.error_import", file=EXERCISE, line=error.line, text=error.text))
    return "error", lines


def unfinished(exercise: Exercise, judged: list[Judged]) -> list[str]:
    """A NotImplementedError: the stub's own, or one that stands further in."""
    error = judged[-1].answer.error
    if len(judged) > 1 and error is not None and error.line is not None:
        return [say("grading.unfinished", line=error.line, text=error.text)]
    return [say("grading.not_attempted", function=exercise.function, file=EXERCISE)]


def stopped(limits: Limits, exercise: Exercise, judged: Judged) -> list[str]:
    """Out of time, memory or output, or the process is gone."""
    return [_why_stopped(limits, judged.answer, spell_case(exercise, judged.case)), *_line_of(judged.answer)]


def _why_stopped(limits: Limits, answer: Answer, case: str) -> str:
    about = {"seconds": limits.seconds, "memory": limits.memory_mb, "output": limits.output_kb}
    return say(f"grading.{answer.outcome}", **about, detail=answer.detail, case=case)


def error(exercise: Exercise, judged: Judged) -> list[str]:
    """The learner's code raised: what, on which line of his, and for which case."""
    raised = judged.answer.error
    if raised is None:
        return []
    if judged.answer.detail == "missing":
        return [say("grading.no_function", function=exercise.function, file=EXERCISE, key=exercise.key)]
    return [
        say("grading.error", type=raised.type, message=raised.message),
        *_line_of(judged.answer),
        say("grading.error_case", case=spell_case(exercise, judged.case)),
    ]


def _line_of(answer: Answer) -> list[str]:
    at = answer.error
    if at is None or at.line is None:
        return []
    return [say("grading.error_at", function=at.function, line=at.line, text=at.text)]


def shown(judged: list[Judged]) -> Fault | None:
    """The fault to tell: of the lowest rung, so a wrong type before a wrong value. A value is told where it says most,
    in the largest case; what is no array of the right shape where it is plainest, in the smallest.
    """
    faults = [fault for each in judged for fault in each.faults]
    lowest = min((RUNGS.index(fault.kind) for fault in faults), default=0)
    least = [fault for fault in faults if RUNGS.index(fault.kind) == lowest]
    last = next((f for each in reversed(judged) for f in each.faults if f in least), None)
    return last if RUNGS[lowest] == "wrong value" else next(iter(least), None)


def named(exercise: Exercise, explanation: Explanation, judged: list[Judged]) -> list[str]:
    """The mistakes' own sentences: of one, of several made together, or of several that no case tells apart."""
    place = first_wrong_step(judged)
    step = spell_step(place, place.step) if place is not None and place.step is not None else say("steps.some")

    def says(names: tuple[str, ...]) -> list[str]:
        return [exercise.mistake(name).says.replace("{step}", step) for name in names]

    first = explanation.either[0]
    if len(explanation.either) > 1:
        listed = [" ".join(says(names)) for names in explanation.either[:3]]
        return [say("grading.either"), *(say("grading.slip", says=each) for each in listed)]
    if len(first) > 1:
        return [say("grading.together", count=len(first)), *(say("grading.slip", says=each) for each in says(first))]
    look = exercise.mistake(first[0]).look
    return [*says(first), *([say("grading.look", look=look)] if look else [])]


def beside(exercise: Exercise, explanation: Explanation, judged: list[Judged]) -> list[str]:
    """What helps where no mistake explains the whole: an output that one explains, what is right, the error's size."""
    lines = on_paper(exercise, judged)
    for output, name in explanation.partly[:2]:
        says = exercise.mistake(name).says.replace("{step}", say("steps.some"))
        lines.append(say("grading.partly", output=output, says=says))
    wrong = {fault.output for each in judged for fault in each.faults}
    if fine := [output for output in judged[-1].case.expected if output not in wrong]:
        lines.append(say("grading.fine", names=", ".join(fine)))
    if max(each.error for each in judged) < 3e-6 and not explanation.partly:
        lines.append(say("grading.float32"))
    return lines


def on_paper(exercise: Exercise, judged: list[Judged]) -> list[str]:
    """The smallest case that is wrong, where a larger one is too."""
    line = by_hand_line(exercise, judged)
    return [line] if line else []
