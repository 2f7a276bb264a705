using Amalgam.Numerics;
using BenchmarkDotNet.Attributes;

namespace Amalgam.Benchmarks;

/// <summary>What does widening and narrowing of stored elements cost? Baseline: a copy of the same floats.</summary>
[MemoryDiagnoser]
public class ElementTypesBench
{
    private float[] _values = [], _target = [];
    private ushort[] _stored = [];
    private Half[] _halves = [];
    private byte[] _bytes = [];

    [Params(1_000, 32_768)]
    public int Count { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        Random random = new(1);
        _values = [.. Enumerable.Range(0, Count).Select(_ => random.NextSingle() - 0.5f)];
        (_target, _stored, _halves, _bytes) = (new float[Count], new ushort[Count], new Half[Count], new byte[Count]);
        BFloat16.Narrow(_values, _stored);
        Float8.Narrow<E4M3>(_values, _bytes);
    }

    [Benchmark(Baseline = true)]
    public void Copy() => _values.CopyTo(_target, 0);

    [Benchmark]
    public void WidenBFloat16() => BFloat16.Widen(_stored, _target);

    [Benchmark]
    public void NarrowBFloat16() => BFloat16.Narrow(_values, _stored);

    [Benchmark]
    public void NarrowHalf() => System.Numerics.Tensors.TensorPrimitives.ConvertToHalf(_values, _halves);

    [Benchmark]
    public void WidenFloat8() => Float8.Widen<E4M3>(_bytes, _target);

    [Benchmark]
    public void NarrowFloat8() => Float8.Narrow<E4M3>(_values, _bytes);
}
