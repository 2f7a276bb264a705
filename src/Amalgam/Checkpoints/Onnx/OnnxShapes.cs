using System.Globalization;
using Amalgam.Checkpoints.OnnxProtos;
using Amalgam.Graphs;
using Dimension = Amalgam.Checkpoints.OnnxProtos.TensorShapeProto.Types.Dimension;

namespace Amalgam.Checkpoints;

/// <summary>Finds the concrete shapes of a graph's inputs. A symbol has one size wherever it stands.</summary>
/// <param name="path">The file, for messages.</param>
/// <param name="given">Shapes that the caller gives, by name of the input.</param>
/// <param name="batch">The size that stands for a symbolic leading one.</param>
internal sealed class OnnxShapes(string path, IReadOnlyDictionary<string, Shape> given, int batch)
{
    private const int RankLimit = 64;

    private readonly Dictionary<string, long> _symbols = new(StringComparer.Ordinal);

    /// <summary>A size as text: a number, a symbol or <c>?</c>.</summary>
    public static string Text(Dimension size) => IsFixed(size) ? size.DimValue.ToString(CultureInfo.InvariantCulture) : size.DimParam is { Length: > 0 } symbol ? symbol : "?";

    /// <summary>Whether a size is a number; writers give unknown ones as negative too.</summary>
    public static bool IsFixed(Dimension size) => size.ValueCase == Dimension.ValueOneofCase.DimValue && size.DimValue >= 0;

    /// <summary>Shapes of all inputs.</summary>
    /// <exception cref="GraphException">Sizes are missing, or what is given contradicts the model.</exception>
    public Dictionary<string, Shape> Of(IReadOnlyList<ValueInfoProto> inputs)
    {
        foreach (string name in given.Keys.Where(name => inputs.All(i => i.Name != name)))
            throw new GraphException($"{path} has no input '{name}'; its inputs are {string.Join(", ", inputs.Select(i => $"'{i.Name}'"))}");
        foreach (ValueInfoProto input in inputs) Learn(input);
        List<string> missing = [];
        Dictionary<string, Shape> shapes = new(StringComparer.Ordinal);
        foreach (ValueInfoProto input in inputs)
        {
            if (Find(input) is { } shape) shapes.Add(input.Name, shape);
            else missing.Add($"'{input.Name}'{(SizesOf(input) is { } sizes ? $" [{string.Join(',', sizes.Select(Text))}]" : "")}");
        }

        return missing.Count == 0 ? shapes : throw new GraphException($"{path} does not say the shape of its {(missing.Count == 1 ? "input" : "inputs")} {string.Join(", ", missing)}; give the sizes: run, and show with --input, take them from arrays");
    }

    /// <summary>Takes the sizes of symbols from a shape that is given; a leading symbol is the batch.</summary>
    private void Learn(ValueInfoProto input)
    {
        if (SizesOf(input) is not { } sizes) return;
        if (sizes.Count > RankLimit) throw OnnxFile.Invalid(path, $"its input '{input.Name}' has {sizes.Count} axes, the limit is {RankLimit}");
        if (!given.TryGetValue(input.Name, out Shape shape))
        {
            if (sizes.Count > 0 && sizes[0].DimParam is { Length: > 0 } leading) _symbols.TryAdd(leading, batch);
            return;
        }

        bool fits = shape.Rank == sizes.Count;
        for (int axis = 0; fits && axis < sizes.Count; axis++)
        {
            fits = !IsFixed(sizes[axis]) || sizes[axis].DimValue == shape[axis];
            if (sizes[axis].DimParam is { Length: > 0 } symbol) _symbols[symbol] = shape[axis];
        }

        if (!fits) throw new GraphException($"{path} takes '{input.Name}' in the shape [{string.Join(',', sizes.Select(Text))}], {shape} was given");
    }

    private Shape? Find(ValueInfoProto input)
    {
        if (given.TryGetValue(input.Name, out Shape shape)) return shape;
        if (SizesOf(input) is not { } sizes) return null;
        long[] found = new long[sizes.Count];
        for (int axis = 0; axis < found.Length; axis++)
        {
            if (IsFixed(sizes[axis])) found[axis] = sizes[axis].DimValue;
            else if (sizes[axis].DimParam is { Length: > 0 } symbol && _symbols.TryGetValue(symbol, out long size)) found[axis] = size;
            else if (axis == 0) found[axis] = batch;
            else return null;
        }

        try
        {
            return new(found);
        }
        catch (OverflowException)
        {
            throw OnnxFile.Invalid(path, $"its input '{input.Name}' has the shape [{string.Join(',', found)}], too many elements to count");
        }
    }

    private static IList<Dimension>? SizesOf(ValueInfoProto input) => input.Type?.TensorType?.Shape?.Dim;
}
