"""Inference of Mini_Xception in PyTorch, milliseconds an image, one line of JSON a batch size."""
import torch
from contender import arguments, check, images, measure, network

a = arguments("--channels-last", "--compile", "--bf16")
torch._inductor.config.freezing = True  # weights as constants, packed and joined with batch norms when compiled: its faster way
for batch in a.batches:
    net = network(a.width).eval()
    x = torch.from_numpy(images(batch))
    if a.channels_last:
        net, x = net.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    model = torch.compile(net, dynamic=False) if a.compile else net

    def infer():
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=a.bf16):
            return model(x)

    check(net, images(batch), infer().float(), 0.1 if a.bf16 else 1e-4)
    measure(f"PyTorch {torch.__version__}", batch, infer, a.seconds, images=batch)
