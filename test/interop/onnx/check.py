"""Looks at the ONNX files that check.mjs lists: onnx.checker, then the logits that ONNX Runtime gives beside those of the package."""

import json
import sys

import numpy as np
import onnx
import onnxruntime


def logits_of(case: dict, batch: int) -> np.ndarray:
    onnx.checker.check_model(case["onnx"], full_check=True)
    session = onnxruntime.InferenceSession(case["onnx"], providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    pixels = np.fromfile(case["pixels"], np.uint8).reshape(case["shape"])
    if given.type == "tensor(float)":
        pixels = pixels.astype(np.float32)
    return np.concatenate([session.run(None, {given.name: pixels[i : i + batch]})[0] for i in range(0, len(pixels), batch)])


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def main() -> None:
    with open(sys.argv[1], encoding="utf8") as file:
        listed = json.load(file)
    parity, predictions = [], []
    for case in listed["cases"]:
        got = logits_of(case, case["shape"][0])
        want = np.fromfile(case["logits"], np.float32).reshape(got.shape)
        if case["options"].get("softmax"):
            want = softmax(want)
        parity.append({"difference": float(np.abs(got - want).max())})
    for test in listed["tests"]:
        got = logits_of(test, 64)
        want = np.fromfile(test["logits"], np.float32).reshape(got.shape)
        equal = int((got.argmax(1) == want.argmax(1)).sum())
        difference = float(np.abs(got - want).max())
        predictions.append({"model": test["model"], "options": test["options"], "equal": equal, "n": len(got), "difference": difference})
    print(json.dumps({"parity": parity, "predictions": predictions}))


main()
