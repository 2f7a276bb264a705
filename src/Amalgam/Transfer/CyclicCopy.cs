namespace Amalgam.Transfer;

/// <summary>Weights of one layer in the shape of another's (Wang et al., heterogeneous model transfer between different neural networks; CLAFusion's baseline).</summary>
public static class CyclicCopy
{
    /// <summary>
    /// Kernels are resized bilinearly, with the corners' outer edges aligned; along each other axis the source begins again where it ends: y[j, i] = x[j mod o, i mod i']. Nothing is scaled.
    /// </summary>
    /// <param name="source">Weights of any rank; from the third axis on they are kernels.</param>
    /// <param name="shape">A shape of the same rank.</param>
    /// <exception cref="ArgumentException">The ranks differ, or the source is empty.</exception>
    public static Tensor Of(Tensor source, Shape shape)
    {
        if (source.Shape.Rank != shape.Rank || source.Count == 0) throw new ArgumentException($"{source.Shape} cannot be copied to {shape}: both need as many axes", nameof(source));
        Tensor y = source;
        for (int axis = 2; axis < shape.Rank; axis++) y = Resized(y, axis, shape.Size(axis));
        for (int axis = 0; axis < Math.Min(2, shape.Rank); axis++) y = Repeated(y, axis, shape.Size(axis));
        return y == source ? source.Copy() : y;
    }

    private static Tensor Repeated(Tensor x, int axis, int size) => x.Shape[axis] == size ? x : Along(x, axis, size, (i, old) => (i % old, i % old, 0));

    /// <summary>PyTorch's interpolate with align_corners=False, one axis at a time.</summary>
    private static Tensor Resized(Tensor x, int axis, int size) => x.Shape[axis] == size ? x : Along(x, axis, size, (i, old) =>
    {
        double at = Math.Max(0, (i + 0.5) * old / size - 0.5);
        int first = Math.Min((int)at, old - 1);
        return (first, Math.Min(first + 1, old - 1), at - first);
    });

    /// <summary>Every position along an axis as a mean of two of the source.</summary>
    private static Tensor Along(Tensor x, int axis, int size, Func<int, int, (int First, int Second, double Share)> of)
    {
        long[] sizes = x.Shape.Sizes.ToArray();
        int old = (int)sizes[axis], inner = 1;
        for (int i = axis + 1; i < sizes.Length; i++) inner *= (int)sizes[i];
        int outer = x.Count / (old * inner);
        sizes[axis] = size;
        Tensor y = new(new(sizes));
        for (int position = 0; position < size; position++)
        {
            var (first, second, share) = of(position, old);
            for (int block = 0; block < outer; block++)
            {
                ReadOnlySpan<float> a = x.Span.Slice((block * old + first) * inner, inner), b = x.Span.Slice((block * old + second) * inner, inner);
                Span<float> to = y.Span.Slice((block * size + position) * inner, inner);
                for (int i = 0; i < inner; i++) to[i] = share == 0 ? a[i] : (float)(a[i] + share * ((double)b[i] - a[i]));
            }
        }

        return y;
    }
}
