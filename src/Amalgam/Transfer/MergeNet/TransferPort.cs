using Amalgam.Graphs;

namespace Amalgam.Transfer.MergeNet;

/// <summary>Where the numbers of a transfer's matrix are read and written while a network trains: the weight itself, or its factor A.</summary>
internal sealed class TransferPort
{
    private readonly WeightMatrix? _view;
    private readonly Tensor _tensor;

    /// <param name="network">The network that trains, its weights of a rank above 0 encoded. A matrix that is not trained is decomposed apart.</param>
    /// <param name="matrix">The matrix.</param>
    public TransferPort(Graph network, TransferMatrix matrix)
    {
        if (matrix.Rank > 0 && network.Parameters.ContainsKey(matrix.Matrix.Name)) network = LowRank.Encode(network, [LowRankOf(matrix)]);
        Parameter = matrix.Rank > 0 ? LowRankOf(matrix).NameOfA : matrix.Matrix.Name;
        Node node = network.Parameters.GetValueOrDefault(Parameter) ?? throw new GraphException($"{matrix.Learner} has no weight '{Parameter}'");
        if (matrix.Rank == 0) _view = matrix.Matrix;
        (_tensor, IsTrained) = (node.Value!, node.Trainable);
        (Rows, Columns) = (matrix.Rank > 0 ? LowRankOf(matrix).Inner : matrix.Matrix.Rows, matrix.Matrix.Columns);
        if (_view is null) ArgumentOutOfRangeException.ThrowIfNotEqual(_tensor.Count, Rows * Columns, Parameter);
    }

    /// <summary>Name of the parameter.</summary>
    public string Parameter { get; }

    /// <summary>Whether training changes it.</summary>
    public bool IsTrained { get; }

    public int Rows { get; }

    public int Columns { get; }

    public static LowRank LowRankOf(TransferMatrix matrix) => new(matrix.Matrix, matrix.Rank, matrix.Start, matrix.Alpha);

    /// <summary>Reads the matrix as it is now.</summary>
    public void Read(Span<float> matrix) => Read(_tensor, matrix);

    /// <summary>Reads the matrix of another tensor of the parameter's shape, such as its gradient.</summary>
    public void Read(Tensor tensor, Span<float> matrix)
    {
        if (_view is null) tensor.Span.CopyTo(matrix);
        else _view.Read(tensor.Span, matrix);
    }

    /// <summary>Writes the matrix.</summary>
    public void Write(ReadOnlySpan<float> matrix) => Write(matrix, _tensor);

    /// <summary>Writes the matrix into another tensor of the parameter's shape, such as its momentum.</summary>
    public void Write(ReadOnlySpan<float> matrix, Tensor tensor)
    {
        if (_view is null) matrix.CopyTo(tensor.Span);
        else _view.Write(matrix, tensor.Span);
    }
}
