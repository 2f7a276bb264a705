namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>The ensemble of networks that score classes, or items as classes: the mean of their probabilities.</summary>
internal static class ClassEnsemble
{
    /// <summary>Logarithms of the means of several networks' softmax over the last axis.</summary>
    /// <param name="networks">Scores of each, of one shape.</param>
    public static Tensor Mean(IReadOnlyList<Tensor> networks)
    {
        Tensor mean = new(networks[0].Shape);
        int classes = mean.Shape.Size(mean.Shape.Rank - 1);
        double[] sum = new double[classes];
        for (int from = 0; from < mean.Count; from += classes)
        {
            Array.Clear(sum);
            foreach (Tensor scores in networks) Add(scores.Span.Slice(from, classes), sum);
            for (int i = 0; i < classes; i++) mean.Span[from + i] = (float)Math.Log(sum[i] / networks.Count);
        }

        return mean;
    }

    /// <summary>Goes through several networks' batches side by side.</summary>
    public static IEnumerable<T[]> Together<T>(IReadOnlyList<IEnumerable<T>> networks)
    {
        var each = networks.Select(n => n.GetEnumerator()).ToArray();
        try
        {
            while (each.All(one => one.MoveNext())) yield return [.. each.Select(one => one.Current)];
        }
        finally
        {
            foreach (var one in each) one.Dispose();
        }
    }

    private static void Add(ReadOnlySpan<float> scores, double[] sum)
    {
        double most = double.NegativeInfinity, whole = 0;
        foreach (float score in scores) most = Math.Max(most, score);
        double[] parts = new double[scores.Length];
        for (int i = 0; i < parts.Length; i++) whole += parts[i] = Math.Exp(scores[i] - most);
        for (int i = 0; i < parts.Length; i++) sum[i] += parts[i] / whole;
    }
}
