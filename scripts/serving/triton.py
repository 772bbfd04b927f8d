"""Asks a running server through Triton's own client, which knows nothing of this package. Usage: triton.py <host:port> <picture>"""

import json
import sys

import numpy as np
import tritonclient.http as triton

client = triton.InferenceServerClient(sys.argv[1])
assert client.is_server_live() and client.is_server_ready()
assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
assert client.is_model_ready("narrow")
metadata = client.get_model_metadata("narrow")
size = metadata["inputs"][0]["shape"][1]


def asked(name, values, datatype, binary, **outputs):
    tensor = triton.InferInput(name, list(values.shape), datatype)
    tensor.set_data_from_numpy(values, binary_data=binary)
    wanted = [triton.InferRequestedOutput(each, binary_data=binary) for each in outputs.get("outputs", ())] or None
    return client.infer("narrow", [tensor], outputs=wanted, request_id="1")


rng = np.random.default_rng(0)
pixels = rng.integers(0, 256, (5, size, size), dtype=np.uint8)
answers = []
for values, datatype in [(pixels, "UINT8"), (pixels.astype(np.float32), "FP32")]:
    for binary in (True, False):
        answers.append(asked("pixels", values, datatype, binary, outputs=["logits", "label", "probabilities"]))
for answer in answers:
    logits, probabilities = answer.as_numpy("logits"), answer.as_numpy("probabilities")
    assert logits.shape == probabilities.shape == (5, 7)
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    assert np.abs(exponents / exponents.sum(axis=1, keepdims=True) - probabilities).max() < 1e-6
    assert np.abs(logits - answers[0].as_numpy("logits")).max() < 1e-6
assert asked("pixels", pixels, "UINT8", True).as_numpy("logits").shape == (5, 7)

with open(sys.argv[2], "rb") as file:
    picture = np.array([file.read()], dtype=np.object_)
label = asked("image", picture, "BYTES", True, outputs=["label"]).as_numpy("label")
try:
    asked("image", np.array([b"/etc/passwd"], dtype=np.object_), "BYTES", True)
    raise SystemExit("a path was taken for a picture")
except triton.InferenceServerException as error:
    refused = str(error)
print(json.dumps({"answers": len(answers) + 2, "label": label[0].decode(), "refused": refused}))
