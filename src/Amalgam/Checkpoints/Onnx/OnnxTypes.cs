using System.Collections.Frozen;
using Amalgam.Graphs;

namespace Amalgam.Checkpoints;

/// <summary>ONNX's numbers for element types (TensorProto.DataType).</summary>
internal static class OnnxTypes
{
    public const int String = 8;

    private static readonly FrozenDictionary<int, DType> Types = new Dictionary<int, DType>
    {
        [1] = DType.F32,
        [2] = DType.U8,
        [3] = DType.I8,
        [4] = DType.U16,
        [5] = DType.I16,
        [6] = DType.I32,
        [7] = DType.I64,
        [9] = DType.Bool,
        [10] = DType.F16,
        [11] = DType.F64,
        [12] = DType.U32,
        [13] = DType.U64,
        [14] = DType.C64,
        [16] = DType.BF16,
        [17] = DType.F8E4M3,
        [18] = DType.F8E4M3Fnuz,
        [19] = DType.F8E5M2,
        [20] = DType.F8E5M2Fnuz,
        [24] = DType.F8E8M0,
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<DType, int> Numbers = Types.ToFrozenDictionary(t => t.Value, t => t.Key);

    private static readonly FrozenDictionary<int, string> Others = new Dictionary<int, string>
    {
        [0] = "UNDEFINED",
        [String] = "STRING",
        [15] = "COMPLEX128",
        [21] = "UINT4",
        [22] = "INT4",
        [23] = "FLOAT4E2M1",
        [25] = "UINT2",
        [26] = "INT2",
    }.ToFrozenDictionary();

    /// <summary>The type of a number; null for one that Amalgam has no element type for.</summary>
    public static DType? Find(int number) => Types.GetValueOrDefault(number);

    /// <summary>The number of a type.</summary>
    /// <exception cref="GraphException">ONNX has none.</exception>
    public static int NumberOf(DType type) => Numbers.TryGetValue(type, out int number) ? number : throw new GraphException($"ONNX has no element type {type}");

    /// <summary>The name of a number that <see cref="Find"/> does not know, for messages.</summary>
    public static string Describe(int number) => Others.GetValueOrDefault(number) ?? $"number {number}";
}
