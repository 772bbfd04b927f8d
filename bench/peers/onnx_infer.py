"""Inference of Mini_Xception in ONNX Runtime: milliseconds an image, one JSON line a batch size. Needs torch, onnx, onnxruntime.

  python bench/peers/onnx_infer.py --width narrow [--threads 2] 1 64
"""
import argparse
import io
import json
import pathlib
import sys
import time

import numpy as np
import onnxruntime as ort
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "scripts" / "fixtures"))
from network import NARROW, WIDE, Net  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("--width", choices=["narrow", "wide"], default="narrow")
parser.add_argument("--seconds", type=float, default=4)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("batches", type=int, nargs="+")
a = parser.parse_args()
net = Net(NARROW if a.width == "narrow" else WIDE).eval()
file = io.BytesIO()
torch.onnx.export(net, torch.rand(1, 1, 48, 48), file, input_names=["x"], output_names=["y"], dynamic_axes={"x": {0: "n"}, "y": {0: "n"}}, dynamo=False)
options = ort.SessionOptions()
options.intra_op_num_threads = a.threads
session = ort.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])
for n in a.batches:
    x = np.random.rand(n, 1, 48, 48).astype(np.float32)
    for _ in range(5):
        session.run(None, {"x": x})
    times, end = [], time.perf_counter() + a.seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        session.run(None, {"x": x})
        times.append(time.perf_counter() - start)
    times.sort()
    print(json.dumps({"peer": f"ONNX Runtime {ort.__version__}", "batch": n, "milliseconds": 1000 * times[len(times) // 2] / n, "fastest": 1000 * times[0] / n}))
