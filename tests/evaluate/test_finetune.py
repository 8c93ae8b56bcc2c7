"""The network on cell vectors."""

import numpy as np
import pytest

from genept_utils import evaluate
from genept_utils.chapters import phenotypes


@pytest.fixture(scope="module")
def ring():
    """Two classes that no straight line parts: a disc and the ring around it."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (1200, 2))
    return X, np.where((X**2).sum(axis=1) < 0.4, "disc", "ring")


def test_it_learns_what_a_linear_model_cannot(ring):
    from sklearn.linear_model import LogisticRegression

    X, y = ring
    network = phenotypes.fit(X[:800], y[:800])
    linear = LogisticRegression().fit(X[:800], y[:800])
    assert (network.predict(X[800:]) == y[800:]).mean() > 0.93
    assert (linear.predict(X[800:]) == y[800:]).mean() < 0.8


def test_the_hidden_layer_is_what_the_output_layer_reads(ring):
    X, y = ring
    network = phenotypes.fit(X[:400], y[:400], hidden=16)
    inner = phenotypes.represent(network, X)
    assert inner.shape == (1200, 16) and inner.dtype == np.float32 and inner.min() >= 0
    margin = inner @ network[-1].coefs_[1] + network[-1].intercepts_[1]
    assert np.array_equal(network.predict(X), np.where(margin[:, 0] > 0, "ring", "disc"))


def test_the_same_seed_gives_the_same_network(ring):
    X, y = ring
    a, b, c = (phenotypes.represent(phenotypes.fit(X[:200], y[:200], seed=s, max_iter=20), X[:50])
               for s in (1, 1, 2))
    assert np.array_equal(a, b) and not np.allclose(a, c)


def test_two_classes_by_newtons_steps_are_the_same_regression(ring):
    X, y = ring
    there = evaluate.classifier("lr scaled").fit(X[:300], y[:300])
    here = phenotypes._regression("lr scaled", y[:300]).fit(X[:300], y[:300])
    assert here[-1].solver == "newton-cholesky"
    assert phenotypes._regression("lr scaled", np.arange(3))[-1].solver == there[-1].solver
    np.testing.assert_allclose(here.decision_function(X), there.decision_function(X), atol=1e-3)
