"""Ways to wire recurrence: what is read at once or step by step, what is fed back, and what hands its state to what."""

from .captioning import Captioner
from .decoder import Decoder
from .decoding import Beams, beam_search, greedy, sample
from .questions import Answerer
from .seq2seq import EncoderDecoder, reverse_source, scheduled_sampling
from .trees import RecursiveNetwork, balanced, chain, nonlinear_depth

__all__ = [
    "Answerer", "Beams", "Captioner", "Decoder", "EncoderDecoder", "RecursiveNetwork", "balanced", "beam_search",
    "chain", "greedy", "nonlinear_depth", "reverse_source", "sample", "scheduled_sampling",
]  # fmt: skip
