"""Writes the reference magnitudes of the analogue prototypes, by scipy.signal.

    python3 analogue.py

`eq.csv`: RBJ's prototypes (Audio EQ Cookbook) by scipy.signal.freqs. `filter.csv`: Butterworth
filters by scipy.signal.butter(analog=True). One row a case, one column a frequency in Hz, in dB.
"""

import csv
import itertools

import numpy as np
from scipy import signal

EQ_HZ = [10, 20, 35, 60, 100, 170, 300, 500, 800, 1000, 1300, 1700, 2200, 2900, 3800, 5000, 6000,
         7000, 8000, 9000, 10000]
# Below this the response is below the noise of f32.
FLOOR_DB = -110.0


def prototype(kind, gain_db, q):
    a = 10 ** (gain_db / 40)
    r = np.sqrt(a)
    return {
        "bell": ([1, a / q, 1], [1, 1 / (a * q), 1]),
        "low shelf": ([a, a * r / q, a * a], [a, r / q, 1]),
        "high shelf": ([a * a, a * r / q, a], [1, r / q, a]),
        "notch": ([1, 0, 1], [1, 1 / q, 1]),
        "high-pass": ([1, 0, 0], [1, 1 / q, 1]),
        "low-pass": ([1], [1, 1 / q, 1]),
    }[kind]


def magnitudes_db(b, a, corner_hz, hz):
    _, h = signal.freqs(b, a, worN=np.array(hz) / corner_hz)
    return 20 * np.log10(np.maximum(np.abs(h), 1e-12))


def write(name, head, hz, rows):
    with open(name, "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(head + hz)
        for case, db in rows:
            out.writerow(case + [f"{x:.3f}" for x in np.maximum(db, FLOOR_DB - 20)])


def eq_cases():
    for kind in ["bell", "low shelf", "high shelf"]:
        for freq, gain, q in itertools.product(
            [80, 1000, 5000, 9000, 13000, 20000], [-24, -9, 3, 24], [0.1, 0.7071, 3]
        ):
            yield kind, freq, gain, q
        for freq, gain in itertools.product([1000, 7000, 12000, 22000], [-18, 12, 24]):
            yield kind, freq, gain, 40
    for kind in ["notch", "high-pass", "low-pass"]:
        for freq, q in itertools.product([40, 700, 4000, 9500, 15000, 20000, 22000], [0.1, 0.7071, 5]):
            yield kind, freq, 0, q
        for freq in [1000, 6800, 20000]:
            yield kind, freq, 0, 40


def eq_rows():
    for kind, freq, gain, q in eq_cases():
        b, a = prototype(kind, gain, q)
        yield [kind, freq, gain, q], magnitudes_db(b, a, freq, EQ_HZ)


def filter_rows():
    for kind in ["highpass", "lowpass"]:
        for order, freq in itertools.product(range(1, 9), [10, 40, 300, 1000, 5000, 10000, 15000, 20000]):
            b, a = signal.butter(order, 1, kind, analog=True)
            yield [kind, order, freq], magnitudes_db(b, a, freq, EQ_HZ)


write("eq.csv", ["type", "freq_hz", "gain_db", "q"], EQ_HZ, eq_rows())
write("filter.csv", ["side", "order", "freq_hz"], EQ_HZ, filter_rows())
