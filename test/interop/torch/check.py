"""Loads each model by the example's module, says its logits, and saves it in the ways that people do."""

import json
import pathlib
import sys

import numpy as np
import torch
from safetensors.torch import save_file

sys.path.insert(0, str(pathlib.Path(__file__).parents[3] / "examples" / "pytorch"))
import mini_xception  # noqa: E402

TUNED = 16


def tensors_of(model: torch.nn.Module, change=lambda tensor: tensor) -> dict[str, torch.Tensor]:
    return {name: change(tensor.detach().clone()) for name, tensor in model.state_dict().items()}


@torch.no_grad()
def logits_of(model: torch.nn.Module, pixels: torch.Tensor) -> np.ndarray:
    return torch.cat([model(batch) for batch in pixels.split(256)]).numpy()


def main() -> None:
    torch.manual_seed(0)
    with open(sys.argv[1], encoding="utf8") as file:
        cases = json.load(file)
    found = []
    for case in cases:
        model = mini_xception.load(case["model"])
        pixels = torch.from_numpy(np.fromfile(case["pixels"], np.uint8).reshape(case["shape"]))
        got = logits_of(model, pixels)
        want = np.fromfile(case["logits"], np.float32).reshape(got.shape)
        # As the example does it; a bare state dict with its counters, of a module in another; the same in half precision.
        mini_xception.save(model, case["back"])
        save_file(tensors_of(torch.nn.ModuleDict({"net": model})), case["state"])
        save_file(tensors_of(model, lambda tensor: tensor.half() if tensor.is_floating_point() else tensor), case["half"])

        model.train()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        labels = torch.arange(TUNED) % got.shape[1]
        torch.nn.functional.cross_entropy(model(pixels[:TUNED]), labels).backward()
        optimizer.step()
        model.eval()
        mini_xception.save(model, case["tuned"], "tuned in PyTorch")
        found.append(
            {
                "difference": float(np.abs(got - want).max()),
                "equal": int((got.argmax(1) == want.argmax(1)).sum()),
                "tunedLogits": logits_of(model, pixels[:TUNED]).ravel().tolist(),
            }
        )
    print(json.dumps({"version": torch.__version__, "found": found}))


main()
