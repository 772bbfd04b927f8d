"""Inference of Mini_Xception in ONNX Runtime, milliseconds an image, one line of JSON a batch size. Its CPU kernels know no bf16."""
import onnxruntime as ort
from contender import arguments, check, images, measure, network
from onnx_model import onnx_model

a = arguments()
options = ort.SessionOptions()
options.intra_op_num_threads = a.threads
for batch in a.batches:
    net, x = network(a.width), images(batch)
    session = ort.InferenceSession(onnx_model(net, batch), options, providers=["CPUExecutionProvider"])
    check(net, x, session.run(None, {"x": x})[0], 1e-4)
    measure(f"ONNX Runtime {ort.__version__}", batch, lambda: session.run(None, {"x": x}), a.seconds, images=batch)
