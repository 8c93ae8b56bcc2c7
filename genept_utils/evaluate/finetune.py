"""A small network on top of frozen cell vectors, and the representation it learns.

The paper fine-tunes GenePT-w with a "two-layer MLP with ReLU": one hidden layer with ReLU and
one output layer with softmax. Its size is not known; the defaults here are ours.
"""

import warnings

import numpy as np


def fit(X, y, hidden=128, seed=0, weight_decay=1e-2, max_iter=200):
    """Train the network (Adam, cross-entropy) on centred vectors of mean variance 1.

    All columns are divided by one number: dividing each by its own spread would blow up the
    small principal components of a PCA, which are mostly noise.

    Parameters
    ----------
    X : numpy.ndarray
        (n_cells, d) cell vectors.
    y : array-like
        (n_cells,) labels.
    hidden : int
        Units of the hidden layer.
    seed : int
        Seed of the first weights and of the batches.
    weight_decay : float
        L2 penalty on the weights.
    max_iter : int
        Passes through the data.

    Returns
    -------
    sklearn.pipeline.Pipeline
        ``predict`` and ``predict_proba`` take (n, d) vectors; see also :func:`represent`.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X = np.asarray(X, dtype=np.float32)
    scaler = StandardScaler().fit(X)
    scaler.scale_ = np.full(X.shape[1], max(np.sqrt(scaler.var_.mean()), 1e-12))
    network = MLPClassifier((hidden,), activation="relu", solver="adam", alpha=weight_decay,
                            learning_rate_init=1e-3, max_iter=max_iter, random_state=seed,
                            batch_size=min(128, len(y)))
    with warnings.catch_warnings():  # a fixed number of passes is the stopping rule
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(scaler.transform(X), np.asarray(y))
    return make_pipeline(scaler, network)


def represent(model, X):
    """The hidden layer of a fitted network: fine-tuned cell vectors.

    Parameters
    ----------
    model : sklearn.pipeline.Pipeline
        From :func:`fit`.
    X : numpy.ndarray
        (n_cells, d) cell vectors.

    Returns
    -------
    numpy.ndarray
        (n_cells, hidden) float32, not negative.
    """
    scaler, network = model[0], model[-1]
    inner = scaler.transform(np.asarray(X, dtype=np.float32)) @ network.coefs_[0]
    return np.maximum(inner + network.intercepts_[0], 0).astype(np.float32)
