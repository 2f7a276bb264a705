using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Zoo.Runs;

/// <summary>What a matrix does in a network.</summary>
public enum MatrixRole
{
    /// <summary>It reads the input, with no other matrix before it.</summary>
    First,

    /// <summary>It stands between others.</summary>
    Hidden,

    /// <summary>A convolution of each channel by itself.</summary>
    Channelwise,

    /// <summary>It makes the values of the last attention.</summary>
    Values,

    /// <summary>It makes the result.</summary>
    Output,

    /// <summary>No product reads it: it is looked up in or added, as embeddings are.</summary>
    Table,
}

/// <summary>A matrix of a network that may take part in a transfer.</summary>
/// <param name="Matrix">The matrix; of one in which several stand together the rows that do what the role says.</param>
/// <param name="Role">What it does.</param>
/// <param name="IsTrained">Whether training changes it, so that a transfer may write to it.</param>
public sealed record TransferCandidate(WeightMatrix Matrix, MatrixRole Role, bool IsTrained)
{
    /// <summary>Numbers in it.</summary>
    public long Size => (long)Matrix.Rows * Matrix.Columns;

    /// <summary>The matrices of a network: tables, then those of products in the order in which they are read. What each does is found from the operations.</summary>
    public static ImmutableArray<TransferCandidate> AllOf(Graph network)
    {
        NetworkProducts products = new(network);
        var values = products.Values;
        ImmutableArray<WeightMatrix> read = WeightMatrix.AllOf(network);
        HashSet<string> names = [.. read.Select(matrix => matrix.Name)];
        var tables = network.Parameters.Values.Where(p => p.Shape.Rank > 1 && p.Shape.Count > 0 && !names.Contains(p.Name!))
            .Select(p => new TransferCandidate(WeightMatrix.Of(network, p.Name!), MatrixRole.Table, p.Trainable));
        return [.. tables, .. read.Select(matrix =>
        {
            Node parameter = network.Parameters[matrix.Name];
            MatrixRole role = parameter == products.Output ? MatrixRole.Output
                : parameter == values?.Parameter ? MatrixRole.Values
                : products.Channelwise.Contains(parameter) ? MatrixRole.Channelwise
                : products.First.Contains(parameter) ? MatrixRole.First : MatrixRole.Hidden;
            WeightMatrix part = role == MatrixRole.Values && values?.Rows is { } rows ? WeightMatrix.Of(network, matrix.Name, rows: rows) : matrix;
            return new TransferCandidate(part, role, parameter.Trainable);
        })];
    }
}
