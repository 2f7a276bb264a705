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
}
