namespace Amalgam.Zoo.Runs;

/// <summary>Weighted means of networks' weights, summed in double precision.</summary>
internal static class Weighted
{
    /// <summary>The mean of networks, parameter by parameter.</summary>
    /// <param name="networks">Weights by name; all have the same names and shapes.</param>
    /// <param name="shares">Weight of each network; 1 in all.</param>
    public static Dictionary<string, Tensor> Mean(IReadOnlyList<IReadOnlyDictionary<string, Tensor>> networks, IReadOnlyList<double> shares) =>
        networks[0].Keys.ToDictionary(name => name, name => Mean([.. networks.Select(network => network[name])], shares), StringComparer.Ordinal);

    private static Tensor Mean(Tensor[] values, IReadOnlyList<double> shares)
    {
        Tensor mean = new(values[0].Shape);
        Span<double> sum = stackalloc double[256];
        for (int start = 0; start < mean.Count; start += sum.Length)
        {
            Span<double> part = sum[..Math.Min(sum.Length, mean.Count - start)];
            part.Clear();
            for (int value = 0; value < values.Length; value++)
            {
                // What has no share may hold anything.
                if (shares[value] == 0) continue;
                ReadOnlySpan<float> x = values[value].Span.Slice(start, part.Length);
                for (int i = 0; i < part.Length; i++) part[i] += shares[value] * x[i];
            }

            for (int i = 0; i < part.Length; i++) mean.Span[start + i] = (float)part[i];
        }

        return mean;
    }
}
