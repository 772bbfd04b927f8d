"""What the peers' scripts share, so that all are given the same network and timed alike: arguments, network, clock, lines of JSON."""
import argparse
import json
import pathlib
import sys
import time

import numpy as np
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "scripts" / "fixtures"))
from network import NARROW, WIDE, Net  # noqa: E402


def arguments(*flags):
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--width", choices=["narrow", "wide"], default="narrow")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=2, help="how long each batch is measured")
    for flag in flags:
        parser.add_argument(flag, action="store_true")
    parser.add_argument("batches", type=int, nargs="+")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    return given


def network(width):
    torch.manual_seed(0)
    return Net(NARROW if width == "narrow" else WIDE)


def images(count):
    return np.random.default_rng(0).random((count, 1, 48, 48), np.float32) * 2 - 1


def check(net, x, logits, tolerance):
    """Stops a peer that computes another network than PyTorch's, in evaluation mode and float32."""
    with torch.inference_mode():
        expected = net.eval()(torch.from_numpy(x)).numpy()
    worst = np.abs(np.asarray(logits) - expected).max()
    if not worst <= tolerance * np.abs(expected).max():
        sys.exit(f"another network: its logits are {worst:.2g} from PyTorch's")


def measure(version, batch, once, seconds, images=1):
    """Calls `once` for `seconds` after warming up, at least three times; prints milliseconds (of one image, where so many are given)."""
    once()  # compiles, allocates
    end = time.perf_counter() + seconds / 4
    while time.perf_counter() < end:
        once()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        once()
        times.append(1000 * (time.perf_counter() - start) / images)
    times.sort()
    print(json.dumps({"version": version, "batch": batch, "milliseconds": times[len(times) // 2], "fastest": times[0]}), flush=True)
