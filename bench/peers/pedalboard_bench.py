"""Measures pedalboard (JUCE's effects), one case and one repeat at a time, when told to.

Reads lines on standard input: `run CASE` runs one repeat of a case and answers `ok`; `report`
answers with one line of JSON and ends. So a driver can take turns between this and another
program on the same machine.

One repeat is the whole signal in calls of half a second, the first second of them for warm-up.
The time kept for a call is the minimum over all repeats of the call with the same number.
"""

import argparse
import json
import sys
import time

import numpy as np
import pedalboard as pb

RATE_HZ = 48_000
CALL_FRAMES = RATE_HZ // 2
WARM_UP_CALLS = 2


def eq():
    return [
        pb.LowShelfFilter(80, 3, 0.707),
        pb.PeakFilter(150, -2, 1.0),
        pb.PeakFilter(400, 2, 1.4),
        pb.PeakFilter(1000, -3, 2.0),
        pb.PeakFilter(2500, 1.5, 1.0),
        pb.PeakFilter(5000, -2, 1.4),
        pb.PeakFilter(8000, 2, 1.0),
        pb.HighShelfFilter(12000, 3, 0.707),
    ]


def cases():
    """The boards by name; the names are those that the driver asks for."""
    return {
        "empty": [],
        "gain": [pb.Gain(-6.0)],
        "highpass-6": [pb.HighpassFilter(80.0)],
        "highpass-12": [pb.HighpassFilter(80.0)],  # there is no steeper one
        "eq": eq(),
        "compressor": [pb.Compressor(-20.0, 4.0, 5.0, 100.0)],
        "delay": [pb.Delay(0.5, 0.4, 0.5)],
    }


class Case:
    def __init__(self, plugins, signal, block_frames):
        self.board = pb.Pedalboard(plugins)
        self.block_frames = block_frames
        self.calls = [
            np.ascontiguousarray(signal[:, at : at + CALL_FRAMES])
            for at in range(0, signal.shape[1], CALL_FRAMES)
        ]
        self.best_ns = [float("inf")] * len(self.calls)
        self.output = [None] * len(self.calls)

    def run(self):
        clock = time.perf_counter_ns
        for i, call in enumerate(self.calls):
            start = clock()
            out = self.board(call, RATE_HZ, buffer_size=self.block_frames, reset=False)
            self.best_ns[i] = min(self.best_ns[i], clock() - start)
            self.output[i] = out

    def report(self):
        counted = slice(WARM_UP_CALLS, None)
        source = np.concatenate(self.calls[counted], axis=1).astype(np.float64)
        output = np.concatenate(self.output[counted], axis=1).astype(np.float64)
        frames = source.shape[1]
        return {
            "ns_per_frame": sum(self.best_ns[counted]) / frames,
            "output_rms_dbfs": rms_dbfs(output),
            "difference_rms_dbfs": rms_dbfs(output - source),
        }


def rms_dbfs(samples):
    return 10 * float(np.log10(max(np.mean(samples**2), 1e-20)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--signal", required=True, help="raw little-endian f32, left then right")
    parser.add_argument("--block", type=int, default=128, help="frames that the peer works in")
    arguments = parser.parse_args()

    signal = np.fromfile(arguments.signal, dtype="<f4").reshape(2, -1)
    running = {name: Case(board, signal, arguments.block) for name, board in cases().items()}
    for line in sys.stdin:
        words = line.split()
        if words == ["report"]:
            print(json.dumps({name: case.report() for name, case in running.items()}), flush=True)
            return
        if len(words) != 2 or words[0] != "run" or words[1] not in running:
            sys.exit(f"expected `run CASE` or `report`, not {line!r}")
        running[words[1]].run()
        print("ok", flush=True)


if __name__ == "__main__":
    main()
