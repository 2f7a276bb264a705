using System.Numerics.Tensors;
using Amalgam.Graphs;
using Amalgam.Numerics;

namespace Amalgam.Alignment;

/// <summary>
/// How alike units are by the weights around them (Xu et al., Training-free pretrained model merging, CVPR 2024: C(Z) of equation 6; with inner products that of Git Re-Basin, Ainsworth
/// et al., ICLR 2023, section 3.2). A unit's row holds everything that parameters say of it: the filter that makes it, its bias and scale, the columns that read it, with all other units
/// where the maps so far send them. Running statistics say nothing.
/// </summary>
public static class WeightSimilarity
{
    /// <summary>The similarity of a class's units under the maps of all other classes.</summary>
    /// <param name="units">The class. Of an outer class only those parameters count that carry none of its inner ones: what these say is counted there.</param>
    /// <param name="models">The networks.</param>
    /// <param name="maps">Where the units of other classes go.</param>
    /// <param name="options">Of these the measure, the gathering, and whether tensors are standardised; to zip, all models' units are compared with all, else the first model's with the others'.</param>
    /// <param name="cancel">Looked at between parameters.</param>
    /// <returns>Null where no parameter says anything of the units. Between units of the first model zero, unless they are to be zipped.</returns>
    public static UnitSimilarity? Of(UnitClass units, Siblings models, UnitMaps maps, AlignmentOptions options, CancellationToken cancel = default)
    {
        UnitPlace[] places = Places(units);
        if (places.Length == 0) return null;
        int rows = models.Count * units.Units;
        RowProducts products = new(rows, options.Matching == UnitMatching.Zip ? rows : units.Units, options.WeightMeasure == SimilarityMeasure.Pearson);
        foreach (UnitPlace place in places)
        {
            cancel.ThrowIfCancellationRequested();
            float[] part = Rows(units, place, models, maps, options);
            products.Add(part, part.Length / rows);
        }

        return new(models.Count, units.Units, products.Similarity(options.WeightMeasure));
    }

    /// <summary>The mean similarity of each unit of the first model with those of the same place in the others, while no unit is moved.</summary>
    /// <returns>NaN where no parameter says anything of the units.</returns>
    public static double InPlace(UnitClass units, Siblings models, AlignmentOptions options)
    {
        UnitPlace[] places = Places(units);
        UnitMaps maps = UnitMaps.Identity(models.Groups, models.Count);
        int rows = models.Count * units.Units;
        RowMoments moments = new(rows, options.WeightMeasure == SimilarityMeasure.Pearson);
        double[] products = new double[rows];
        foreach (UnitPlace place in places)
        {
            float[] part = Rows(units, place, models, maps, options);
            int columns = part.Length / rows;
            double[] shifts = moments.Add(part, columns);
            for (int row = units.Units; row < rows; row++)
            {
                int first = row % units.Units;
                products[row] += Sums.Dot(part.AsSpan(first * columns, columns), part.AsSpan(row * columns, columns)) + shifts[first] * shifts[row];
            }
        }

        if (places.Length == 0) return double.NaN;
        Divisor divisor = new(options.WeightMeasure, moments);
        return Enumerable.Range(units.Units, rows - units.Units).Average(row => products[row] / divisor.Of(row % units.Units, row));
    }

    /// <summary>The parameters that count for a class.</summary>
    internal static UnitPlace[] Places(UnitClass units)
    {
        UnitPlace[] inner = [.. Below(units).SelectMany(below => below.Parameters)];
        return [.. units.Parameters.Where(place => !place.IsStatistic && !inner.Any(other => other.Node == place.Node && (other.Axis != place.Axis || other.Part.Offset == place.Part.Offset)))];
    }

    private static IEnumerable<UnitClass> Below(UnitClass units) => units.Inner.SelectMany(inner => Below(inner).Prepend(inner));

    /// <summary>One row for each unit of each model: what a parameter says of it.</summary>
    private static float[] Rows(UnitClass units, UnitPlace place, Siblings models, UnitMaps maps, AlignmentOptions options)
    {
        Gathering how = options.PaperGathering ? Gathering.Compare : Gathering.Merge;
        int count = units.Units * Rearrangement.ColumnsOf(place, models.Weights[0][place.Node.Name!]);
        float[] rows = GC.AllocateUninitializedArray<float>(checked(models.Count * count));
        for (int model = 0; model < models.Count; model++)
        {
            Tensor moved = Rearrangement.Apply(maps, model, place.Node, models.Weights[model][place.Node.Name!], how, place);
            Rearrangement.Rows(place, moved, rows.AsMemory(model * count, count));
        }

        if (options.StandardiseTensors) Standardise(rows);
        return rows;
    }

    /// <summary>Shifts and scales a tensor's values of all models, so that their mean is 0 and their deviation 1.</summary>
    private static void Standardise(float[] values)
    {
        double mean = Sums.Sum(values) / values.Length;
        TensorPrimitives.Subtract(values, (float)mean, values);
        double deviation = Math.Sqrt(Sums.SumOfSquares(values) / values.Length);
        if (deviation > 0) TensorPrimitives.Divide(values, (float)deviation, values);
    }
}
