"""Compiled energy and derivatives of the linear network."""

import numpy as np
from numba import njit

from saddlescape.kernels import Kernels, kernel
from saddlescape.stochastic import finite_sum
from saddlescape.stochastic.finite_sum import N_TERMS, OWN, draw_rows

# params[0]: balance, then whitened inputs and outputs of each sample; params[1] from OWN on: inputs d, hidden units p, outputs q.


@njit(nogil=True, error_model="numpy")
def _layers(x, params):
    """W1 (p, d) and W2 (q, p) in x."""
    d, p, q = params[1][OWN], params[1][OWN + 1], params[1][OWN + 2]
    return x[: p * d].reshape(p, d), x[p * d :].reshape(q, p)


@njit(nogil=True, error_model="numpy")
def _batch_gradient(x, params, sample, out):
    """The energy over the rows of a sample (None: over all), with its gradient in ``out``."""
    floats, integers = params
    d, p, q = integers[OWN], integers[OWN + 1], integers[OWN + 2]
    count = integers[N_TERMS] if sample is None else sample.size
    w1, w2 = _layers(x, params)
    out1, out2 = _layers(out, params)
    out[:] = 0.0
    hidden, back = np.empty(p), np.empty(p)
    squares = 0.0
    for k in range(count):
        row = k if sample is None else int(sample[k])
        data = floats[1 + row * (d + q) :]
        for j in range(p):
            hidden[j] = back[j] = 0.0
            for i in range(d):
                hidden[j] += w1[j, i] * data[i]
        for o in range(q):
            error = -data[d + o]
            for j in range(p):
                error += w2[o, j] * hidden[j]
            squares += error * error
            for j in range(p):
                out2[o, j] += error * hidden[j]
                back[j] += error * w2[o, j]
        for j in range(p):
            for i in range(d):
                out1[j, i] += back[j] * data[i]
    for i in range(x.size):
        out[i] /= count
    return 0.5 * squares / count + _add_balance(w1, w2, floats[0], out1, out2)


@njit(nogil=True, error_model="numpy")
def _excess(w1, w2, v1, v2, j, k):
    """Entry (j, k) of W1 V1^T - W2^T V2."""
    total = 0.0
    for i in range(w1.shape[1]):
        total += w1[j, i] * v1[k, i]
    for o in range(w2.shape[0]):
        total -= w2[o, j] * v2[o, k]
    return total


@njit(nogil=True, error_model="numpy")
def _add_balance(w1, w2, balance, out1, out2):
    """Add the derivative of (balance / 4) |D|^2, D = W1 W1^T - W2^T W2, which is (D W1, -W2 D); returns its value."""
    squares = 0.0
    for j in range(w1.shape[0]):
        for k in range(w1.shape[0]):
            excess = _excess(w1, w2, w1, w2, j, k)
            squares += excess * excess
            for i in range(w1.shape[1]):
                out1[j, i] += balance * excess * w1[k, i]
            for o in range(w2.shape[0]):
                out2[o, j] -= balance * excess * w2[o, k]
    return 0.25 * balance * squares


@njit(nogil=True, error_model="numpy")
def _batch_hvp(x, v, params, sample, out):
    """The derivative of `_batch_gradient` along v."""
    floats, integers = params
    d, p, q = integers[OWN], integers[OWN + 1], integers[OWN + 2]
    count = integers[N_TERMS] if sample is None else sample.size
    w1, w2 = _layers(x, params)
    v1, v2 = _layers(v, params)
    out1, out2 = _layers(out, params)
    out[:] = 0.0
    hidden, hidden_v, back_v = np.empty(p), np.empty(p), np.empty(p)
    for k in range(count):
        row = k if sample is None else int(sample[k])
        data = floats[1 + row * (d + q) :]
        for j in range(p):
            hidden[j] = hidden_v[j] = back_v[j] = 0.0
            for i in range(d):
                hidden[j] += w1[j, i] * data[i]
                hidden_v[j] += v1[j, i] * data[i]
        for o in range(q):
            error, error_v = -data[d + o], 0.0
            for j in range(p):
                error += w2[o, j] * hidden[j]
                error_v += v2[o, j] * hidden[j] + w2[o, j] * hidden_v[j]
            for j in range(p):
                out2[o, j] += error_v * hidden[j] + error * hidden_v[j]
                back_v[j] += error_v * w2[o, j] + error * v2[o, j]
        for j in range(p):
            for i in range(d):
                out1[j, i] += back_v[j] * data[i]
    for i in range(x.size):
        out[i] /= count
    balance = floats[0]
    for j in range(p):
        for k in range(p):
            excess = balance * _excess(w1, w2, w1, w2, j, k)
            excess_v = balance * (_excess(w1, w2, v1, v2, j, k) + _excess(v1, v2, w1, w2, j, k))
            for i in range(d):
                out1[j, i] += excess * v1[k, i] + excess_v * w1[k, i]
            for o in range(q):
                out2[o, j] -= excess * v2[o, k] + excess_v * w2[o, k]


@kernel("energy", uses=(finite_sum,))
def _energy(x, params):
    return _batch_gradient(x, params, None, np.empty_like(x))


@kernel("energy_gradient", uses=(finite_sum,))
def _energy_gradient(x, params, out):
    return _batch_gradient(x, params, None, out)


@kernel("gradient", uses=(finite_sum,))
def _gradient(x, params, out):
    _batch_gradient(x, params, None, out)


@kernel("hvp", uses=(finite_sum,))
def _hvp(x, v, params, out):
    _batch_hvp(x, v, params, None, out)


@kernel("stochastic_gradient", uses=(finite_sum,))
def _stochastic_gradient(x, params, sample, out):
    _batch_gradient(x, params, sample, out)


@kernel("stochastic_hvp", uses=(finite_sum,))
def _stochastic_hvp(x, v, params, sample, out):
    _batch_hvp(x, v, params, sample, out)


LINEAR = Kernels(
    energy=_energy,
    energy_gradient=_energy_gradient,
    gradient=_gradient,
    hvp=_hvp,
    draw=draw_rows,
    stochastic_gradient=_stochastic_gradient,
    stochastic_hvp=_stochastic_hvp,
)
