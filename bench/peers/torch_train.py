"""Training steps of Mini_Xception in PyTorch, milliseconds a step, one line of JSON a batch size."""
import torch
import torch.nn.functional as F
from contender import arguments, images, measure, network

a = arguments("--channels-last", "--compile", "--bf16")
for batch in a.batches:
    net = network(a.width).train()
    x, y = torch.from_numpy(images(batch)), torch.arange(batch) % 7
    if a.channels_last:
        net, x = net.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9)
    model = torch.compile(net, dynamic=False) if a.compile else net

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=a.bf16):
            loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()

    measure(f"PyTorch {torch.__version__}", batch, step, a.seconds)
