namespace Amalgam.Checkpoints;

/// <summary>
/// Counts the messages of a model before they are parsed. An empty message takes two bytes in a file and some hundred as an object, so a small file could
/// fill any memory.
/// </summary>
internal static class OnnxMessages
{
    public const int Most = 2_000_000;
    private const int Deepest = 100;

    private enum Kind
    {
        Leaf,
        Model,
        Graph,
        Node,
        Attribute,
        Tensor,
        Sparse,
        Value,
        Type,
        TensorType,
        Shape,
    }

    /// <summary>Refuses a model of too many messages, or nested too deep.</summary>
    /// <exception cref="InvalidDataException">It is one.</exception>
    public static void Check(ReadOnlyMemory<byte> model, Func<string, InvalidDataException> invalid)
    {
        using MemoryStorage storage = new("", model);
        int count = 0;
        Walk(new(storage, invalid), Kind.Model, 0, model.Length, 0, ref count);
    }

    private static void Walk(ProtoBytes bytes, Kind kind, long begin, long end, int depth, ref int count)
    {
        if (++count > Most) throw bytes.Invalid($"it is made of more than {Most} messages");
        if (kind == Kind.Leaf) return;
        if (depth > Deepest) throw bytes.Invalid($"its graphs are nested more than {Deepest} messages deep");
        ProtoFields fields = new(bytes, begin, end);
        while (fields.Next())
        {
            if (fields.Wire == ProtoFields.Bytes && Inner(kind, fields.Number) is { } inner) Walk(bytes, inner, fields.Value, fields.End, depth + 1, ref count);
        }
    }

    /// <summary>What kind of message a field holds; null for one that holds none.</summary>
    private static Kind? Inner(Kind kind, int field) => (kind, field) switch
    {
        (Kind.Model, 7) => Kind.Graph,
        (Kind.Model, 8 or 14 or 25) => Kind.Leaf,
        (Kind.Graph, 1) => Kind.Node,
        (Kind.Graph, 5) => Kind.Tensor,
        (Kind.Graph, 11 or 12 or 13) => Kind.Value,
        (Kind.Graph, 15) => Kind.Sparse,
        (Kind.Graph, 16) => Kind.Leaf,
        (Kind.Node, 5) => Kind.Attribute,
        (Kind.Node, 9) => Kind.Leaf,
        (Kind.Attribute, 5) => Kind.Tensor,
        (Kind.Attribute, 6 or 11) => Kind.Graph,
        (Kind.Tensor, 3 or 13 or 16) => Kind.Leaf,
        (Kind.Sparse, 1) => Kind.Tensor,
        (Kind.Value, 2) => Kind.Type,
        (Kind.Value, 4) => Kind.Leaf,
        (Kind.Type, 1) => Kind.TensorType,
        (Kind.Type, 4 or 5 or 8 or 9) => Kind.Leaf,
        (Kind.TensorType, 2) => Kind.Shape,
        (Kind.Shape, 1) => Kind.Leaf,
        _ => null,
    };
}
