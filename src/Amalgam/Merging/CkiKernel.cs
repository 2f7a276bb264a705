using System.Numerics;
using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Merging;

/// <summary>The element-wise part of CKI: local terms, compatibilities, splice, in pieces that stay in the first-level cache.</summary>
internal sealed class CkiKernel(int models, CkiSplice splice, float[] slopes)
{
    private const int Piece = 1024;

    private readonly float[] _local = new float[models * Piece];
    private readonly float[] _term = new float[Piece];
    private readonly float[] _low = new float[Piece];
    private readonly float[] _high = new float[Piece];

    /// <summary>Splices a run of elements within a block.</summary>
    public void Run(Block x, int start, int count, ReadOnlySpan<double> global, Span<float> y)
    {
        // With one local term for all, as two models always have, V grows with g alone; and g tells more entropies apart than V in single precision does.
        if (splice == CkiSplice.Hard && (slopes.Length == 0 || models == 2))
        {
            x[IndexOfFirstLargest(global)].Slice(start, count).CopyTo(y.Slice(start, count));
            return;
        }

        for (int end = start + count; start < end; start += Piece)
        {
            int n = Math.Min(Piece, end - start);
            Compatibilities(x, start, n, global);
            if (splice == CkiSplice.Hard) SpliceHard(x, start, n, y.Slice(start, n));
            else SpliceSoft(x, start, n, y.Slice(start, n));
        }
    }

    private Span<float> Of(int model, int n) => _local.AsSpan(model * Piece, n);

    /// <summary>Fills each model's piece with V = g (1 - exp(-g l)), eqs. 9 and 16.</summary>
    private void Compatibilities(Block x, int start, int n, ReadOnlySpan<double> global)
    {
        if (slopes.Length == 0) _local.AsSpan().Fill(1);
        else LocalTerms(x, start, n);

        for (int k = 0; k < models; k++)
        {
            Span<float> v = Of(k, n);
            float g = (float)global[k];
            TensorPrimitives.Multiply(v, -g, v);
            TensorPrimitives.Exp(v, v);
            Map.Apply<Complement>(v, g, v);
        }
    }

    /// <summary>l_k, the mean over the other models of sigmoid(s |W_k - W_l| / rms), eqs. 4 and 14.</summary>
    private void LocalTerms(Block x, int start, int n)
    {
        _local.AsSpan().Clear();
        Span<float> term = _term.AsSpan(0, n);
        int pair = 0;
        for (int k = 0; k < models; k++)
        {
            for (int l = k + 1; l < models; l++)
            {
                TensorPrimitives.Subtract(x[k].Slice(start, n), x[l].Slice(start, n), term);
                TensorPrimitives.Abs(term, term);
                TensorPrimitives.Multiply(term, slopes[pair++], term);
                TensorPrimitives.Sigmoid(term, term);
                TensorPrimitives.Add(Of(k, n), term, Of(k, n));
                TensorPrimitives.Add(Of(l, n), term, Of(l, n));
            }
        }

        if (models == 2) return;
        TensorPrimitives.Multiply(_local, 1f / (models - 1), _local);
    }

    /// <summary>
    /// Sum of the models' values times the softmax of V, written as the first value plus shares of the differences: equal values come out unchanged. Rounding
    /// is kept from leaving the range of the models' values.
    /// </summary>
    private void SpliceSoft(Block x, int start, int n, Span<float> y)
    {
        Span<float> sum = _term.AsSpan(0, n), low = _low.AsSpan(0, n), high = _high.AsSpan(0, n);
        ReadOnlySpan<float> first = x[0].Slice(start, n);
        if (models == 2)
        {
            // The softmax of two is the sigmoid of their difference.
            TensorPrimitives.Subtract(Of(1, n), Of(0, n), Of(1, n));
            TensorPrimitives.Sigmoid(Of(1, n), Of(1, n));
        }
        else
        {
            sum.Clear();
            for (int k = 0; k < models; k++)
            {
                TensorPrimitives.Exp(Of(k, n), Of(k, n));
                TensorPrimitives.Add(sum, Of(k, n), sum);
            }

            for (int k = 1; k < models; k++) TensorPrimitives.Divide(Of(k, n), sum, Of(k, n));
        }

        y.Clear();
        first.CopyTo(low);
        first.CopyTo(high);
        for (int k = 1; k < models; k++)
        {
            ReadOnlySpan<float> values = x[k].Slice(start, n);
            TensorPrimitives.Subtract(values, first, sum);
            TensorPrimitives.MultiplyAdd(sum, Of(k, n), y, y);
            TensorPrimitives.Min(low, values, low);
            TensorPrimitives.Max(high, values, high);
        }

        TensorPrimitives.Add(first, y, y);
        TensorPrimitives.Max(y, low, y);
        TensorPrimitives.Min(y, high, y);
    }

    private static int IndexOfFirstLargest(ReadOnlySpan<double> x)
    {
        int best = 0;
        for (int i = 1; i < x.Length; i++)
            if (x[i] > x[best]) best = i;
        return best;
    }

    private void SpliceHard(Block x, int start, int n, Span<float> y)
    {
        for (int i = 0; i < n; i++)
        {
            int best = 0;
            for (int k = 1; k < models; k++)
                if (_local[k * Piece + i] > _local[best * Piece + i]) best = k;
            y[i] = x[best][start + i];
        }
    }

    private readonly struct Complement : IMap2
    {
        public static Vector<float> Invoke(Vector<float> a, Vector<float> b) => (Vector<float>.One - a) * b;
    }
}
