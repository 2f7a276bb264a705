#!/usr/bin/env python3
"""The PyTorch side of bench/din-speed.sh: DIN in the form of Amalgam's `din`, trained on MovieLens-1M with 4 negatives for each click (Adam, binary cross-entropy), on two threads or one.

Usage: din_torch.py FILE rows|groups BATCH [STEPS [THREADS]]
FILE is recommendation/ml-1m-ge3-sequences.txt.gz. `rows`: a sample is a history with one item, as public code has it, so a history is encoded once for each of its 5 items; BATCH counts
them. `groups`: a sample is a history with its 5 items, which share the encoded history, as in Amalgam; BATCH counts histories.
Prints items scored per second: of training steps whose data lies ready, and of steps that draw their negatives and gather their histories.
On one thread the time is the processor's. The first 300 steps are not timed, as in Amalgam's program.
"""
import gzip
import math
import os
import statistics
import sys
import time

THREADS = int(sys.argv[5]) if len(sys.argv) > 5 else 2
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(THREADS)

import numpy
import torch
from torch import nn
from torch.nn import functional as F

LENGTH, SIZE, NEGATIVES, WARM_UP = 30, 32, 4, 300


class Din(nn.Module):
    def __init__(self, items):
        super().__init__()
        self.item_embedding = nn.Embedding(items, SIZE)
        self.target_layer, self.history_layer = nn.Linear(SIZE, SIZE), nn.Linear(SIZE, SIZE)
        self.target_key, self.item_key, self.item_value = (nn.Linear(SIZE, SIZE, bias=False) for _ in range(3))
        self.head = nn.Sequential(nn.Linear(2 * SIZE, 4 * SIZE), nn.Tanh(), nn.Linear(4 * SIZE, 2 * SIZE), nn.Tanh(), nn.Linear(2 * SIZE, 1))
        for name, parameter in self.named_parameters():
            nn.init.zeros_(parameter) if name.endswith("bias") else nn.init.xavier_uniform_(parameter)

    def forward(self, items, target):
        wanted = torch.tanh(self.target_layer(self.item_embedding(target)))
        clicks = torch.tanh(self.history_layer(self.item_embedding(items)))
        scores = self.target_key(wanted) @ self.item_key(clicks).transpose(1, 2) / math.sqrt(SIZE)
        share = scores.masked_fill((items == 0).unsqueeze(1), -10000.0).softmax(-1)
        return self.head(torch.cat([wanted, share @ self.item_value(clicks)], -1)).squeeze(-1)


class Clicks:
    """All training clicks: of each user all but the first and the last two. Everything is drawn and gathered for a whole batch at once."""

    def __init__(self, path):
        with gzip.open(path, "rt") as file:
            users = [[int(word) + 1 for word in line.split()[1:]] for line in file]
        self.items = max(map(max, users)) + 1
        self.own = numpy.zeros((len(users), self.items), bool)
        self.own[:, 0] = True
        flat, user_of, at = [], [], []
        for user, items in enumerate(users):
            self.own[user, items] = True
            flat += [0] * LENGTH
            at += range(len(flat) + 1, len(flat) + len(items) - 2)
            user_of += [user] * (len(items) - 3)
            flat += items
        self.flat, self.user_of, self.at = (numpy.array(x, numpy.int64) for x in (flat, user_of, at))
        self.random = numpy.random.default_rng(1)

    def __len__(self):
        return len(self.at)

    def histories(self, at):
        return self.flat[at[:, None] + numpy.arange(-LENGTH, 0)]

    def negatives(self, user, count):
        """Items that each user has never clicked."""
        drawn = self.random.integers(1, self.items, (len(user), count))
        while (clash := self.own[user[:, None], drawn]).any():
            drawn[clash] = self.random.integers(1, self.items, clash.sum())
        return drawn

    def groups(self, chosen):
        """Histories [G,30], items [G,5], the clicked one first, and labels."""
        user, at = self.user_of[chosen], self.at[chosen]
        target = numpy.concatenate([self.flat[at][:, None], self.negatives(user, NEGATIVES)], 1)
        label = numpy.zeros(target.shape, numpy.float32)
        label[:, 0] = 1
        return self.histories(at), target, label

    def rows(self, chosen):
        """Histories [B,30], items [B,1] and labels."""
        user, at = self.user_of[chosen // (1 + NEGATIVES)], self.at[chosen // (1 + NEGATIVES)]
        label = (chosen % (1 + NEGATIVES) == 0)[:, None]
        target = numpy.where(label, self.flat[at][:, None], self.negatives(user, 1))
        return self.histories(at), target, label.astype(numpy.float32)

    def batches(self, form, size):
        """Batch after batch in a random order, as tensors."""
        read, count = (self.groups, len(self)) if form == "groups" else (self.rows, len(self) * (1 + NEGATIVES))
        order = self.random.permutation(count)
        for first in range(0, count, size):
            yield tuple(map(torch.from_numpy, read(order[first:first + size])))


def measure(model, optimizer, batches, steps):
    """Median items per second of steps: without and with what it takes to get their batches."""
    now = time.process_time if THREADS == 1 else time.perf_counter
    ready, drawing, batches = [], [], endless(batches)
    for _ in range(WARM_UP + steps):
        start = now()
        items, target, label = next(batches)
        filled = now()
        optimizer.zero_grad(set_to_none=True)
        F.binary_cross_entropy_with_logits(model(items, target), label).backward()
        optimizer.step()
        end = now()
        ready.append(target.numel() / (end - filled))
        drawing.append(target.numel() / (end - start))
    return statistics.median(ready[WARM_UP:]), statistics.median(drawing[WARM_UP:])


def endless(batches):
    """Epoch after epoch."""
    while True:
        yield from batches()


def main():
    clicks, form, size = Clicks(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    steps = int(sys.argv[4]) if len(sys.argv) > 4 else 200
    torch.set_num_threads(THREADS)
    torch.manual_seed(1)
    model = Din(clicks.items)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    print("{:.0f} {:.0f}".format(*measure(model, optimizer, lambda: clicks.batches(form, size), steps)))


main()
