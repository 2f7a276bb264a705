using System.Numerics.Tensors;

namespace Amalgam.Zoo.Runs;

/// <summary>Scores of classes for the samples of a data set, and how good they are.</summary>
/// <param name="Scores">A score for each sample and class, <c>[samples, classes]</c>; the largest, the first of equal ones, is the prediction.</param>
public sealed record ClassScores(Tensor Scores)
{
    /// <summary>Number of classes.</summary>
    public int Classes => Scores.Shape.Size(1);

    /// <summary>A score for each sample and class.</summary>
    public Tensor Scores { get; } = Scores.Shape.Rank == 2 && Scores.Shape[1] > 0 ? Scores : throw new InvalidDataException($"expected a score for each sample and class, [samples, classes], found {Scores.Shape}");

    /// <summary>Share of the samples whose class is among the <paramref name="top"/> largest scores; of equal scores the first counts as larger.</summary>
    /// <param name="labels">Class of each sample.</param>
    /// <param name="top">How many scores count.</param>
    /// <param name="among">The classes that may be predicted, and whose samples count; null for all.</param>
    public double Accuracy(ReadOnlySpan<int> labels, int top = 1, IReadOnlyList<int>? among = null)
    {
        int right = 0, samples = 0;
        for (int i = 0; i < labels.Length; i++)
        {
            if (among is not null && !among.Contains(labels[i])) continue;
            samples++;
            if (Rank(i, labels[i], among) < top) right++;
        }

        return samples == 0 ? double.NaN : (double)right / samples;
    }

    /// <summary>For each sample the class with the largest score, the first of equal ones; a score that is no number is not larger than any.</summary>
    public int[] Predictions()
    {
        int[] predicted = new int[Scores.Shape.Size(0)];
        for (int i = 0; i < predicted.Length; i++)
        {
            var row = Row(i);
            for (int j = 1; j < row.Length; j++)
            {
                if (row[j] > row[predicted[i]] || float.IsNaN(row[predicted[i]])) predicted[i] = j;
            }
        }

        return predicted;
    }

    /// <summary>Cross-entropy between the classes and the softmax of the scores, the mean over the samples.</summary>
    /// <param name="labels">Class of each sample.</param>
    public double CrossEntropy(ReadOnlySpan<int> labels)
    {
        double sum = 0;
        for (int i = 0; i < labels.Length; i++)
        {
            var row = Row(i);
            double most = TensorPrimitives.Max<float>(row), all = 0;
            foreach (float score in row) all += Math.Exp(score - most);
            sum += Math.Log(all) + most - row[labels[i]];
        }

        return sum / Math.Max(1, labels.Length);
    }

    /// <summary>How many scores of a sample are before that of its class. A score that is no number is before none, and has all before it.</summary>
    private int Rank(int sample, int label, IReadOnlyList<int>? among)
    {
        var row = Row(sample);
        if (float.IsNaN(row[label])) return Classes;
        int before = 0;
        for (int j = 0; j < row.Length; j++)
        {
            if (j == label || (among is not null && !among.Contains(j))) continue;
            if (row[j] > row[label] || (row[j] == row[label] && j < label)) before++;
        }

        return before;
    }

    private Span<float> Row(int sample) => Scores.Span.Slice(sample * Classes, Classes);
}
