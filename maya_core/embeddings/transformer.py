"""The forward pass of all-MiniLM-L6-v2 (a BERT encoder of 6 layers) in numpy. Pure arithmetic: no files, no threads.

The recipe is that of sentence-transformers: mean of the last layer over the tokens, brought to length 1.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LAYERS = 6
HEADS = 12
HEAD_WIDTH = 32
WIDTH = HEADS * HEAD_WIDTH

_EPSILON = np.float32(1e-12)
_BLOCK = 192
_GELU_AT_ONCE = 32_768
# The polynomial of 7.1.28 for |x|/√2, from the sixth power down, times the 16th root of 2: its power holds the half.
_TWO_16TH = np.float32(2 ** (1 / 16))
_ERFC = tuple(
    np.float32(coefficient * 2 ** (1 / 16 - power / 2))
    for power, coefficient in zip(
        range(6, 0, -1), (430638e-10, 2765672e-10, 1520143e-10, 92705272e-10, 422820123e-10, 705230784e-10), strict=True
    )
)

Span = tuple[int, int]
"""Where the tokens of a text begin and end among those of all texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """`x @ weight + bias`. The columns of the weight stand in blocks; shape (blocks, inputs, columns of a block).

    With few rows a product is as fast as its weight can be read, unless the BLAS copies the weight first to have it in
    its own order. It does without that for small products, so one over a question's few tokens is made of several.
    """

    weight: Floats
    bias: Floats

    @classmethod
    def of(cls, weight: Floats, bias: Floats) -> Self:
        """From a weight of shape (inputs, outputs)."""
        blocks = weight.reshape(len(weight), -1, _BLOCK).transpose(1, 0, 2)
        return cls(weight=np.ascontiguousarray(blocks), bias=bias.copy())

    def __call__(self, x: Floats) -> Floats:
        out = np.empty((len(x), len(self.bias)), dtype=np.float32)
        np.matmul(x, self.weight, out=out.reshape(len(x), len(self.weight), -1).swapaxes(0, 1))
        out += self.bias
        return out


@dataclass(frozen=True, slots=True, kw_only=True)
class Norm:
    """Layer normalisation over the last axis."""

    scale: Floats
    shift: Floats

    def __call__(self, x: Floats) -> Floats:
        """In place."""
        x -= np.add.reduce(x, axis=-1, keepdims=True) / np.float32(WIDTH)
        variance = np.einsum("ti,ti->t", x, x)[:, None] / np.float32(WIDTH)
        x /= np.sqrt(variance + _EPSILON)
        x *= self.scale
        x += self.shift
        return x


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Self-attention and the two dense steps after it, over the tokens of several texts, one a row.

    Query, key and value are one matrix.
    """

    attention_in: Linear
    attention_out: Linear
    attention_norm: Norm
    widen: Linear
    narrow: Linear
    norm: Norm

    def __call__(self, x: Floats, spans: Sequence[Span]) -> Floats:
        mixed = self.attention_in(x)
        attended = np.empty_like(x)
        for first, end in spans:
            _attend(mixed[first:end], attended[first:end])
        out = self.attention_out(attended)
        out += x
        x = self.attention_norm(out)
        out = self.narrow(gelu(self.widen(x)))
        out += x
        return self.norm(out)


def _attend(mixed: Floats, out: Floats) -> None:
    """The attention of one text's tokens to one another, written into `out`."""
    query, key, value = mixed.reshape(len(mixed), 3, HEADS, HEAD_WIDTH).transpose(1, 2, 0, 3)
    weights = query @ key.swapaxes(-1, -2)
    weights -= np.maximum.reduce(weights, axis=-1, keepdims=True)
    np.exp(weights, out=weights)
    heads = out.reshape(len(out), HEADS, HEAD_WIDTH).swapaxes(0, 1)
    np.matmul(weights, value, out=heads)
    heads /= np.add.reduce(weights, axis=-1, keepdims=True)


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
        ends = list(accumulate(map(len, tokens)))
        spans = list(zip([0, *ends], ends, strict=False))
        x = self.words[np.concatenate(tokens)]
        for first, end in spans:
            x[first:end] += self.positions[: end - first]
        x = self.norm(x)
        for layer in self.layers:
            between()
            x = layer(x, spans)
        sums = np.add.reduceat(x, [first for first, _ in spans])  # of the mean only the direction counts
        sums /= np.linalg.norm(sums, axis=1, keepdims=True)
        return sums


def gelu(x: Floats) -> Floats:
    """x/2 (1 + erf(x/√2)), in place; erf by Abramowitz and Stegun 7.1.28, whose error is below 3e-7.

    Part by part, so that what is being computed stays in the processor's cache.
    """
    flat = x.reshape(-1)
    with np.errstate(over="ignore"):  # far from 0 the power is infinite and its share 0
        for start in range(0, len(flat), _GELU_AT_ONCE):
            _gelu(flat[start : start + _GELU_AT_ONCE])
    return x


def _gelu(x: Floats) -> None:
    """For x < 0 it is -|x|/2 erfc(|x|/√2), otherwise x less the same; erfc is a polynomial to the power of -16."""
    size = np.abs(x)
    power = size * _ERFC[0]
    for coefficient in _ERFC[1:]:
        power += coefficient
        power *= size
    power += _TWO_16TH
    for _ in range(4):
        power *= power
    size /= power
    np.maximum(x, np.float32(0), out=x)
    x -= size


def _layer(tensors: Mapping[str, Floats], name: str, norm: Callable[[str], Norm]) -> Layer:
    def linear(part: str) -> Linear:
        return Linear.of(tensors[f"{name}.{part}.weight"].T, tensors[f"{name}.{part}.bias"])

    def of_attention(part: str) -> Floats:
        query, key, value = (tensors[f"{name}.attention.self.{each}.{part}"] for each in ("query", "key", "value"))
        return np.concatenate([query * np.float32(HEAD_WIDTH**-0.5), key, value])

    return Layer(
        attention_in=Linear.of(of_attention("weight").T, of_attention("bias")),
        attention_out=linear("attention.output.dense"),
        attention_norm=norm(f"{name}.attention.output.LayerNorm"),
        widen=linear("intermediate.dense"),
        narrow=linear("output.dense"),
        norm=norm(f"{name}.output.LayerNorm"),
    )
