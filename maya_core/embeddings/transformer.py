"""The forward pass of all-MiniLM-L6-v2 (a BERT encoder of 6 layers) in numpy. Pure arithmetic: no files, no threads.

The recipe is that of sentence-transformers: mean of the last layer over the tokens, brought to length 1.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LAYERS = 6
HEADS = 12
HEAD_WIDTH = 32
WIDTH = HEADS * HEAD_WIDTH

_EPSILON = np.float32(1e-12)
_MASKED = np.float32(-1e9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """`x @ weight + bias`."""

    weight: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        # As one matrix: with an axis of texts before it numpy would multiply text by text, each too small to be fast.
        out: Floats = x.reshape(-1, x.shape[-1]) @ self.weight
        out += self.bias
        return out.reshape(*x.shape[:-1], -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Norm:
    """Layer normalisation over the last axis."""

    scale: Floats
    shift: Floats

    def __call__(self, x: Floats) -> Floats:
        """In place."""
        x -= x.mean(axis=-1, keepdims=True)
        variance = np.einsum("...i,...i->...", x, x)[..., None] / np.float32(x.shape[-1])
        x /= np.sqrt(variance + _EPSILON)
        x *= self.scale
        x += self.shift
        return x


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Self-attention and the two dense steps after it. Query, key and value are one matrix."""

    attention_in: Linear
    attention_out: Linear
    attention_norm: Norm
    widen: Linear
    narrow: Linear
    norm: Norm

    def __call__(self, x: Floats, mask: Floats) -> Floats:
        x = self.attention_norm(self.attention_out(self._attend(x, mask)) + x)
        return self.norm(self.narrow(gelu(self.widen(x))) + x)

    def _attend(self, x: Floats, mask: Floats) -> Floats:
        texts, length, _ = x.shape
        mixed = self.attention_in(x).reshape(texts, length, 3, HEADS, HEAD_WIDTH).transpose(2, 0, 3, 1, 4)
        query, key, value = mixed
        weights: Floats = query @ key.swapaxes(-1, -2)
        weights += mask
        weights -= weights.max(axis=-1, keepdims=True)
        np.exp(weights, out=weights)
        weights /= weights.sum(axis=-1, keepdims=True)
        attended: Floats = weights @ value
        return attended.transpose(0, 2, 1, 3).reshape(texts, length, WIDTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformer:
    """The whole encoder, from token ids to one vector a text."""

    words: Floats
    positions: Floats
    norm: Norm
    layers: tuple[Layer, ...]

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Floats]) -> Self:
        """Arrange the tensors of the published file. The table of words stays what it is: a view of the file."""

        def norm(name: str) -> Norm:
            return Norm(scale=tensors[f"{name}.weight"].copy(), shift=tensors[f"{name}.bias"].copy())

        return cls(
            words=tensors["embeddings.word_embeddings.weight"],
            # Every text is one segment: the embedding of segment 0 is added once and for all.
            positions=tensors["embeddings.position_embeddings.weight"]
            + tensors["embeddings.token_type_embeddings.weight"][0],
            norm=norm("embeddings.LayerNorm"),
            layers=tuple(_layer(tensors, f"encoder.layer.{number}", norm) for number in range(LAYERS)),
        )

    def encode(self, tokens: Sequence[Sequence[int]], *, between: Callable[[], None] = lambda: None) -> Floats:
        """One vector of length 1 a text; shape (len(tokens), WIDTH). No text may be without tokens.

        `between` is called before every layer: the place to wait while something more urgent is computed.
        """
        lengths = np.array([len(ids) for ids in tokens])
        longest = int(lengths.max())
        ids = np.zeros((len(tokens), longest), dtype=np.int64)
        for row, text in zip(ids, tokens, strict=True):
            row[: len(text)] = text
        present = np.arange(longest) < lengths[:, None]
        mask = np.where(present, np.float32(0), _MASKED)[:, None, None, :]
        x = self.norm(self.words[ids] + self.positions[:longest])
        for layer in self.layers:
            between()
            x = layer(x, mask)
        mean: Floats = np.einsum("tle,tl->te", x, present.astype(np.float32)) / lengths[:, None].astype(np.float32)
        mean /= np.linalg.norm(mean, axis=1, keepdims=True)
        return mean.astype(np.float32, copy=False)


def gelu(x: Floats) -> Floats:
    """x/2 (1 + erf(x/√2)), in place; erf by Abramowitz and Stegun 7.1.26, whose error is below 1.5e-7."""
    scaled = np.abs(x)
    scaled *= np.float32(0.7071067811865476)
    t = np.float32(1) / (np.float32(1) + np.float32(0.3275911) * scaled)
    polynomial = t * np.float32(1.061405429)
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        polynomial += np.float32(coefficient)
        polynomial *= t
    scaled *= scaled
    np.negative(scaled, out=scaled)
    np.exp(scaled, out=scaled)
    scaled *= polynomial
    np.subtract(np.float32(1), scaled, out=scaled)
    np.copysign(scaled, x, out=scaled)
    scaled += np.float32(1)
    scaled *= np.float32(0.5)
    x *= scaled
    return x


def _layer(tensors: Mapping[str, Floats], name: str, norm: Callable[[str], Norm]) -> Layer:
    def linear(part: str) -> Linear:
        weight = np.ascontiguousarray(tensors[f"{name}.{part}.weight"].T)
        return Linear(weight=weight, bias=tensors[f"{name}.{part}.bias"].copy())

    query, key, value = (linear(f"attention.self.{part}") for part in ("query", "key", "value"))
    scale = np.float32(HEAD_WIDTH**-0.5)
    return Layer(
        attention_in=Linear(
            weight=np.concatenate([query.weight * scale, key.weight, value.weight], axis=1),
            bias=np.concatenate([query.bias * scale, key.bias, value.bias]),
        ),
        attention_out=linear("attention.output.dense"),
        attention_norm=norm(f"{name}.attention.output.LayerNorm"),
        widen=linear("intermediate.dense"),
        narrow=linear("output.dense"),
        norm=norm(f"{name}.output.LayerNorm"),
    )
