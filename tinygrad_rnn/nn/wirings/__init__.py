"""How a recurrence is wired to inputs and outputs, and how depth is put into it.

    model = wirings.ManyToOne(nn.LSTM(3, 16), nn.Linear(16, 4))      logits = model(x, mask=mask)

What the lectures draw, and what it is here:

    one-to-one, one-to-many, many-to-one, many-to-many (paired)     OneToOne, OneToMany, ManyToOne, ManyToMany
    output in each step, recurrence between hidden units            ManyToMany              Goodfellow, figure 10.3
    output in each step, recurrence from the output alone           OutputRecurrence        figures 10.4 and 10.6
    a single output at the end                                      ManyToOne               figure 10.5
    no outputs; a dynamical system s(t) = f(s(t-1))                 dynamical_system        figure 10.2, equation 10.1
    depth: stacked; in the transition; there with a way past        nn.RNN(num_layers=...), DeepRNN, DeepRNN(skip=True)
    how long the ways through time are                              path_length, measured_path_length
    both directions, concatenated, added or multiplied              nn.RNN(bidirectional=True, merge=...)
"""

from .captioning import Captioner
from .decoder import Decoder
from .decoding import Beams, beam_search, greedy, sample
from .deep import DeepRNN, DeepTransitionCell
from .dynamics import dynamical_system
from .many_to_many import ManyToMany
from .many_to_one import ManyToOne, last_hidden
from .one_to_many import OneToMany
from .one_to_one import OneToOne
from .output_recurrence import OutputRecurrence
from .paths import PathLength, measured_path_length, path_length
from .questions import Answerer
from .seq2seq import EncoderDecoder, reverse_source, scheduled_sampling
from .steps import each_step, first_of, one_step
from .trees import RecursiveNetwork, balanced, chain, nonlinear_depth

__all__ = [
    "Answerer", "Beams", "Captioner", "Decoder", "DeepRNN", "DeepTransitionCell", "EncoderDecoder", "ManyToMany",
    "ManyToOne", "OneToMany", "OneToOne", "OutputRecurrence", "PathLength", "RecursiveNetwork", "balanced",
    "beam_search", "chain", "dynamical_system", "each_step", "first_of", "greedy", "last_hidden",
    "measured_path_length", "nonlinear_depth", "one_step", "path_length", "reverse_source", "sample",
    "scheduled_sampling",
]  # fmt: skip
