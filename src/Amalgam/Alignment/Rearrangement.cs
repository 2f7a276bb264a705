using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Numerics;

namespace Amalgam.Alignment;

/// <summary>How units that become one are put together.</summary>
public enum Gathering
{
    /// <summary>As the network is written (ZipIt!, MuDSC): what makes a unit becomes the mean over all members of the merged unit, what is summed over it the sum.</summary>
    Merge,

    /// <summary>As MuDSC's code compares weights (its similarity of weights, equation 6): the mean on the side that is summed over, the sum on the side that makes.</summary>
    Compare,
}

/// <summary>Moves the weights of a network to where its units go.</summary>
public static class Rearrangement
{
    /// <summary>
    /// One parameter of one model, with its units where the maps send them. The mean over the models of what this gives is the merged network (averaging), so on the side
    /// of a mean each model's share is scaled by models / members of the merged unit.
    /// </summary>
    /// <param name="maps">Where units go.</param>
    /// <param name="model">Which model of the maps.</param>
    /// <param name="parameter">The parameter, a node of the groups' graph.</param>
    /// <param name="value">Its value in the model.</param>
    /// <param name="how">How members are put together; of no account for permutations, whose result has the very bits of the value.</param>
    /// <param name="except">A place of this parameter whose units, and the blocks that they are in, stay where they are.</param>
    public static Tensor Apply(UnitMaps maps, int model, Node parameter, Tensor value, Gathering how = Gathering.Merge, UnitPlace? except = null)
    {
        ImmutableArray<AxisLayout> layout = maps.Groups.LayoutOf(parameter);
        if (CoupledMove.IsNeeded(layout)) return new CoupledMove(maps, model, parameter, layout, how, except).Apply(value);
        AxisMove[] moves = [.. Enumerable.Range(0, layout.Length).Select(axis => new AxisMove(maps, model, parameter, layout, axis, how, except)).Where(move => !move.IsIdentity)];
        // An axis whose units follow the blocks of another axis is moved while that one still has its blocks in their own places.
        foreach (AxisMove move in moves.OrderBy(move => move.Guide is null)) value = move.Apply(value);
        return value;
    }

    /// <summary>All parameters of one model.</summary>
    public static IReadOnlyDictionary<string, Tensor> Apply(UnitMaps maps, int model, IReadOnlyDictionary<string, Tensor> weights) =>
        maps.Groups.Graph.Parameters.ToDictionary(p => p.Key, p => Apply(maps, model, p.Value, weights[p.Key]), StringComparer.Ordinal);

    /// <summary>The mean of all models after their units were moved.</summary>
    public static IReadOnlyDictionary<string, Tensor> Merge(UnitMaps maps, Siblings models) =>
        maps.Groups.Graph.Parameters.ToDictionary(p => p.Key, p => Merge(maps, models, p.Value), StringComparer.Ordinal);

    /// <summary>The mean of one parameter over all models after their units were moved.</summary>
    public static Tensor Merge(UnitMaps maps, Siblings models, Node parameter) =>
        Mean([.. Enumerable.Range(0, models.Count).Select(model => Apply(maps, model, parameter, models.Weights[model][parameter.Name!]))]);

    /// <summary>The mean of tensors of one shape, summed in double, so that the mean of any number of copies has their bits.</summary>
    internal static Tensor Mean(IReadOnlyList<Tensor> values)
    {
        Tensor mean = new(values[0].Shape);
        Span<double> sum = stackalloc double[256];
        for (int start = 0; start < mean.Count; start += sum.Length)
        {
            Span<double> part = sum[..Math.Min(sum.Length, mean.Count - start)];
            for (int value = 0; value < values.Count; value++)
            {
                ReadOnlySpan<float> x = values[value].Span.Slice(start, part.Length);
                for (int i = 0; i < part.Length; i++) part[i] = value == 0 ? x[i] : part[i] + x[i];
            }

            for (int i = 0; i < part.Length; i++) mean.Span[start + i] = (float)(part[i] / values.Count);
        }

        return mean;
    }

    /// <summary>
    /// The values of a place as rows, one per unit counted over all blocks, most significant digit of the class's chain first; each row holds everything else of the tensor in its order.
    /// </summary>
    /// <param name="place">Where the units are, in a parameter or a computed value.</param>
    /// <param name="value">The tensor; an axis may have more positions than the place says by a leading factor, which then counts as samples.</param>
    /// <param name="rows">[units, <see cref="ColumnsOf"/>], filled.</param>
    public static void Rows(UnitPlace place, Tensor value, Memory<float> rows)
    {
        int columns = ColumnsOf(place, value);
        ArgumentOutOfRangeException.ThrowIfNotEqual(rows.Length, place.Units.Units * columns, nameof(rows));
        int rank = value.Shape.Rank;
        int[] steps = new int[rank];
        for (int axis = rank - 1, step = 1; axis >= 0; step *= value.Shape.Size(axis--)) steps[axis] = step;
        StridedCopy copy = default;
        int first = 0, row = place.Units.Units * columns;
        foreach (ChainDigit at in place.Chain)
        {
            UnitDigit digit = at.Part.Digits[at.Digit];
            row /= digit.Size;
            copy.Add(digit.Size, digit.Stride * steps[at.Axis], row);
        }

        for (int axis = 0; axis < rank; axis++)
        {
            ChainDigit[] here = [.. place.Chain.Where(at => at.Axis == axis)];
            if (here.Length == 0)
            {
                columns /= value.Shape.Size(axis);
                copy.Add(value.Shape.Size(axis), steps[axis], columns);
                continue;
            }

            AxisPart part = here[0].Part;
            first += part.Offset * steps[axis];
            int whole = WholeOf(place, axis), samples = value.Shape.Size(axis) / whole;
            columns /= samples;
            copy.Add(samples, whole * steps[axis], columns);
            for (int i = 0; i < part.Digits.Length; i++)
            {
                if (here.Any(at => at.Digit == i)) continue;
                columns /= part.Digits[i].Size;
                copy.Add(part.Digits[i].Size, part.Digits[i].Stride * steps[axis], columns);
            }
        }

        copy.Run(value.Memory, first, rows, 0);
    }

    /// <summary>Number of columns of <see cref="Rows"/>.</summary>
    public static int ColumnsOf(UnitPlace place, Tensor value)
    {
        long columns = 1;
        for (int axis = 0; axis < value.Shape.Rank; axis++)
        {
            ChainDigit[] here = [.. place.Chain.Where(at => at.Axis == axis)];
            if (here.Length == 0)
            {
                columns *= value.Shape[axis];
                continue;
            }

            columns *= value.Shape[axis] / WholeOf(place, axis);
            for (int i = 0; i < here[0].Part.Digits.Length; i++)
            {
                if (here.All(at => at.Digit != i)) columns *= here[0].Part.Digits[i].Size;
            }
        }

        return checked((int)columns);
    }

    /// <summary>Positions that an axis has in the network that was analysed.</summary>
    private static int WholeOf(UnitPlace place, int axis) => place.Node.Shape.Size(axis);
}
