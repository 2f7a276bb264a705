#!/usr/bin/env python3
"""Small networks with random weights, in the forms that people write them in, as PyTorch exports them: what `amalgam units` is tried on.

Usage: export_transformers.py FOLDER [OPSET...]
Writes FOLDER/NAME-OPSET.onnx for each network and opset (13 and 17 unless said), with constants folded and with dynamic sizes left alone (`training` keeps BatchNormalization apart).
"""
import os
import sys
import warnings

import torch
from torch import nn
from torch.nn import functional as F

warnings.filterwarnings("ignore")


class TimmAttention(nn.Module):
    """One Linear makes queries, keys and values of all heads."""

    def __init__(self, size, heads, qk_norm=False):
        super().__init__()
        self.heads, self.scale = heads, (size // heads) ** -0.5
        self.qkv, self.proj = nn.Linear(size, 3 * size), nn.Linear(size, size)
        self.q_norm = nn.LayerNorm(size // heads) if qk_norm else nn.Identity()
        self.k_norm = nn.LayerNorm(size // heads) if qk_norm else nn.Identity()

    def forward(self, x):
        b, n, c = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        q, k = self.q_norm(q), self.k_norm(k)
        a = ((q * self.scale) @ k.transpose(-2, -1)).softmax(dim=-1)
        return self.proj((a @ v).transpose(1, 2).reshape(b, n, c))


class TimmBlock(nn.Module):
    def __init__(self, size, heads, qk_norm):
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(size), TimmAttention(size, heads, qk_norm)
        self.norm2, self.fc1, self.fc2 = nn.LayerNorm(size), nn.Linear(size, 2 * size), nn.Linear(2 * size, size)
        self.gamma = nn.Parameter(torch.rand(size))

    def forward(self, x):
        x = x + self.gamma * self.attn(self.norm1(x))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class Vit(nn.Module):
    def __init__(self, size=24, heads=3, depth=2, qk_norm=False):
        super().__init__()
        self.patch = nn.Conv2d(3, size, 4, 4)
        self.cls_token, self.pos_embed = nn.Parameter(torch.randn(1, 1, size)), nn.Parameter(torch.randn(1, 17, size))
        self.blocks = nn.Sequential(*[TimmBlock(size, heads, qk_norm) for _ in range(depth)])
        self.norm, self.head = nn.LayerNorm(size), nn.Linear(size, 10)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.cls_token.expand(x.shape[0], -1, -1), x), dim=1) + self.pos_embed
        return self.head(self.norm(self.blocks(x))[:, 0])


class Encoder(nn.Module):
    """PyTorch's own layers, whose in_proj holds queries, keys and values one behind the other; batch and heads are one axis in them."""

    def __init__(self, size=16, heads=2, batch_first=True):
        super().__init__()
        self.embed = nn.Embedding(40, size)
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(size, heads, 32, batch_first=batch_first, norm_first=False), 2)
        self.out = nn.Linear(size, 5)
        self.batch_first = batch_first

    def forward(self, ids):
        x = self.embed(ids)
        x = x if self.batch_first else x.transpose(0, 1)
        x = self.encoder(x)
        return self.out(x.mean(1 if self.batch_first else 0))


class Cross(nn.Module):
    """MultiheadAttention over another sequence, of another width."""

    def __init__(self, size=16, heads=4):
        super().__init__()
        self.x, self.y = nn.Linear(6, size), nn.Linear(6, 12)
        self.attention = nn.MultiheadAttention(size, heads, kdim=12, vdim=12, batch_first=True)
        self.out = nn.Linear(size, 5)

    def forward(self, a, b):
        x, y = self.x(a), F.relu(self.y(b))
        return self.out(self.attention(x, y, y)[0])


class BertLayer(nn.Module):
    def __init__(self, size, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.dense = (nn.Linear(size, size) for _ in range(4))
        self.norm1, self.norm2 = nn.LayerNorm(size), nn.LayerNorm(size)
        self.intermediate, self.output = nn.Linear(size, 2 * size), nn.Linear(2 * size, size)

    def split(self, x):
        return x.view(x.shape[0], x.shape[1], self.heads, -1).permute(0, 2, 1, 3)

    def forward(self, x, mask):
        q, k, v = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        scores = q @ k.transpose(-1, -2) / (q.shape[-1] ** 0.5) + mask
        context = (scores.softmax(-1) @ v).permute(0, 2, 1, 3).contiguous()
        context = context.view(x.shape[0], x.shape[1], -1)
        x = self.norm1(self.dense(context) + x)
        return self.norm2(self.output(F.gelu(self.intermediate(x))) + x)


class Bert(nn.Module):
    """Separate projections; the word embedding is the output's matrix too."""

    def __init__(self, size=24, heads=3, tied=True):
        super().__init__()
        self.word, self.position, self.kind = nn.Embedding(50, size), nn.Embedding(8, size), nn.Embedding(2, size)
        self.norm = nn.LayerNorm(size)
        self.layers = nn.ModuleList([BertLayer(size, heads) for _ in range(2)])
        self.transform, self.transform_norm = nn.Linear(size, size), nn.LayerNorm(size)
        self.decoder = nn.Linear(size, 50)
        if tied:
            self.decoder.weight = self.word.weight

    def forward(self, ids, mask):
        extended = (1.0 - mask[:, None, None, :].float()) * -10000.0
        x = self.word(ids) + self.position(torch.arange(ids.shape[1], device=ids.device)) + self.kind(torch.zeros_like(ids))
        x = self.norm(x)
        for layer in self.layers:
            x = layer(x, extended)
        return self.decoder(self.transform_norm(F.gelu(self.transform(x))))


def rotate(x):
    a, b = x.chunk(2, dim=-1)
    return torch.cat((-b, a), dim=-1)


class Rms(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(size) + 0.5)

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.weight


class GqaLayer(nn.Module):
    def __init__(self, size, heads, groups, tile):
        super().__init__()
        self.heads, self.groups, self.d, self.tile = heads, groups, size // heads, tile
        self.q, self.k, self.v = nn.Linear(size, size, bias=False), nn.Linear(size, groups * self.d, bias=False), nn.Linear(size, groups * self.d, bias=False)
        self.o, self.norm1, self.norm2 = nn.Linear(size, size, bias=False), Rms(size), Rms(size)
        self.gate, self.up, self.down = nn.Linear(size, 2 * size, bias=False), nn.Linear(size, 2 * size, bias=False), nn.Linear(2 * size, size, bias=False)

    def repeat(self, x):
        count = self.heads // self.groups
        if self.tile:
            return x.unsqueeze(2).repeat(1, 1, count, 1, 1).flatten(1, 2)
        b, h, n, d = x.shape
        return x[:, :, None].expand(b, h, count, n, d).reshape(b, h * count, n, d)

    def forward(self, x, cos, sin, mask):
        b, n, _ = x.shape
        y = self.norm1(x)
        q = self.q(y).view(b, n, self.heads, self.d).transpose(1, 2)
        k = self.k(y).view(b, n, self.groups, self.d).transpose(1, 2)
        v = self.v(y).view(b, n, self.groups, self.d).transpose(1, 2)
        q, k = q * cos + rotate(q) * sin, k * cos + rotate(k) * sin
        k, v = self.repeat(k), self.repeat(v)
        a = (q @ k.transpose(2, 3) * self.d ** -0.5 + mask).softmax(-1)
        x = x + self.o((a @ v).transpose(1, 2).reshape(b, n, -1))
        y = self.norm2(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


class Gqa(nn.Module):
    """Grouped queries and rotary positions, as Llama has them."""

    def __init__(self, size=32, heads=4, groups=2, length=6, tile=False, learned=False):
        super().__init__()
        self.embed = nn.Embedding(30, size)
        self.layers = nn.ModuleList([GqaLayer(size, heads, groups, tile) for _ in range(2)])
        self.norm, self.head = Rms(size), nn.Linear(size, 30, bias=False)
        d = size // heads
        angles = torch.arange(length)[:, None] * 100.0 ** (-torch.arange(0, d, 2) / d)
        angles = torch.cat((angles, angles), -1)
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())
        self.register_buffer("mask", torch.full((length, length), -10000.0).triu(1))

    def forward(self, ids):
        x = self.embed(ids)
        for layer in self.layers:
            x = layer(x, self.cos, self.sin, self.mask)
        return self.head(self.norm(x))


class Inverted(nn.Module):
    def __init__(self, into, out, stride, expand):
        super().__init__()
        hidden = into * expand
        layers = [] if expand == 1 else [nn.Conv2d(into, hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU6()]
        layers += [nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden, bias=False), nn.BatchNorm2d(hidden), nn.ReLU6(), nn.Conv2d(hidden, out, 1, bias=False), nn.BatchNorm2d(out)]
        self.conv, self.shortcut = nn.Sequential(*layers), stride == 1 and into == out

    def forward(self, x):
        return x + self.conv(x) if self.shortcut else self.conv(x)


class Squeeze(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.reduce, self.expand = nn.Conv2d(size, size // 4, 1), nn.Conv2d(size // 4, size, 1)

    def forward(self, x):
        return x * torch.sigmoid(self.expand(F.relu(self.reduce(F.adaptive_avg_pool2d(x, 1)))))


def mobilenet():
    return nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.Hardswish(), Inverted(8, 8, 1, 1), Inverted(8, 12, 2, 4), Inverted(12, 12, 1, 4), Squeeze(12),
                         nn.Conv2d(12, 24, 1), nn.BatchNorm2d(24), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(24, 10))


class DenseLayer(nn.Module):
    def __init__(self, into, growth):
        super().__init__()
        self.norm1, self.conv1, self.norm2, self.conv2 = nn.BatchNorm2d(into), nn.Conv2d(into, 4 * growth, 1, bias=False), nn.BatchNorm2d(4 * growth), nn.Conv2d(4 * growth, growth, 3, 1, 1, bias=False)

    def forward(self, x):
        return torch.cat((x, self.conv2(F.relu(self.norm2(self.conv1(F.relu(self.norm1(x))))))), 1)


def densenet():
    return nn.Sequential(nn.Conv2d(3, 8, 3, 1, 1), DenseLayer(8, 4), DenseLayer(12, 4), DenseLayer(16, 4), nn.BatchNorm2d(20), nn.ReLU(), nn.Conv2d(20, 10, 1, bias=False), nn.AvgPool2d(2),
                         DenseLayer(10, 4), nn.BatchNorm2d(14), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(14, 10))


class ShuffleUnit(nn.Module):
    """ShuffleNet v2: half of the channels pass, and then the halves are tiled."""

    def __init__(self, size):
        super().__init__()
        half = size // 2
        self.branch = nn.Sequential(nn.Conv2d(half, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU(), nn.Conv2d(half, half, 3, 1, 1, groups=half, bias=False), nn.BatchNorm2d(half),
                                    nn.Conv2d(half, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU())

    def forward(self, x):
        a, b = x.chunk(2, dim=1)
        x = torch.cat((a, self.branch(b)), dim=1)
        n, c, h, w = x.shape
        return x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


class ShuffleGroups(nn.Module):
    """ShuffleNet v1: grouped 1x1 convolutions with a shuffle of channels between them."""

    def __init__(self, size, groups):
        super().__init__()
        self.groups = groups
        self.conv1, self.norm1 = nn.Conv2d(size, size, 1, groups=groups, bias=False), nn.BatchNorm2d(size)
        self.conv2, self.norm2 = nn.Conv2d(size, size, 3, 1, 1, groups=size, bias=False), nn.BatchNorm2d(size)
        self.conv3, self.norm3 = nn.Conv2d(size, size, 1, groups=groups, bias=False), nn.BatchNorm2d(size)

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        n, c, h, w = y.shape
        y = y.view(n, self.groups, c // self.groups, h, w).transpose(1, 2).reshape(n, c, h, w)
        return F.relu(x + self.norm3(self.conv3(self.norm2(self.conv2(y)))))


def shufflenet():
    return nn.Sequential(nn.Conv2d(3, 12, 3, 2, 1), nn.BatchNorm2d(12), nn.ReLU(), ShuffleUnit(12), ShuffleUnit(12), nn.Conv2d(12, 16, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))


def shufflegroups():
    return nn.Sequential(nn.Conv2d(3, 12, 3, 2, 1), nn.BatchNorm2d(12), nn.ReLU(), ShuffleGroups(12, 3), ShuffleGroups(12, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 10))


class Rnn(nn.Module):
    def __init__(self, kind, bidirectional=False, layers=1):
        super().__init__()
        self.embed = nn.Embedding(20, 6)
        self.rnn = kind(6, 8, layers, batch_first=True, bidirectional=bidirectional)
        self.out = nn.Linear(16 if bidirectional else 8, 5)

    def forward(self, ids):
        return self.out(self.rnn(self.embed(ids))[0])


class LastState(nn.Module):
    """Reads the last hidden state, and not the states of all steps."""

    def __init__(self):
        super().__init__()
        self.into, self.rnn, self.out = nn.Linear(3, 6), nn.LSTM(6, 8, batch_first=True), nn.Linear(8, 5)

    def forward(self, x):
        return self.out(self.rnn(F.relu(self.into(x)))[1][0][-1])


class Residual(nn.Module):
    """A basic block or, with groups, ResNeXt's; norm is given."""

    def __init__(self, into, out, stride, norm, groups=1):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(into, out, 1, bias=False), norm(out)
        self.conv2, self.norm2 = nn.Conv2d(out, out, 3, stride, 1, groups=groups, bias=False), norm(out)
        self.conv3, self.norm3 = nn.Conv2d(out, out, 1, bias=False), norm(out)
        self.shortcut = nn.Sequential() if stride == 1 and into == out else nn.Sequential(nn.Conv2d(into, out, 1, stride, bias=False), norm(out))

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        y = F.relu(self.norm2(self.conv2(y)))
        return F.relu(self.shortcut(x) + self.norm3(self.conv3(y)))


def resnet(norm, groups=1):
    return nn.Sequential(nn.Conv2d(3, 8, 3, 1, 1, bias=False), norm(8), nn.ReLU(), Residual(8, 8, 1, norm, groups), Residual(8, 16, 2, norm, groups), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))


class Mixer(nn.Module):
    """Mixes tokens by Conv1d whose channels are the tokens."""

    def __init__(self, tokens=16, size=12):
        super().__init__()
        self.patch = nn.Conv2d(3, size, 4, 4)
        self.norm1, self.t1, self.t2 = nn.LayerNorm(size), nn.Conv1d(tokens, 24, 1), nn.Conv1d(24, tokens, 1)
        self.norm2, self.c1, self.c2 = nn.LayerNorm(size), nn.Linear(size, 20), nn.Linear(20, size)
        self.head = nn.Linear(size, 10)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = x + self.t2(F.gelu(self.t1(self.norm1(x))))
        x = x + self.c2(F.gelu(self.c1(self.norm2(x))))
        return self.head(x.mean(1))


class Swin(nn.Module):
    """Windows of tokens with a table of relative positions, and the concatenation of four neighbours."""

    def __init__(self, size=12, heads=3, window=2):
        super().__init__()
        self.heads, self.window = heads, window
        self.patch, self.norm = nn.Conv2d(3, size, 4, 4), nn.LayerNorm(size)
        self.qkv, self.proj = nn.Linear(size, 3 * size), nn.Linear(size, size)
        self.table = nn.Parameter(torch.randn((2 * window - 1) ** 2, heads))
        at = torch.stack(torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")).flatten(1)
        relative = (at[:, :, None] - at[:, None, :] + window - 1).permute(1, 2, 0)
        self.register_buffer("index", relative[..., 0] * (2 * window - 1) + relative[..., 1])
        self.merge_norm, self.reduction, self.head = nn.LayerNorm(4 * size), nn.Linear(4 * size, 2 * size, bias=False), nn.Linear(2 * size, 10)

    def forward(self, x):
        x = self.patch(x).permute(0, 2, 3, 1)
        b, h, w, c = x.shape
        m = self.window
        y = self.norm(x).view(b, h // m, m, w // m, m, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, m * m, c)
        q, k, v = self.qkv(y).reshape(-1, m * m, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        bias = self.table[self.index.view(-1)].view(m * m, m * m, -1).permute(2, 0, 1)
        a = (q @ k.transpose(-2, -1) + bias[None]).softmax(-1)
        y = self.proj((a @ v).transpose(1, 2).reshape(-1, m * m, c))
        x = x + y.view(b, h // m, w // m, m, m, c).permute(0, 1, 3, 2, 4, 5).reshape(b, h, w, c)
        x = torch.cat((x[:, 0::2, 0::2], x[:, 1::2, 0::2], x[:, 0::2, 1::2], x[:, 1::2, 1::2]), -1)
        return self.head(self.reduction(self.merge_norm(x)).mean((1, 2)))


class Unet(nn.Module):
    """Down, up again by a transposed convolution and by resizing, with concatenated shortcuts."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 6, 3, 1, 1), nn.Conv2d(6, 8, 3, 2, 1), nn.Conv2d(8, 10, 3, 2, 1)
        self.up, self.d, self.e, self.slope = nn.ConvTranspose2d(10, 8, 2, 2), nn.Conv2d(16, 7, 3, 1, 1), nn.Conv2d(13, 5, 1), nn.PReLU(6)

    def forward(self, x):
        a = self.slope(self.a(x))
        b = F.relu(self.b(a))
        d = F.relu(self.d(torch.cat((b, self.up(F.relu(self.c(b)))), 1)))
        return self.e(torch.cat((a, F.interpolate(d, scale_factor=2, mode="nearest")), 1))


IMAGE, WIDE = (torch.randn(2, 3, 16, 16),), (torch.randn(2, 3, 8, 8),)
IDS = (torch.randint(0, 20, (2, 6)),)

NETWORKS = {
    "vit": (lambda: Vit(), IMAGE),
    "vit-qk-norm": (lambda: Vit(qk_norm=True), IMAGE),
    "encoder": (lambda: Encoder(), IDS),
    "encoder-time-first": (lambda: Encoder(batch_first=False), IDS),
    "cross": (lambda: Cross(), (torch.randn(2, 5, 6), torch.randn(2, 7, 6))),
    "bert": (lambda: Bert(), (torch.randint(0, 50, (2, 8)), torch.ones(2, 8, dtype=torch.long))),
    "gqa": (lambda: Gqa(), IDS),
    "gqa-tile": (lambda: Gqa(tile=True), IDS),
    "mobilenet": (mobilenet, IMAGE),
    "densenet": (densenet, WIDE),
    "shufflenet": (shufflenet, WIDE),
    "shufflegroups": (shufflegroups, WIDE),
    "lstm": (lambda: Rnn(nn.LSTM), IDS),
    "gru": (lambda: Rnn(nn.GRU, layers=2), IDS),
    "lstm-both": (lambda: Rnn(nn.LSTM, bidirectional=True, layers=2), IDS),
    "lstm-last": (LastState, (torch.randn(2, 6, 3),)),
    "resnet-groupnorm": (lambda: resnet(lambda c: nn.GroupNorm(4, c)), WIDE),
    "resnet-instancenorm": (lambda: resnet(lambda c: nn.InstanceNorm2d(c, affine=True)), WIDE),
    "resnext": (lambda: resnet(nn.BatchNorm2d, groups=4), WIDE),
    "mixer": (Mixer, IMAGE),
    "swin": (Swin, IMAGE),
    "unet": (Unet, WIDE),
}


def export(name, make, inputs, opset, folder):
    torch.manual_seed(0)
    model = make()
    for parameter in model.parameters():
        if parameter.dim() == 1:
            nn.init.uniform_(parameter, 0.2, 1.0)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -1, 1)
            nn.init.uniform_(module.running_var, 0.5, 2)
    model.eval()
    names = [f"x{i}" for i in range(len(inputs))]
    path = os.path.join(folder, f"{name}-{opset}.onnx")
    torch.onnx.export(model, inputs, path, opset_version=opset, input_names=names, output_names=["y"], do_constant_folding=True, training=torch.onnx.TrainingMode.PRESERVE)
    print(path)


def main():
    folder, opsets = sys.argv[1], [int(a) for a in sys.argv[2:]] or [13, 17]
    os.makedirs(folder, exist_ok=True)
    for name, (make, inputs) in NETWORKS.items():
        for opset in opsets:
            try:
                export(name, make, inputs, opset, folder)
            except Exception as e:
                print(f"{name}, opset {opset}: {type(e).__name__}: {str(e).splitlines()[0]}", file=sys.stderr)


if __name__ == "__main__":
    main()
