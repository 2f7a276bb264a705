#!/usr/bin/env python3
"""MuDSC (and ZipIt!, alignment, averaging) of two ResNet-20, written plainly in PyTorch and NumPy: the other side of bench/mudsc-speed.sh, and a second opinion on its results.

Usage: mudsc_resnet20.py FOLDER CIFAR [--method METHOD] [--alpha A] [--images N] [--batch B] [--threads T] [--seed S]
FOLDER holds a.safetensors, b.safetensors, class_vectors.safetensors and info.json; CIFAR data_batch_1.bin.gz and test_batch.bin.gz.
METHOD: average, weight-align, activation-align, mudsc-align, zipit, weight-zip, mudsc-zip (default).
Prints a line for each phase (name and seconds), sweep and result. Groups are written out by hand, as in the authors' specification; similarities are Pearson's, zipping has a = .5 and b = 1.
"""
import argparse
import gzip
import json
import struct
import time

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import nn
from torch.nn import functional as F

PATIENCE, MOST_SWEEPS, ZIP_ALPHA, ZIP_BETA = 5, 100, 0.5, 1.0


# The network.

class Block(nn.Module):
    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False), nn.BatchNorm2d(c_out)
        self.conv2, self.bn2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False), nn.BatchNorm2d(c_out)
        self.shortcut = nn.Sequential()
        if stride != 1 or c_in != c_out:
            self.shortcut = nn.Sequential(nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False), nn.BatchNorm2d(c_out))

    def forward(self, x, taps, name):
        inner = F.relu(self.bn1(self.conv1(x)))
        if taps is not None:
            taps[name] = inner
        return F.relu(self.bn2(self.conv2(inner)) + self.shortcut(x))


class ResNet20(nn.Module):
    def __init__(self, width, embedding):
        super().__init__()
        c = 16 * width
        self.conv1, self.bn1 = nn.Conv2d(3, c, 3, 1, 1, bias=False), nn.BatchNorm2d(c)
        self.layer1 = nn.Sequential(*[Block(c, c, 1) for _ in range(3)])
        self.layer2 = nn.Sequential(*[Block(c if i == 0 else 2 * c, 2 * c, 2 if i == 0 else 1) for i in range(3)])
        self.layer3 = nn.Sequential(*[Block(2 * c if i == 0 else 4 * c, 4 * c, 2 if i == 0 else 1) for i in range(3)])
        self.linear = nn.Linear(4 * c, embedding)

    def forward(self, x, taps=None):
        x = F.relu(self.bn1(self.conv1(x)))
        for s in (1, 2, 3):
            for i, block in enumerate(getattr(self, f"layer{s}")):
                x = block(x, taps, f"inner{s}.{i}")
            if taps is not None:
                taps[f"stream{s}"] = x
        return self.linear(x.mean((2, 3)))


def groups():
    """Of each group (tensor, axis, side, whether the similarity of weights leaves it out)."""
    def norm(name):
        return [(f"{name}.{v}", 0, "out", False) for v in ("weight", "bias")] + [(f"{name}.{v}", 0, "out", True) for v in ("running_mean", "running_var")]

    def weight(name, axis):
        return [(f"{name}.weight", axis, "out" if axis == 0 else "in", False)]

    g = {}
    for s in (1, 2, 3):
        stream = weight("conv1", 0) + norm("bn1") if s == 1 else weight(f"layer{s}.0.shortcut.0", 0) + norm(f"layer{s}.0.shortcut.1")
        for i in range(3):
            block = f"layer{s}.{i}"
            g[f"inner{s}.{i}"] = weight(f"{block}.conv1", 0) + norm(f"{block}.bn1") + weight(f"{block}.conv2", 1)
            if s == 1 or i > 0:
                stream += weight(f"{block}.conv1", 1)
            stream += weight(f"{block}.conv2", 0) + norm(f"{block}.bn2")
        stream += weight(f"layer{s + 1}.0.conv1", 1) + weight(f"layer{s + 1}.0.shortcut.0", 1) if s < 3 else weight("linear", 1)
        g[f"stream{s}"] = stream
    return g


# Data.

def read_safetensors(path):
    with open(path, "rb") as f:
        data = f.read()
    length = struct.unpack("<Q", data[:8])[0]
    types = {"F32": np.float32, "I64": np.int64}
    tensors = {}
    for name, entry in json.loads(data[8:8 + length]).items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        tensors[name] = torch.from_numpy(np.frombuffer(data[8 + length + begin:8 + length + end], types[entry["dtype"]]).reshape(entry["shape"]).copy())
    return tensors


def read_cifar(path, count=None):
    with gzip.open(path) as f:
        records = np.frombuffer(f.read(), np.uint8).reshape(-1, 3073)[:count]
    mean, std = np.float32([125.307, 122.961, 113.8575]), np.float32([51.5865, 50.847, 51.255])
    pixels = (records[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32) - mean[:, None, None]) / std[:, None, None]
    return torch.from_numpy(pixels), torch.from_numpy(records[:, 0].astype(np.int64))


# Statistics.

def reset_statistics(model, images, batch):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
            module.reset_running_stats()
    model.train()
    with torch.no_grad():
        for i in range(0, len(images), batch):
            model(images[i:i + batch])
    model.eval()


def activation_similarity(models, images, batch):
    """Pearson's correlation of all units of all models, for each group: running sums of means and products."""
    mean, outer = {}, {}
    with torch.no_grad():
        for i in range(0, len(images), batch):
            x = images[i:i + batch]
            taps = [{} for _ in models]
            for model, of in zip(models, taps):
                model(x, of)
            for name in taps[0]:
                z = torch.cat([t[name].transpose(0, 1).flatten(1) for t in taps])
                mean[name] = mean.get(name, 0) + len(x) * z.mean(1).double()
                outer[name] = outer.get(name, 0) + len(x) * (z @ z.T / z.shape[1]).double()
    similarity = {}
    for name in mean:
        m, o = mean[name].numpy() / len(images), outer[name].numpy() / len(images)
        similarity[name] = normalised(o - np.outer(m, m))
    return similarity


def normalised(covariance):
    deviation = np.sqrt(np.maximum(np.diag(covariance), 0))
    return covariance / np.maximum(np.outer(deviation, deviation), 1e-7)


# Matching. A group's state is U of each model, of 0 and 1: [units, merged units].

def merge_matrices(u):
    """N M: U divided by the members of each merged unit, times the number of models."""
    members = sum(x.sum(0) for x in u)
    return [len(u) * x / members for x in u]


def transform(tensor, axis, matrix):
    """new[c] = sum over i of matrix[i, c] tensor[i] along an axis."""
    return np.moveaxis(np.tensordot(matrix.T, tensor, (1, axis)), 0, axis)


def weight_similarity(name, spec, bound, weights, state):
    rows = []
    for m, of in enumerate(weights):
        columns = []
        for tensor, axis, _, ignored in spec[name]:
            if ignored:
                continue
            value = of[tensor]
            for other, other_axis, side in bound[tensor]:
                if (other, other_axis) != (name, axis) and other in state:
                    # Means on the side that is summed over and sums on the other, as the authors' code compares.
                    value = transform(value, other_axis, merge_matrices(state[other])[m] if side == "in" else state[other][m])
            columns.append(np.moveaxis(value, axis, 0).reshape(value.shape[axis], -1))
        rows.append(np.concatenate(columns, 1))
    z = np.concatenate(rows)
    mean = z.mean(1)
    return normalised(z @ z.T / z.shape[1] - np.outer(mean, mean))


def align(s, n):
    units = len(s) // n
    u, score = [np.eye(units)], 0
    for m in range(1, n):
        block = s[:units, m * units:(m + 1) * units]
        rows, columns = linear_sum_assignment(block, maximize=True)
        permutation = np.zeros((units, units))
        permutation[columns, rows] = 1
        u.append(permutation)
        score += block[rows, columns].mean() / (n - 1)
    return u, score


def zip_units(s, n):
    """Greedy merging with the code's update rules: the row and column of what was merged away are -inf from then on."""
    s = s.copy()
    total = len(s)
    units = total // n
    np.fill_diagonal(s, -np.inf)
    u = np.eye(total)
    origin = np.arange(total) // units
    alive = np.ones(total, bool)
    budget = np.full(n, int((total - units) // n * ZIP_BETA + 1e-4))
    score = 0
    for _ in range(total - units):
        p, q = sorted(divmod(int(s.argmax()), total))
        score += s[p, q] / (total - units)
        u[:, p] += u[:, q]
        s[:, p] = np.minimum(s[:, p], s[:, q]) * ZIP_ALPHA
        s[p, :] = np.minimum(s[p, :], s[q, :]) * ZIP_ALPHA
        s[q, :] = s[:, q] = -np.inf
        alive[q] = False
        if origin[p] == origin[q]:
            budget[origin[p]] -= 1
            if budget[origin[p]] <= 0:
                spent = (origin == origin[p]) & alive
                s[np.ix_(spent, spent)] = -np.inf
    return np.split(u[:, alive], n), score


def match(spec, weights, activations, how, alpha, seed):
    bound = {}
    for name, places in spec.items():
        for tensor, axis, side, _ in places:
            bound.setdefault(tensor, []).append((name, axis, side))
    n = len(weights)
    start = time.perf_counter()
    state = {name: how(activations[name], n)[0] for name in spec} if activations else {}
    if activations:
        print(f"match-activations {time.perf_counter() - start:.3f}")
    if alpha == 0:
        return state

    start = time.perf_counter()
    best, stale, random = None, 0, np.random.RandomState(seed)
    kept = dict(state)
    for sweep in range(MOST_SWEEPS):
        total = 0
        for name in random.permutation(list(spec)):
            s = weight_similarity(name, spec, bound, weights, state)
            if activations:
                s = alpha * s + (1 - alpha) * activations[name]
            state[name], score = how(s, n)
            total += score / len(spec)
        print(f"sweep {sweep + 1} {total:.6f}")
        if best is None or total > best:
            best, kept, stale = total, dict(state), 0
            continue
        stale += 1
        state = dict(kept)
        if stale == PATIENCE:
            break
    print(f"sweeps {time.perf_counter() - start:.3f}")
    return kept


def merge(spec, weights, state):
    moved = [dict(of) for of in weights]
    for name, places in spec.items():
        if name not in state:
            continue
        m_all = merge_matrices(state[name])
        for of, u, m in zip(moved, state[name], m_all):
            for tensor, axis, side, _ in places:
                of[tensor] = transform(of[tensor], axis, u if side == "in" else m)
    return {name: sum(of[name] for of in moved) / len(moved) for name in moved[0]}


# Evaluation.

def evaluate(model, images, labels, vectors, tasks, batch):
    with torch.no_grad():
        scores = torch.cat([F.normalize(model(images[i:i + batch])) @ vectors.T for i in range(0, len(images), batch)])
    result = [(scores.argmax(1) == labels).float().mean().item()]
    for classes in tasks:
        own = torch.isin(labels, torch.tensor(classes))
        predicted = torch.tensor(classes)[scores[own][:, classes].argmax(1)]
        result.append((predicted == labels[own]).float().mean().item())
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("cifar")
    parser.add_argument("--method", default="mudsc-zip", choices=["average", "weight-align", "activation-align", "mudsc-align", "zipit", "weight-zip", "mudsc-zip"])
    parser.add_argument("--alpha", type=float, default=0.5)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    info = json.load(open(f"{options.folder}/info.json"))
    vectors = read_safetensors(f"{options.folder}/class_vectors.safetensors")["class_vectors"]
    models = []
    for name in "ab":
        tensors = read_safetensors(f"{options.folder}/{name}.safetensors")
        model = ResNet20(info["width"], len(tensors["linear.bias"]))
        model.load_state_dict(tensors)
        models.append(model.eval())
    images, _ = read_cifar(f"{options.cifar}/data_batch_1.bin.gz", options.images)
    test, labels = read_cifar(f"{options.cifar}/test_batch.bin.gz")

    def timed(name, action):
        start = time.perf_counter()
        result = action()
        print(f"{name} {time.perf_counter() - start:.3f}", flush=True)
        return result

    def forward():
        with torch.no_grad():
            for model in models:
                for i in range(0, len(images), options.batch):
                    model(images[i:i + options.batch])

    space = "none" if options.method == "average" else {"zipit": "activation", "activation-align": "activation", "weight-align": "weight", "weight-zip": "weight"}.get(options.method, "both")
    how = zip_units if "zip" in options.method else align
    timed("reset-parents", lambda: [reset_statistics(model, images, options.batch) for model in models])
    timed("forward-only", forward)
    begin = time.perf_counter()
    activations = timed("statistics", lambda: activation_similarity(models, images, options.batch)) if space in ("activation", "both") else None
    weights = [{name: value.double().numpy() for name, value in model.state_dict().items()} for model in models]
    spec = groups()
    alpha = {"activation": 0, "weight": 1, "both": options.alpha, "none": 0}[space]
    state = match(spec, weights, activations, how, alpha, options.seed) if space != "none" else {}
    merged = ResNet20(info["width"], len(weights[0]["linear.bias"]))

    def write():
        merged.load_state_dict({name: torch.from_numpy(np.asarray(value)).to(merged.state_dict()[name].dtype) for name, value in merge(spec, weights, state).items()})

    timed("merge", write)
    timed("reset-merged", lambda: reset_statistics(merged, images, options.batch))
    print(f"statistics-to-reset {time.perf_counter() - begin:.3f}")
    joint, *tasks = timed("evaluate", lambda: evaluate(merged, test, labels, vectors, info["classes"], options.batch))
    print("result joint %.2f tasks %s average %.2f" % (100 * joint, " ".join("%.2f" % (100 * t) for t in tasks), 100 * sum(tasks) / len(tasks)))


if __name__ == "__main__":
    main()
