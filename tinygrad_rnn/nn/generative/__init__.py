"""Networks that make things: windows on images and on texts, DRAW, handwriting, and reading by glimpses."""

from .attention_window import AttentionWindow, Window, filterbank
from .draw_model import DRAW, Painting
from .glimpses import GlimpseReader
from .handwriting import PredictionNetwork, SynthesisNetwork
from .latent import gaussian_kl, reparameterised
from .mixture_density import Mixture, MixtureDensity, mdn_loss, mdn_sample
from .soft_window import SoftWindow, window_weights

__all__ = [
    "DRAW", "AttentionWindow", "GlimpseReader", "Mixture", "MixtureDensity", "Painting", "PredictionNetwork",
    "SoftWindow", "SynthesisNetwork", "Window", "filterbank", "gaussian_kl", "mdn_loss", "mdn_sample",
    "reparameterised", "window_weights",
]  # fmt: skip
