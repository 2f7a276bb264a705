using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Merging.Recipes;

namespace Amalgam.Transfer.MergeNet;

/// <summary>How the filters of a convolution are seen as a matrix. Both are the same for kernels of one element.</summary>
public enum ConvolutionLayout
{
    /// <summary>A row is a filter, a column is an element of it: [outputs, inputs / groups x kernel].</summary>
    Filters,

    /// <summary>
    /// As in loralib, for square kernels of side k: the elements [outputs, inputs / groups, k, k] in their order under the shape [outputs / groups x k, inputs x k]; element (o, i, u, v) is at row ((o I + i) k + u) k + v
    /// div C and column the same mod C, where I = inputs / groups and C = inputs x k.
    /// </summary>
    Loralib,
}

/// <summary>
/// A parameter of a network seen as a matrix: a row for each output and a column for each input of the operation that reads it, in whichever order they are stored; or some rows of it, as of a matrix in which those of
/// queries, keys and values stand one below the other. A parameter that no product and no convolution reads, such as an embedding, has its first axis as rows, axes of length 1 before it aside.
/// </summary>
public sealed record WeightMatrix
{
    private const int MostNamed = 5;

    /// <summary>Stored as [groups, outputs, inputs, taps], or as [groups, inputs, outputs, taps] where outputs and inputs are exchanged.</summary>
    private readonly int _outputs, _inputs, _taps;

    private readonly bool _isExchanged;

    private WeightMatrix(string name, Shape shape, int groups, int outputs, int inputs, int taps, bool isExchanged, (int From, int Count)? rows)
    {
        (Name, Shape, _outputs, _inputs, _taps, _isExchanged) = (name, shape, outputs, inputs, taps, isExchanged);
        (AllRows, Columns) = (groups * outputs, inputs * taps);
        (FirstRow, Rows) = rows ?? (0, AllRows);
        if (FirstRow < 0 || Rows < 1 || (long)FirstRow + Rows > AllRows)
            throw new GraphException($"'{name}' is a matrix of {AllRows} rows and {Columns} columns; it has no {Rows} rows from row {FirstRow} on");
    }

    /// <summary>The parameter's name.</summary>
    public string Name { get; }

    /// <summary>Rows: outputs.</summary>
    public int Rows { get; private init; }

    /// <summary>Columns: inputs, of a convolution with the elements of the kernel.</summary>
    public int Columns { get; }

    /// <summary>The first row of the whole matrix that is a row of this one.</summary>
    public int FirstRow { get; private init; }

    /// <summary>Rows of the whole matrix.</summary>
    public int AllRows { get; }

    /// <summary>The parameter's shape.</summary>
    public Shape Shape { get; }

    /// <summary>The parameter with the rows where they are not all: <c>in_proj_weight[0..768]</c>.</summary>
    public string Label => Rows == AllRows ? Name : $"{Name}[{FirstRow}..{FirstRow + Rows}]";

    /// <summary>The highest rank of an encoding of it.</summary>
    public int HighestRank => Math.Min(Rows, Columns) / Side;

    /// <summary>Side of the kernel in loralib's layout, 1 otherwise: a rank there stands for as many rows and columns of the factors.</summary>
    public int Side { get; private init; } = 1;

    /// <summary>A parameter as a matrix.</summary>
    /// <param name="network">The network; the operation that reads the parameter says how it is stored.</param>
    /// <param name="name">The parameter's name.</param>
    /// <param name="layout">How the filters of a convolution become a matrix.</param>
    /// <param name="rows">The first row and the number of rows; null for all.</param>
    /// <exception cref="GraphException">There is no such parameter, it is a vector, or it has no such rows or layout.</exception>
    public static WeightMatrix Of(Graph network, string name, ConvolutionLayout layout = ConvolutionLayout.Filters, (int From, int Count)? rows = null)
    {
        if (!network.Parameters.TryGetValue(name, out Node? parameter)) throw Missing(network, name);
        if (parameter.Shape.Rank < 2) throw new GraphException($"'{name}' {parameter.Shape} is a vector; knowledge goes from matrix to matrix: name a weight of two axes or more");
        if (parameter.Shape.Count == 0) throw new GraphException($"'{name}' {parameter.Shape} has no elements");
        return Of(parameter, WeightReader.AllOf(network).GetValueOrDefault(parameter), layout, rows);
    }

    /// <summary>The weights of all matrix products, convolutions and recurrent layers, in the order in which they are read.</summary>
    public static ImmutableArray<WeightMatrix> AllOf(Graph network) =>
        [.. WeightReader.AllOf(network).Where(reader => reader.Key.Shape.Count > 0).Select(reader => Of(reader.Key, reader.Value, ConvolutionLayout.Filters, null))];

    /// <summary>Copies the matrix out of the parameter. Allocates nothing.</summary>
    /// <param name="parameter">All elements of the parameter.</param>
    /// <param name="matrix">Receives rows x columns elements, row by row.</param>
    public void Read(ReadOnlySpan<float> parameter, Span<float> matrix)
    {
        Check(parameter.Length, matrix.Length);
        if (!_isExchanged)
        {
            parameter.Slice(FirstRow * Columns, matrix.Length).CopyTo(matrix);
            return;
        }

        for (int row = 0, to = 0; row < Rows; row++)
        {
            for (int input = 0; input < _inputs; input++, to += _taps) parameter.Slice(At(row, input), _taps).CopyTo(matrix[to..]);
        }
    }

    /// <summary>Copies the matrix into the parameter, whose other rows stay. Allocates nothing.</summary>
    /// <param name="matrix">Rows x columns elements, row by row.</param>
    /// <param name="parameter">All elements of the parameter.</param>
    public void Write(ReadOnlySpan<float> matrix, Span<float> parameter)
    {
        Check(parameter.Length, matrix.Length);
        if (!_isExchanged)
        {
            matrix.CopyTo(parameter[(FirstRow * Columns)..]);
            return;
        }

        for (int row = 0, from = 0; row < Rows; row++)
        {
            for (int input = 0; input < _inputs; input++, from += _taps) matrix.Slice(from, _taps).CopyTo(parameter[At(row, input)..]);
        }
    }

    /// <summary>Whether two matrices of one network have elements in common.</summary>
    public bool Overlaps(WeightMatrix other) => Name == other.Name && (AllRows != other.AllRows || (FirstRow < other.FirstRow + other.Rows && other.FirstRow < FirstRow + Rows));

    /// <summary>For example <c>fc.weight [100, 2048]</c>.</summary>
    public override string ToString() => $"{Label} [{Rows}, {Columns}]";

    /// <summary>All rows.</summary>
    internal WeightMatrix Whole => Part(0, AllRows);

    /// <summary>For people: the parameter's shape, and how it is seen.</summary>
    internal string Description =>
        $"{Shape} with {AllRows} rows of {Columns}, {(_isExchanged ? "inputs before outputs" : "outputs before inputs")}{(AllRows > _outputs ? $" in {AllRows / _outputs} groups" : "")}{(Side > 1 ? ", in loralib's layout" : "")}";

    /// <summary>All rows of the parameter of this name in a network, in the layout of this matrix where that gives the same.</summary>
    /// <exception cref="GraphException">There is no such matrix.</exception>
    internal WeightMatrix In(Graph network)
    {
        WeightMatrix filters = Of(network, Name);
        if (filters == Whole || filters._isExchanged || filters.Shape.Rank != 4 || filters.Shape[2] != filters.Shape[3]) return filters;
        WeightMatrix other = Of(network, Name, ConvolutionLayout.Loralib);
        return other == Whole ? other : filters;
    }

    /// <summary>Some rows, by their numbers in the whole matrix.</summary>
    internal WeightMatrix Part(int from, int count) => this with { FirstRow = from, Rows = count };

    /// <summary>The parameter's value from the whole matrix.</summary>
    internal Node ToParameter(Node whole)
    {
        if (!_isExchanged) return whole.ReshapeTo(Shape);
        return whole.Reshape(AllRows / _outputs, _outputs, _inputs, _taps).Transpose(0, 2, 1, 3).ReshapeTo(Shape);
    }

    private static WeightMatrix Of(Node parameter, WeightReader? reader, ConvolutionLayout layout, (int From, int Count)? rows)
    {
        Shape shape = parameter.Shape;
        string name = parameter.Name!;
        if (reader is null && shape.Rank > 2)
        {
            int first = 0;
            while (first < shape.Rank - 2 && shape[first] == 1) first++;
            return new(name, shape, 1, shape.Size(first), (int)(shape.Count / shape[first]), 1, false, rows);
        }

        if (reader is null or { IsConvolution: false })
        {
            int outputs = shape.Size(^2), inputs = shape.Size(^1);
            bool isExchanged = reader is { IsExchanged: true };
            if (isExchanged) (outputs, inputs) = (inputs, outputs);
            return new(name, shape, (int)(shape.Count / outputs / inputs), outputs, inputs, 1, isExchanged, rows);
        }

        int groups = reader.Groups, taps = (int)(shape.Count / shape[0] / shape[1]);
        if (layout == ConvolutionLayout.Filters)
        {
            return reader.IsExchanged
                ? new(name, shape, groups, shape.Size(1), shape.Size(0) / groups, taps, true, rows)
                : new(name, shape, 1, shape.Size(0), shape.Size(1), taps, false, rows);
        }

        if (reader.IsExchanged || shape.Rank != 4 || shape[2] != shape[3])
            throw new GraphException($"'{name}' {shape}: the loralib layout is for the square kernels [outputs, inputs, k, k] of plain convolutions; use the layout of filters");
        int side = shape.Size(2);
        return new(name, shape, 1, shape.Size(0) / groups * side, shape.Size(1) * groups * side, 1, false, rows) { Side = side };
    }

    /// <summary>Where the elements of a row that belong to one input begin in the parameter, whose outputs and inputs are exchanged.</summary>
    private int At(int row, int input)
    {
        var (group, output) = Math.DivRem(FirstRow + row, _outputs);
        return ((group * _inputs + input) * _outputs + output) * _taps;
    }

    private void Check(int parameter, int matrix)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(parameter, Shape.Count, nameof(parameter));
        ArgumentOutOfRangeException.ThrowIfNotEqual(matrix, Rows * Columns, nameof(matrix));
    }

    private static GraphException Missing(Graph network, string name)
    {
        string[] known = [.. network.Parameters.Values.Where(p => p.Shape.Rank > 1).Select(p => p.Name!)];
        string[] shown = [.. known.OrderBy(k => k.Contains(name, StringComparison.OrdinalIgnoreCase) ? 0 : 1).Take(MostNamed)];
        string more = known.Length > shown.Length ? $" and {known.Length - shown.Length} more" : "";
        string hint = name != "" && known.FirstOrDefault(k => k.StartsWith($"{name}.", StringComparison.OrdinalIgnoreCase)) is { } longer ? $" (did you mean '{longer}'?)" : Nearest.Hint(name, known);
        return new($"the network has no parameter {Nearest.Quote(name)}{hint}; its matrices are {string.Join(", ", shown.Select(k => $"'{k}'"))}{more}");
    }
}
