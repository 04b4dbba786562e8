"""Tests of examples/python, with the shared library BYHAND_LIBRARY."""
import os
import pathlib
import subprocess
import sys
import unittest

import numpy as np

EXAMPLES = pathlib.Path(__file__).resolve().parents[3] / "examples" / "python"
sys.path.insert(0, str(EXAMPLES))

import byhand  # noqa: E402
from random_rounding import RandomlyRounded, randomly_rounded  # noqa: E402


def softmax(x):
    exponents = np.exp(x - x.max(1, keepdims=True))
    return exponents / exponents.sum(1, keepdims=True)


class Checks(unittest.TestCase):
    def test_layernorm(self):
        done = subprocess.run([sys.executable, EXAMPLES / "layernorm.py"], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"(?s)^layernorm is right: 142 trials.* 65 and 2053 for 27\nlayernorm, ε outside is wrong\n  y\[")

    def test_no_library(self):
        done = subprocess.run([sys.executable, EXAMPLES / "layernorm.py"], env={**os.environ, "BYHAND_LIBRARY": "nowhere/libbyhand.so"},
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("BYHAND_LIBRARY: nowhere/libbyhand.so: cannot open shared object file", done.stderr)
        self.assertIn("export BYHAND_LIBRARY=$(scripts/build byhand_shared)/modules/library/libbyhand.so\n", done.stderr)

    def test_matches(self):
        x = np.random.default_rng(1).standard_normal((7, 27)).astype(np.float32)
        y = softmax(x)
        self.assertTrue(byhand.matches("y", y, softmax, x).agrees)
        self.assertTrue(byhand.matches("y", softmax(x.astype(float)), softmax, x).agrees)
        y[3, 5] *= np.float32(1.0001)
        wrong = byhand.matches("y", y, softmax, x)
        self.assertFalse(wrong.agrees)
        self.assertIn("y is wrong\n  y[3, 5]: yours ", wrong.text())

    def test_inputs_of_several_shapes(self):
        def product(y, a, b):  # in the order of another loop
            y[...] = 0
            for k in range(a.shape[1]):
                y += a[:, k:k + 1] * b[k]

        shapes = [[(1, 1), (1, 1)], [(7, 27), (27, 5)], [(3, 101), (101, 11)]]
        self.assertTrue(byhand.check("product", product, np.matmul, shapes).agrees)
        self.assertTrue(byhand.check("linear", lambda y, x: np.copyto(y, 3 * x + 1), lambda x: 3 * x + 1, [[()]]).agrees)

    def test_faults_of_kernels(self):
        def overwrites(y, x):
            x[...] = 0

        self.assertIn("overwrites x", byhand.check("bad", overwrites, softmax, [[(3, 5)]]).text())
        self.assertIn("y[0, 0]: unwritten", byhand.check("bad", lambda y, x: None, softmax, [[(3, 5)]]).text())

    def test_gradcheck(self):
        x = [0.3, -1.2, 2.5]
        self.assertTrue(byhand.gradcheck("cubes", lambda x: ((x**3).sum(), 3 * x**2), x).agrees)
        self.assertIn("cubes is wrong\n  gradient[", byhand.gradcheck("cubes", lambda x: ((x**3).sum(), 3 * x), x).text())

    def test_errors(self):
        with self.assertRaises(ZeroDivisionError):
            byhand.matches("y", np.ones(3), lambda: 1 / 0)
        with self.assertRaises(ZeroDivisionError):
            byhand.gradcheck("f", lambda x: 1 / 0, [1])

    def test_gradcheck_refuses_a_gradient_of_another_shape(self):
        for slopes in 2.0, [2.0], [[2.0, 2.0, 2.0, 2.0]]:
            with self.assertRaisesRegex(ValueError, r"f: f returns a gradient of shape .*, but x has shape \(4,\)"):
                byhand.gradcheck("f", lambda x: (2 * x.sum(), slopes), [1, 2, 3, 4])

    def test_gradcheck_takes_an_accuracy(self):
        def f(x):
            return np.log(np.cosh(x)).sum() * (1 + 1e-9 * np.sin(1e7 * x.sum())), np.tanh(x)
        self.assertFalse(byhand.gradcheck("f", f, [0.7, -1.3, 2.1]).agrees)
        self.assertTrue(byhand.gradcheck("f", f, [0.7, -1.3, 2.1], accuracy=1e-9).agrees)
        with self.assertRaisesRegex(ValueError, "unknown dtype"):
            byhand.matches("y", np.arange(3), lambda: np.ones(3))
        with self.assertRaisesRegex(ValueError, "shapes: "):
            byhand.check("k", softmax, softmax, [[(3, 5)], [(3, 5), (5,)]])


class RoundsAtRandom(unittest.TestCase):
    """Of each operation, by how much its results move: the root mean square, in units in the last place."""

    def moves(self, operation, *inputs):
        right = operation(*(np.array(x, np.float64) for x in inputs))
        errors = []
        for _ in range(200):
            result = operation(*(randomly_rounded(np.array(x)) for x in inputs))
            self.assertIsInstance(result, RandomlyRounded)
            self.assertEqual(result.dtype, np.float32)
            errors.append((np.asarray(result, np.float64) - right) / right * 2**23)
        return np.sqrt(np.mean(np.square(errors)))

    def test_moves(self):
        ones, wide = np.ones((3, 5)), np.ones((3, 400))
        for name, operation, inputs, least, most in [
                ("copies", lambda x: np.concatenate([x, -x])[:, 0], [ones], 0, 0),
                ("maximum", lambda x: np.maximum(x, 0.5).max(1), [ones], 0, 0),
                ("product", lambda x, y: x * y, [ones, ones], 0.9, 1.1),
                ("in place", lambda x, y: np.add(x, y, out=x), [ones, ones], 0.9, 1.1),
                ("log", np.log, [1.125 * ones], 6, 9),  # its input moves as well
                ("elements", lambda x: x[0, 0] * x[1, 1], [ones], 0.8, 1.2),
                ("sum", lambda x: x.sum(1), [wide], 9, 12),  # √400/2
                ("sum of all", np.sum, [wide], 15, 20),  # √1200/2
                ("mean", lambda x: np.mean(x, axis=1), [wide], 9, 12),
                ("matmul", lambda x, y: x @ y.T, [wide, wide], 9, 12),
                ("dot", lambda x, y: x.dot(y.T), [wide, wide], 9, 12),
                ("einsum", lambda x, y: np.einsum("ij,kj->ik", x, y), [wide, wide], 9, 12),
                ("norm", lambda x: np.linalg.norm(x, axis=1), [wide], 9, 12)]:
            with self.subTest(name):
                self.assertTrue(least <= self.moves(operation, *inputs) <= most, self.moves(operation, *inputs))


if __name__ == "__main__":
    unittest.main()
