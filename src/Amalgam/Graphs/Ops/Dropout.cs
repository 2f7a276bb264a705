using System.Numerics;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX Dropout: the input itself. In training, a share of the elements is zero and the others are scaled up to keep the mean.</summary>
/// <param name="Ratio">Share that is dropped, from 0 to below 1.</param>
public sealed record Dropout(float Ratio = 0.5f) : View
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        return Ratio is >= 0 and < 1 ? x[0].Shape : throw new GraphException($"the ratio must be in [0, 1), found {Ratio}");
    }

    public override Node?[] Gradient(Node y, Node dy) => [dy];

    public override void Link(Node y, AxisLinks links) => links.Elementwise(y);

    public override Node? ForTraining(ReadOnlySpan<Node> x, TrainingForm form) =>
        Ratio == 0 ? x[0] : x[0] * form.Graph.Add(new DropoutMask(Ratio, form.NextMask(), x[0].Shape), form.Seed, form.Step);

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, [to[y.Inputs[0]], to.Constant(Tensor.Scalar(Ratio))]);
}

/// <summary>
/// What dropout multiplies by: 0 for a share of the elements and 1 / (1 - share) for the others. Inputs: the run's seed and the number of the step. An element
/// depends on both, on the mask's number and on its own index alone, so a run can be repeated and resumed.
/// </summary>
/// <param name="Ratio">Share that is dropped, from 0 to below 1.</param>
/// <param name="Number">Number of the mask in its graph.</param>
/// <param name="Of">Shape of the result.</param>
public sealed record DropoutMask(float Ratio, int Number, Shape Of) : Op
{
    private const int Block = 1024;

    public override DType TypeOf(ReadOnlySpan<Node> x) => DType.F32;

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2);
        if (x[0].Shape.Count != 1 || x[1].Shape.Count != 1) throw new GraphException($"seed and step must be one number each, found {x[0].Shape} and {x[1].Shape}");
        return Ratio is >= 0 and < 1 ? Of : throw new GraphException($"the ratio must be in [0, 1), found {Ratio}");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        ulong key = Key((long)x[0].Span[0], (long)x[1].Span[0]);
        Cores.ForRange(y.Count, 16 * Block, (key, Ratio, y), static (s, from, to) =>
        {
            Span<uint> random = stackalloc uint[Block];
            uint threshold = (uint)Math.Min(uint.MaxValue, Math.Round(s.Ratio * 4294967296.0));
            float kept = 1 / (1 - s.Ratio);
            for (int at = from; at < to; at += Block)
            {
                Span<float> y = s.y.Span[at..Math.Min(at + Block, to)];
                Philox.Fill(s.key, at, random[..y.Length]);
                int i = 0;
                for (; i + Vector<float>.Count <= y.Length; i += Vector<float>.Count)
                {
                    var passes = Vector.GreaterThanOrEqual(new Vector<uint>(random[i..]), new Vector<uint>(threshold));
                    (new Vector<float>(kept) & Vector.AsVectorSingle(passes)).CopyTo(y[i..]);
                }

                for (; i < y.Length; i++) y[i] = random[i] >= threshold ? kept : 0;
            }
        });
    }

    public override Node?[] Gradient(Node y, Node dy) => [null, null];

    private ulong Key(long seed, long step) => Mix(Mix(Mix((ulong)seed) + (ulong)step) + (ulong)Number);

    /// <summary>The output function of SplitMix64 (Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, 2014).</summary>
    private static ulong Mix(ulong x)
    {
        x += 0x9E37_79B9_7F4A_7C15;
        x = (x ^ (x >> 30)) * 0xBF58_476D_1CE4_E5B9;
        x = (x ^ (x >> 27)) * 0x94D0_49BB_1331_11EB;
        return x ^ (x >> 31);
    }
}
