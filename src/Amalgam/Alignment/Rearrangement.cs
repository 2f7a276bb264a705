using Amalgam.Graphs;

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
    /// <param name="except">Units that stay where they are: a place of this parameter whose class and outer classes are not moved on that axis, nor on others where they carry its blocks.</param>
    public static Tensor Apply(UnitMaps maps, int model, Node parameter, Tensor value, Gathering how = Gathering.Merge, UnitPlace? except = null) => throw new NotImplementedException();

    /// <summary>All parameters of one model.</summary>
    public static IReadOnlyDictionary<string, Tensor> Apply(UnitMaps maps, int model, IReadOnlyDictionary<string, Tensor> weights) =>
        maps.Groups.Graph.Parameters.ToDictionary(p => p.Key, p => Apply(maps, model, p.Value, weights[p.Key]), StringComparer.Ordinal);

    /// <summary>The mean of all models after their units were moved.</summary>
    public static IReadOnlyDictionary<string, Tensor> Merge(UnitMaps maps, Siblings models) => throw new NotImplementedException();

    /// <summary>
    /// The values of a place as rows, one per unit counted over all blocks, most significant digit of the class's chain first; each row holds everything else of the tensor in its order.
    /// </summary>
    /// <param name="place">Where the units are, in a parameter or a computed value.</param>
    /// <param name="value">The tensor; an axis may have more positions than the place says by a leading factor, which then counts as samples.</param>
    /// <param name="rows">[units, count / units], filled.</param>
    public static void Rows(UnitPlace place, Tensor value, Span<float> rows) => throw new NotImplementedException();
}
