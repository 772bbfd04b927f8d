"""One training step of Mini_Xception in PyTorch: milliseconds, one JSON line. Needs torch.

  python bench/peers/torch_train.py --width narrow --batch 40 [--channels-last] [--threads 2]
"""
import argparse
import json
import pathlib
import sys
import time

import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "scripts" / "fixtures"))
from network import NARROW, WIDE, Net  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("--width", choices=["narrow", "wide"], default="narrow")
parser.add_argument("--batch", type=int, default=40)
parser.add_argument("--seconds", type=float, default=8)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--channels-last", action="store_true")
a = parser.parse_args()
torch.set_num_threads(a.threads)
torch.manual_seed(0)
net = Net(NARROW if a.width == "narrow" else WIDE)
x, y = torch.rand(a.batch, 1, 48, 48) * 2 - 1, torch.randint(0, 7, (a.batch,))
if a.channels_last:
    net, x = net.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
optimizer = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9)


def step():
    optimizer.zero_grad(set_to_none=True)
    F.cross_entropy(net(x), y).backward()
    optimizer.step()


for _ in range(3):
    step()
times, end = [], time.perf_counter() + a.seconds
while time.perf_counter() < end:
    start = time.perf_counter()
    step()
    times.append(time.perf_counter() - start)
times.sort()
print(json.dumps({"peer": f"PyTorch {torch.__version__}", "channelsLast": a.channels_last, "milliseconds": 1000 * times[len(times) // 2], "fastest": 1000 * times[0], "steps": len(times)}))
