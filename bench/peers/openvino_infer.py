"""Inference of Mini_Xception in OpenVINO, milliseconds an image, one line of JSON a batch size.

The hint LATENCY sets all threads to work on one request, which is what is measured, whatever its batch.
"""
import sys

import openvino as ov
from contender import arguments, check, images, measure, network
from onnx_model import onnx_model

a = arguments("--bf16")
core = ov.Core()
if a.bf16 and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
    sys.exit("OpenVINO has no bf16 on this processor")  # it would compute in f32 and not say so
properties = {"INFERENCE_PRECISION_HINT": "bf16" if a.bf16 else "f32", "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": a.threads}
for batch in a.batches:
    net, x = network(a.width), images(batch)
    request = core.compile_model(core.read_model(onnx_model(net, batch)), "CPU", properties).create_infer_request()
    check(net, x, request.infer([x])[0], 0.1 if a.bf16 else 1e-4)
    measure(f"OpenVINO {ov.__version__.split('-')[0]}", batch, lambda: request.infer([x], share_inputs=True), a.seconds, images=batch)
