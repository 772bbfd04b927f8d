"""Mini_Xception in PyTorch, with the tensor names of fer-cudnn: its .safetensors files load by name, and what this saves it reads back.

    model = load("model.safetensors")            # of fer-cudnn train, or of models/ in the package
    logits = model(pixels)                       # uint8 or float [batch, 1, size, size], 0..255
    save(model, "tuned.safetensors", "fine-tuned in PyTorch")      # fer-cudnn evaluate --model tuned.safetensors

Needs: pip install torch safetensors numpy. Prints what a model is:  python mini_xception.py model.safetensors
"""

import json
import sys

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

EPSILON = 1e-3  # Keras's, as in the reference network; PyTorch's own default is 1e-5


def norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=EPSILON)


def max_pool_same(x: torch.Tensor) -> torch.Tensor:
    """3x3, stride 2, padded as TensorFlow does: on even sizes on the right and below alone. PyTorch's padding=1 is another alignment."""
    pads = []
    for size in (x.shape[-1], x.shape[-2]):
        total = max((-(-size // 2) - 1) * 2 + 3 - size, 0)
        pads += [total // 2, total - total // 2]
    return functional.max_pool2d(functional.pad(x, pads, value=float("-inf")), 3, 2)


class Stem(nn.Module):
    def __init__(self, first: int, second: int):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, first, 3, bias=False), norm(first)
        self.conv2, self.bn2 = nn.Conv2d(first, second, 3, bias=False), norm(second)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.bn2(self.conv2(self.bn1(self.conv1(x)).relu())).relu()


class Separable(nn.Module):
    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.depthwise = nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False)
        self.pointwise = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.pointwise(self.depthwise(x))


class Residual(nn.Module):
    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.separable1, self.bn1 = Separable(inputs, outputs), norm(outputs)
        self.separable2, self.bn2 = Separable(outputs, outputs), norm(outputs)
        self.shortcut, self.shortcut_bn = nn.Conv2d(inputs, outputs, 1, stride=2, bias=False), norm(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        main = self.bn2(self.separable2(self.bn1(self.separable1(x)).relu()))
        return max_pool_same(main) + self.shortcut_bn(self.shortcut(x))


class MiniXception(nn.Module):
    """`stem`: two output channels; `modules`: those of each residual module. Pixels of 0..255 go in, logits come out."""

    def __init__(self, stem=(8, 8), modules=(16, 32, 64, 128), classes=7):
        super().__init__()
        self.stem = Stem(*stem)
        inputs = [stem[1], *modules]
        # nn.Module has a method of that name, so no attribute can have it.
        self._modules["modules"] = nn.ModuleList(Residual(a, b) for a, b in zip(inputs, modules))
        self.head = nn.Conv2d(modules[-1], classes, 3, padding=1)
        self.metadata: dict[str, str] = {}

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        x = self.stem(pixels.to(self.head.weight.dtype) / 127.5 - 1)
        for module in self._modules["modules"]:
            x = module(x)
        return self.head(x).mean((2, 3))


def load(path: str) -> MiniXception:
    """The network of a file that fer-cudnn wrote, in eval mode. What the file says beside the weights stays with it."""
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        network = json.loads(metadata["network"])
        model = MiniXception(network["width"]["stem"], network["width"]["modules"], len(network["classes"]))
        # strict=False for the counters of batches alone, which fer-cudnn does not keep; and for a checkpoint's optimiser state.
        missing, _ = model.load_state_dict({name: file.get_tensor(name) for name in file.keys()}, strict=False)
    lacking = [name for name in missing if not name.endswith("num_batches_tracked")]
    if lacking:
        raise ValueError(f"{path} lacks {', '.join(lacking)}")
    model.metadata = metadata
    return model.eval()


def save(model: MiniXception, path: str, source: str = "") -> None:
    """
    A file that fer-cudnn reads, with classes and input size as they were loaded. `source`, such as "fine-tuned in PyTorch", stands in it
    instead of the training that the weights were loaded with: for weights that are no longer those.
    """
    tensors = {name: tensor.detach().float().contiguous() for name, tensor in model.state_dict().items()}
    tensors = {name: tensor for name, tensor in tensors.items() if not name.endswith("num_batches_tracked")}
    metadata = dict(model.metadata)
    if source:
        metadata.pop("training", None)
        metadata["source"] = source
    save_file(tensors, path, metadata=metadata)


if __name__ == "__main__":
    loaded = load(sys.argv[1])
    print(json.loads(loaded.metadata["network"]))
    print(f"{sum(parameter.numel() for parameter in loaded.parameters()):,} parameters")
