namespace Amalgam.Numerics;

/// <summary>One product of matrices given by pointers and distances: a(i,p) = A[i * ARow + p * AStep], b(p,j) = B[p * BStep + j * BColumn], rows of c are contiguous.</summary>
internal readonly unsafe struct GemmProduct(int m, int n, int k, float* a, nint aRow, nint aStep, float* b, nint bStep, nint bColumn, float* c, nint cRow, bool add)
{
    public readonly int M = m, N = n, K = k;
    public readonly float* A = a, B = b, C = c;
    public readonly nint ARow = aRow, AStep = aStep, BStep = bStep, BColumn = bColumn, CRow = cRow;
    public readonly bool Add = add;

    /// <summary>Multiplications.</summary>
    public long Work => (long)M * N * K;

    /// <summary>The same product for other matrices of these shapes.</summary>
    public GemmProduct At(long a, long b, long c) => new(M, N, K, A + a, ARow, AStep, B + b, BStep, BColumn, C + c, CRow, Add);
}
