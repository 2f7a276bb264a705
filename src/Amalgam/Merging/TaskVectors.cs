using System.Numerics.Tensors;

namespace Amalgam.Merging;

/// <summary>Differences of fine-tuned models from their base (Ilharco et al. 2023, Editing models with task arithmetic).</summary>
internal static class TaskVectors
{
    /// <summary>Overwrites every model's values in a block with its difference from the base.</summary>
    public static void Subtract(Block x, int models)
    {
        for (int i = 0; i < models; i++) TensorPrimitives.Subtract(x[i], x.Base, x[i]);
    }
}
