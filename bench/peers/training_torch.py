#!/usr/bin/env python3
"""The PyTorch side of bench/training-speed.sh: samples per second of a training step (SGD with momentum), on two threads.

Usage: training_torch.py resnet20|resnet20-w4|mlp|transformer [steps]
Prints one line a run: samples per second, the median step's.
"""
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(2)


class Block(nn.Module):
    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False), nn.BatchNorm2d(c_out)
        self.conv2, self.bn2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False), nn.BatchNorm2d(c_out)
        self.pad = (c_out - c_in) // 2 if stride != 1 or c_in != c_out else None

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.pad is not None:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.pad, self.pad))
        return F.relu(y + x)


class ResNet20(nn.Module):
    def __init__(self, width):
        super().__init__()
        c = 16 * width
        self.conv1, self.bn1 = nn.Conv2d(3, c, 3, 1, 1, bias=False), nn.BatchNorm2d(c)
        blocks, last = [], c
        for stage, size in enumerate([c, 2 * c, 4 * c]):
            for i in range(3):
                blocks.append(Block(last, size, 2 if stage > 0 and i == 0 else 1))
                last = size
        self.blocks, self.linear = nn.Sequential(*blocks), nn.Linear(4 * c, 10)

    def forward(self, x):
        return self.linear(self.blocks(F.relu(self.bn1(self.conv1(x)))).mean((2, 3)))


class Transformer(nn.Module):
    """Four pre-norm encoder layers of width 128, four heads, over 64 tokens of a vocabulary of 1000: amalgam's `bert` with the same sizes."""

    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(1000, 128), nn.Parameter(torch.zeros(64, 128))
        layer = nn.TransformerEncoderLayer(128, 4, 512, 0.0, "gelu", batch_first=True)
        self.layers, self.head = nn.TransformerEncoder(layer, 4), nn.Linear(128, 2)

    def forward(self, x):
        return self.head(self.layers(self.tokens(x) + self.positions)[:, 0])


def mlp():
    sizes = [784, 400, 200, 100]
    layers = [m for a, b in zip(sizes, sizes[1:]) for m in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers, nn.Linear(100, 10))


CASES = {
    "resnet20": (lambda: ResNet20(1), lambda: torch.randn(128, 3, 32, 32), 10, 12),
    "resnet20-w4": (lambda: ResNet20(4), lambda: torch.randn(128, 3, 32, 32), 10, 3),
    "mlp": (mlp, lambda: torch.randn(64, 784), 10, 300),
    "transformer": (Transformer, lambda: torch.randint(1000, (32, 64)), 2, 20),
}


def main():
    model, inputs, classes, steps = CASES[sys.argv[1]]
    steps = int(sys.argv[2]) if len(sys.argv) > 2 else steps
    torch.manual_seed(1)
    model, x = model(), inputs()
    labels = torch.randint(classes, (x.shape[0],))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    times = []
    for _ in range(steps + 2):
        start = time.perf_counter()
        optimizer.zero_grad()
        F.cross_entropy(model(x), labels).backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    print(f"{x.shape[0] / statistics.median(times[2:]):.1f}")


main()
