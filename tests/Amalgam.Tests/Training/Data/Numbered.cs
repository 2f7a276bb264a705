using System.Collections.Immutable;
using Amalgam.Training.Data;

namespace Amalgam.Tests.Training.Data;

/// <summary>Samples that say who they are: x is [sample, sample + 0.5], label is sample mod 3, noise is random.</summary>
internal sealed class Numbered(int count) : Dataset
{
    private readonly int[] _labels = [.. Enumerable.Range(0, count).Select(i => i % 3)];

    public override string Name => "numbered";

    public override int Count => count;

    public override ImmutableArray<Field> Fields { get; } = [new("x", new(2), DType.F32), new("label", default, DType.I64), new("noise", new(3), DType.F32)];

    public override ReadOnlySpan<int> Labels => _labels;

    public override ImmutableArray<string> Classes { get; } = ["zero", "one", "two"];

    public override void Read(int field, int sample, Draw draw, Span<float> y)
    {
        switch (field)
        {
            case 0:
                (y[0], y[1]) = (sample, sample + 0.5f);
                break;
            case 1:
                y[0] = _labels[sample];
                break;
            default:
                Span<uint> random = stackalloc uint[y.Length];
                draw.Fill(1, sample, random);
                for (int i = 0; i < y.Length; i++) y[i] = Draw.Unit(random[i]);
                break;
        }
    }
}
