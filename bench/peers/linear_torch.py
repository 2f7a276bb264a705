#!/usr/bin/python3
"""The same linear merge in PyTorch: read by slices from a memory map, widen, multiply-add, narrow, write. Usage: linear_torch.py A B OUT"""
import json
import mmap
import struct
import sys

import torch

SLICE = 1 << 20


def header(path):
    with open(path, "rb") as f:
        length = struct.unpack("<Q", f.read(8))[0]
        return 8 + length, json.loads(f.read(length))


def main(a, b, out):
    start_a, tensors = header(a)
    start_b, tensors_b = header(b)
    with open(a, "rb") as fa, open(b, "rb") as fb, open(out, "wb") as fo:
        fo.write(fa.read(start_a))
        ma = mmap.mmap(fa.fileno(), 0, access=mmap.ACCESS_COPY)
        mb = mmap.mmap(fb.fileno(), 0, access=mmap.ACCESS_COPY)
        for name, entry in tensors.items():
            if name == "__metadata__":
                continue
            begin, end = entry["data_offsets"]
            other = tensors_b[name]["data_offsets"][0]
            fo.seek(start_a + begin)
            count = (end - begin) // 2
            for first in range(0, count, SLICE):
                n = min(SLICE, count - first)
                x = torch.frombuffer(ma, dtype=torch.bfloat16, count=n, offset=start_a + begin + 2 * first)
                y = torch.frombuffer(mb, dtype=torch.bfloat16, count=n, offset=start_b + other + 2 * first)
                merged = x.float().mul_(0.5).add_(y.float(), alpha=0.5).to(torch.bfloat16)
                fo.write(merged.view(torch.int16).numpy().tobytes())


main(*sys.argv[1:4])
