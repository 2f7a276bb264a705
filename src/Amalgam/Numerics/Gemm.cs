using System.Runtime.Intrinsics;

namespace Amalgam.Numerics;

/// <summary>Products of row-major float matrices, on all cores, with the same bits whatever their number. Warmed up, no call allocates.</summary>
public static unsafe class Gemm
{
    /// <summary>Multiplications in a batch's item from which the item itself is shared between cores.</summary>
    private const long WorthSplitting = 1 << 22;

    private readonly struct Batch(GemmProduct product, int rank, int* sizes, int* aStrides, int* bStrides)
    {
        /// <summary>Matrix number <paramref name="index"/>, the innermost batch axis counting fastest.</summary>
        public GemmProduct Item(int index)
        {
            long a = 0, b = 0;
            int rest = index;
            for (int axis = rank - 1; axis >= 0; axis--)
            {
                int i = rest % sizes[axis];
                rest /= sizes[axis];
                a += (long)i * aStrides[axis];
                b += (long)i * bStrides[axis];
            }

            return product.At(a, b, (long)index * product.M * product.N);
        }
    }

    /// <summary>c = op(a) op(b), or c += op(a) op(b): dense row-major matrices, op(a) is [m,k], op(b) is [k,n], c is [m,n].</summary>
    /// <param name="m">Rows of c.</param>
    /// <param name="n">Columns of c.</param>
    /// <param name="k">Length of the sums; zero gives zeros.</param>
    /// <param name="a">[m,k], or [k,m] when transposed.</param>
    /// <param name="transposeA">op(a) is the transpose of a.</param>
    /// <param name="b">[k,n], or [n,k] when transposed.</param>
    /// <param name="transposeB">op(b) is the transpose of b.</param>
    /// <param name="c">The product; it must not overlap the factors.</param>
    /// <param name="add">Adds to what c holds.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is negative, or a span is not as long as its sizes say.</exception>
    public static void Multiply(int m, int n, int k, ReadOnlySpan<float> a, bool transposeA, ReadOnlySpan<float> b, bool transposeB, Span<float> c, bool add = false)
    {
        Check(m, n, k);
        ArgumentOutOfRangeException.ThrowIfNotEqual(a.Length, (long)m * k, nameof(a));
        ArgumentOutOfRangeException.ThrowIfNotEqual(b.Length, (long)k * n, nameof(b));
        ArgumentOutOfRangeException.ThrowIfNotEqual(c.Length, (long)m * n, nameof(c));
        fixed (float* pa = a, pb = b, pc = c) Run(Product(m, n, k, pa, transposeA, pb, transposeB, pc, add));
    }

    /// <summary>
    /// Many products of one shape: item number i of c, dense one after another, is the product of the matrices that start at the strides' sums. A stride of zero
    /// uses one matrix for all items of an axis.
    /// </summary>
    /// <param name="sizes">Sizes of the batch axes, outermost first.</param>
    /// <param name="m">Rows of an item.</param>
    /// <param name="n">Columns of an item.</param>
    /// <param name="k">Length of the sums.</param>
    /// <param name="a">The left matrices.</param>
    /// <param name="aStrides">Distance of a's matrices along each batch axis, in elements.</param>
    /// <param name="transposeA">Each left matrix is stored as [k,m].</param>
    /// <param name="b">The right matrices.</param>
    /// <param name="bStrides">Distance of b's matrices along each batch axis, in elements.</param>
    /// <param name="transposeB">Each right matrix is stored as [n,k].</param>
    /// <param name="c">The products.</param>
    /// <param name="add">Adds to what c holds.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size or stride is negative, or a span is shorter than its sizes say.</exception>
    public static void MultiplyBatch(ReadOnlySpan<int> sizes, int m, int n, int k, ReadOnlySpan<float> a, ReadOnlySpan<int> aStrides, bool transposeA,
        ReadOnlySpan<float> b, ReadOnlySpan<int> bStrides, bool transposeB, Span<float> c, bool add = false)
    {
        Check(m, n, k);
        ArgumentOutOfRangeException.ThrowIfNotEqual(aStrides.Length, sizes.Length, nameof(aStrides));
        ArgumentOutOfRangeException.ThrowIfNotEqual(bStrides.Length, sizes.Length, nameof(bStrides));
        long count = 1, aEnd = (long)m * k, bEnd = (long)k * n;
        for (int axis = 0; axis < sizes.Length; axis++)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(sizes[axis], nameof(sizes));
            ArgumentOutOfRangeException.ThrowIfNegative(aStrides[axis], nameof(aStrides));
            ArgumentOutOfRangeException.ThrowIfNegative(bStrides[axis], nameof(bStrides));
            count = checked(count * sizes[axis]);
            aEnd += (sizes[axis] - 1L) * aStrides[axis];
            bEnd += (sizes[axis] - 1L) * bStrides[axis];
        }

        ArgumentOutOfRangeException.ThrowIfNotEqual(c.Length, checked(count * m * n), nameof(c));
        if (count == 0) return;
        ArgumentOutOfRangeException.ThrowIfLessThan(a.Length, aEnd, nameof(a));
        ArgumentOutOfRangeException.ThrowIfLessThan(b.Length, bEnd, nameof(b));
        fixed (float* pa = a, pb = b, pc = c)
        fixed (int* ps = sizes, pas = aStrides, pbs = bStrides)
        {
            Batch batch = new(Product(m, n, k, pa, transposeA, pb, transposeB, pc, add), sizes.Length, ps, pas, pbs);
            long work = Math.Max(1, (long)m * n * k);
            if (work >= WorthSplitting && count < 8 || work * count < WorthSplitting / 8)
            {
                for (int i = 0; i < count; i++) Run(batch.Item(i));
            }
            else
            {
                int grain = (int)Math.Max(1, WorthSplitting / 16 / work);
                Cores.ForRange((int)count, grain, batch, static (s, from, to) =>
                {
                    for (int i = from; i < to; i++) Run(s.Item(i));
                });
            }
        }
    }

    /// <summary>Any product on the widest vectors that the machine has.</summary>
    internal static void Run(in GemmProduct product)
    {
        if (Vector512.IsHardwareAccelerated) Run<Lanes512>(product);
        else if (Vector256.IsHardwareAccelerated) Run<Lanes256>(product);
        else Run<Lanes128>(product);
    }

    internal static void Run<T>(in GemmProduct product) where T : unmanaged, ILanes<T>
    {
        GemmProduct p = product;
        if (p.M == 0 || p.N == 0) return;
        if (p.K == 0)
        {
            for (int i = 0; !p.Add && i < p.M; i++) new Span<float>(p.C + i * p.CRow, p.N).Clear();
        }
        else if (p.M == 1) GemmVector<T>.Run(p.N, p.K, p.A, p.AStep, p.B, p.BStep, p.BColumn, p.C, p.Add);
        else if (p.N == 1 && p.CRow == 1) GemmVector<T>.Run(p.M, p.K, p.B, p.BStep, p.A, p.AStep, p.ARow, p.C, p.Add);
        else GemmBlocks<T>.Run(p);
    }

    internal static GemmProduct Product(int m, int n, int k, float* a, bool transposeA, float* b, bool transposeB, float* c, bool add) =>
        new(m, n, k, a, transposeA ? 1 : k, transposeA ? m : 1, b, transposeB ? 1 : n, transposeB ? k : 1, c, n, add);

    private static void Check(int m, int n, int k)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(m);
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        ArgumentOutOfRangeException.ThrowIfNegative(k);
    }
}
