"""The steps of steps.mjs in PyTorch: SGD with momentum 0.9 in float32. Prints one JSON line. Needs torch, numpy.

  python scripts/gpu/steps.py <folder with weights.safetensors, images.u8, labels.u8> --width narrow --batch 40 --rate 0.01 --steps 200 --device cuda
"""
import argparse
import json
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "fixtures"))
from network import NARROW, WIDE, Net, tensors  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("--width", choices=["narrow", "wide"], required=True)
parser.add_argument("--batch", type=int, required=True)
parser.add_argument("--rate", type=float, required=True)
parser.add_argument("--steps", type=int, required=True)
parser.add_argument("--device", required=True)
a = parser.parse_args()
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False

net = Net(NARROW if a.width == "narrow" else WIDE)
blob = (a.folder / "weights.safetensors").read_bytes()
length = int.from_bytes(blob[:8], "little")
header = json.loads(blob[8 : 8 + length])
for name, tensor in tensors(net):
    begin, end = header[name]["data_offsets"]
    values = np.frombuffer(blob, np.float32, (end - begin) // 4, 8 + length + begin)
    tensor.data.copy_(torch.from_numpy(values.reshape(tuple(tensor.shape)).copy()))
net.to(a.device)
images = np.fromfile(a.folder / "images.u8", np.uint8).reshape(a.steps, a.batch, 1, 48, 48)
labels = np.fromfile(a.folder / "labels.u8", np.uint8).reshape(a.steps, a.batch)
optimizer = torch.optim.SGD(net.parameters(), a.rate, momentum=0.9)
losses = []
for x, y in zip(images, labels):
    x = torch.from_numpy(x).to(a.device).float() / 127.5 - 1
    optimizer.zero_grad(set_to_none=True)
    loss = F.cross_entropy(net(x), torch.from_numpy(y.astype(np.int64)).to(a.device))
    loss.backward()
    optimizer.step()
    losses.append(loss.detach())
print(json.dumps({"version": torch.__version__, "losses": torch.stack(losses).tolist()}))
