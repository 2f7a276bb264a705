using Amalgam.Checkpoints;

namespace Amalgam.Zoo.Runs;

/// <summary>Vectors that stand for classes: the one matrix <c>[classes, units]</c> of a checkpoint.</summary>
public static class ClassVectors
{
    /// <summary>Reads them.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or does not hold exactly one matrix of numbers.</exception>
    public static Tensor Read(string path)
    {
        using Checkpoint checkpoint = Checkpoint.Open(path);
        TensorEntry[] matrices = [.. checkpoint.Tensors.Where(t => t.Shape.Rank == 2 && t.DType.IsReadable)];
        if (matrices.Length != 1) throw new InvalidDataException($"{path} has {matrices.Length} matrices, expected one [classes, units]");
        Tensor vectors = new(matrices[0].Shape);
        GraphWeights.Read(matrices[0], vectors);
        return vectors;
    }

    /// <summary>Reads those of the classes that a run learns, in its order.</summary>
    /// <param name="path">The checkpoint.</param>
    /// <param name="classes">The classes, by row; empty for all.</param>
    /// <exception cref="InvalidDataException">The file is damaged, or has no row for a class.</exception>
    public static Tensor Read(string path, IReadOnlyList<int> classes)
    {
        Tensor all = Read(path);
        if (classes.Count == 0) return all;
        int units = all.Shape.Size(1);
        Tensor chosen = new(new(classes.Count, units));
        for (int i = 0; i < classes.Count; i++)
        {
            if (classes[i] >= all.Shape[0]) throw new InvalidDataException($"{path} has vectors for {all.Shape[0]} classes, none for class {classes[i]}");
            all.Span.Slice(classes[i] * units, units).CopyTo(chosen.Span[(i * units)..]);
        }

        return chosen;
    }
}
