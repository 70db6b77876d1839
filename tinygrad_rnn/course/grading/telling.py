"""What is told of an answer that is not right: which of its faults, in which words, at most a handful of lines."""

from __future__ import annotations

from ..manifest import EXERCISE, Exercise
from ..runner import Answer, Limits
from ..verdict import Kind
from ..words import say
from .explaining import Explanation
from .judging import Fault, Judged, first_wrong_step
from .spelling import spell_case, spell_entry, spell_numbers, spell_output, spell_step

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
    if error.line is not None and error.function in ("", "<module>"):
        lines.insert(0, say("grading.error_import", file=EXERCISE, line=error.line, text=error.text))
    elif error.line is not None:  # a call at the end of the file, say, into a function of it
        lines += [*_line_of(answer), where]
    return "error", lines


def unfinished(exercise: Exercise, judged: list[Judged]) -> list[str]:
    """A NotImplementedError: the stub's own, or one that stands further in."""
    error = judged[-1].answer.error
    about = {"function": exercise.function, "file": EXERCISE}
    if error is None or error.line is None:
        return [say("grading.not_attempted_yet", **about)]
    if len(judged) > 1:
        return [say("grading.unfinished", line=error.line, text=error.text)]
    return [say("grading.not_attempted", line=error.line, **about)]


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
        *([say("grading.nobody_types")] if raised.type in ("EOFError", "BdbQuit") else []),
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
    in the largest case and of an output that has steps; a wrong type or shape where it is plainest, in the smallest.
    """
    faults = [fault for each in judged for fault in each.faults]
    lowest = min((RUNGS.index(fault.kind) for fault in faults), default=0)
    least = [fault for fault in faults if RUNGS.index(fault.kind) == lowest]
    if RUNGS[lowest] != "wrong value":
        return next(iter(least), None)
    last = next((each.faults for each in reversed(judged) if each.faults), ())
    return next((fault for fault in last if fault.place and fault.place.step is not None), next(iter(last), None))


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
    lines, told = on_paper(exercise, judged), shown(judged)
    wrong = {fault.output for each in judged for fault in each.faults}
    if {output for output, _ in explanation.partly} == wrong:  # else it may only look like this slip
        for output, name in explanation.partly[:2]:
            says = exercise.mistake(name).says.replace("{step}", say("steps.some"))
            lines.append(say("grading.partly", output=spell_output(output), says=says))
    outputs = list(judged[-1].case.expected)
    for key, names in (
        ("grading.also_wrong", [name for name in outputs if name in wrong and told and name != told.output]),
        ("grading.fine", [name for name in outputs if name not in wrong]),
    ):
        if names:
            lines.append(say(key, names=", ".join(map(spell_output, names))))
    if max(error for each in judged for error in each.errors.values()) < 3e-6:
        lines.append(say("grading.float32"))
    return lines


def on_paper(exercise: Exercise, judged: list[Judged]) -> list[str]:
    """The smallest case that is wrong, where a larger one is too: small enough to be worked out on paper."""
    wrong, told = [each for each in judged if each.faults], shown(judged)
    if len(wrong) < 2 or told is None or not exercise.reveal:
        return []
    place = next((fault.place for fault in wrong[0].faults if fault.output == told.output), wrong[0].faults[0].place)
    if place is None:
        return []
    truth = wrong[0].case.expected[place.output].dtype == bool
    expected, got = spell_numbers(place.expected, place.got, truth)
    about = {"what": spell_entry(place), "expected": expected, "got": got}
    return [say("grading.paper", case=spell_case(exercise, wrong[0].case), **about)]
