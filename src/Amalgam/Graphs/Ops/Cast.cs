using System.Runtime.InteropServices;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX Cast: to integers by dropping the fraction (narrow ones wrap around), to truth values by comparing with zero, to floating-point types by rounding to nearest even.</summary>
/// <param name="To">Element type of the result.</param>
public sealed record Cast(DType To) : Op
{
    private const int Block = 1024;

    public override Reuse Reuse => Reuse.InPlace;

    public override DType TypeOf(ReadOnlySpan<Node> x) => To;

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        return To.IsReadable ? x[0].Shape : throw new GraphException($"values are not computed as {To}");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y) =>
        Cores.ForRange(y.Count, 16 * Block, (To, X: x[0], Y: y), static (s, from, to) =>
        {
            for (int at = from; at < to; at += Block) Convert(s.To, s.X.Span[at..Math.Min(at + Block, to)], s.Y.Span[at..Math.Min(at + Block, to)]);
        });

    public override Node?[] Gradient(Node y, Node dy) => [To.IsFloat && y.Inputs[0].Type.IsFloat ? dy : null];

    public override void Link(Node y, AxisLinks links) => links.Elementwise(y);

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y, ("to", OnnxType(To)));

    /// <summary>The number of an element type in ONNX (TensorProto.DataType).</summary>
    internal static long OnnxType(DType type) => Array.IndexOf(OnnxTypes, type) is >= 0 and var number ? number : throw new GraphException($"ONNX has no element type for {type}");

    /// <summary>The element type of a number in ONNX.</summary>
    internal static DType TypeOf(long number) =>
        number >= 0 && number < OnnxTypes.Length && OnnxTypes[number] is { } type ? type : throw new GraphException($"element type number {number} is not computed with");

    private static readonly DType?[] OnnxTypes =
    [
        null, DType.F32, DType.U8, DType.I8, DType.U16, DType.I16, DType.I32, DType.I64, null, DType.Bool, DType.F16, DType.F64, DType.U32, DType.U64, null, null,
        DType.BF16, DType.F8E4M3, null, DType.F8E5M2, null,
    ];

    private static void Convert(DType type, ReadOnlySpan<float> x, Span<float> y)
    {
        if (type == DType.F32 || type == DType.F64)
        {
            x.CopyTo(y);
        }
        else if (type.IsFloat)
        {
            Span<byte> bytes = MemoryMarshal.AsBytes((Span<ulong>)stackalloc ulong[Block])[..(int)type.BytesOf(x.Length)];
            type.Narrow(x, bytes);
            type.Widen(bytes, y);
        }
        else if (type == DType.Bool)
        {
            for (int i = 0; i < x.Length; i++) y[i] = x[i] != 0 ? 1 : 0;
        }
        else
        {
            for (int i = 0; i < x.Length; i++) y[i] = Whole(type, x[i]);
        }
    }

    private static float Whole(DType type, float x) => unchecked(type.Bits switch
    {
        8 => type == DType.U8 ? (byte)(long)x : (sbyte)(long)x,
        16 => type == DType.U16 ? (ushort)(long)x : (short)(long)x,
        32 => type == DType.U32 ? (uint)(long)x : (int)(long)x,
        _ => MathF.Truncate(x),
    });
}
