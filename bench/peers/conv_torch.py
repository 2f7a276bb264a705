#!/usr/bin/python3
"""The convolutions of `Amalgam.Benchmarks conv` in PyTorch: forward, gradient by input, gradient by weight, in microseconds. Usage: conv_torch.py [images] [threads]"""
import sys
import time

import torch

LAYERS = [
    ("3>16 3x3 32", 1, 3, 32, 16, 3, 1, 1), ("16>16 3x3 32", 6, 16, 32, 16, 3, 1, 1), ("16>32 3x3/2 32", 1, 16, 32, 32, 3, 2, 1),
    ("16>32 1x1/2 32", 1, 16, 32, 32, 1, 2, 1), ("32>32 3x3 16", 5, 32, 16, 32, 3, 1, 1), ("32>64 3x3/2 16", 1, 32, 16, 64, 3, 2, 1),
    ("32>64 1x1/2 16", 1, 32, 16, 64, 1, 2, 1), ("64>64 3x3 8", 5, 64, 8, 64, 3, 1, 1),
    ("64>64 3x3 32", 0, 64, 32, 64, 3, 1, 1), ("128>128 3x3 16", 0, 128, 16, 128, 3, 1, 1), ("256>256 3x3 8", 0, 256, 8, 256, 3, 1, 1),
    ("512>512 3x3 4", 0, 512, 4, 512, 3, 1, 1), ("512>512 3x3 2", 0, 512, 2, 512, 3, 1, 1), ("32>192 1x1 16", 0, 32, 16, 192, 1, 1, 1),
    ("192>32 1x1 16", 0, 192, 16, 32, 1, 1, 1), ("192 dw 3x3 16", 0, 192, 16, 192, 3, 1, 192), ("192 dw 3x3/2 16", 0, 192, 16, 192, 3, 2, 192),
]


def best(action):
    action()
    times = []
    for _ in range(8):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return 1e6 * min(times)


def main(images=128, threads=2):
    torch.set_num_threads(threads)
    total = 0
    print(f"{'layer':16} {'forward':>9} {'by input':>9} {'by weight':>9}")
    for name, times, channels, size, filters, kernel, stride, groups in LAYERS:
        x = torch.randn(images, channels, size, size)
        w = torch.randn(filters, channels // groups, kernel, kernel)
        args = ([stride, stride], [kernel // 2, kernel // 2], [1, 1])
        y = torch.ops.aten.convolution(x, w, None, *args, False, [0, 0], groups)
        dy = torch.randn_like(y)

        def backward(*mask):
            return torch.ops.aten.convolution_backward(dy, x, w, [0], *args, False, [0, 0], groups, mask)

        forward = best(lambda: torch.ops.aten.convolution(x, w, None, *args, False, [0, 0], groups))
        by_input = best(lambda: backward(True, False, False))
        by_weight = best(lambda: backward(False, True, False))
        print(f"{name:16} {forward:9.0f} {by_input:9.0f} {by_weight:9.0f}", flush=True)
        total += times * (forward + by_weight + (by_input if channels != 3 else 0))
    print(f"ResNet-20's convolutions, forward and backward: {total / 1000:.1f} ms for {images} images")


main(*map(int, sys.argv[1:3]))
