using System.Runtime.CompilerServices;

namespace Amalgam.Numerics;

/// <summary>
/// Cuts a product into blocks that fit the caches, after Goto and van de Geijn (2008): the left factor lies in panels for everybody, each part has its own
/// columns and keeps one panel of them in the first-level cache while the left panels pass by. An element's sum runs over k in the same blocks wherever
/// it is cut, so the result does not depend on threads.
/// </summary>
internal static unsafe class GemmBlocks<T> where T : unmanaged, ILanes<T>
{
    /// <summary>Steps of a block: a panel of right columns then takes 32 KiB at the widest vectors.</summary>
    private const int StepsAtMost = 256;

    /// <summary>Rows that pass by before the next panel of columns: their panels take a part of the second-level cache.</summary>
    private const int RowsAtOnce = 384;

    private const int PanelsAtMost = 8;

    /// <summary>Elements of the left factor that are packed at once.</summary>
    private const long PackedAtMost = 1 << 23;

    /// <summary>Elements of the left factor that stay in the second-level cache while all columns pass by.</summary>
    private const int PackedInCache = 1 << 17;

    /// <summary>Multiplications below which a second thread does not pay.</summary>
    private const long WorthSharing = 1 << 19;

    private readonly record struct Plan(int Steps, int Panels, int Rows, int ColumnParts, int RowParts, bool PackLeft, bool PackRight);

    private readonly struct State(GemmProduct product, Plan plan, nint left)
    {
        public readonly GemmProduct Product = product;
        public readonly Plan Plan = plan;
        public readonly nint Left = left;
    }

    /// <summary>Runs the product; k is at least 1, rows and columns too.</summary>
    public static void Run(in GemmProduct product)
    {
        GemmProduct p = product;
        int steps = Ceiling(p.K, Ceiling(p.K, StepsAtMost)), blocks = PackedInCache / (RoundUp(p.M, T.Rows) * (long)steps) is > 0 and var fit ? (int)fit : int.MaxValue;
        int rows = (int)Math.Clamp(PackedAtMost / p.K / T.Rows * T.Rows, T.Rows, RoundUp(p.M, T.Rows)), depth = blocks < Ceiling(p.K, steps) ? blocks * steps : p.K;
        for (int i = 0; i < p.M; i += rows)
        {
            // Few rows and a long sum, as in the gradient of a weight: some blocks of steps at a time, added to the output as the blocks of one pass are.
            for (int q = 0; q < p.K; q += depth)
            {
                RunRows(new(Math.Min(rows, p.M - i), p.N, Math.Min(depth, p.K - q), p.A + i * p.ARow + q * p.AStep, p.ARow, p.AStep,
                    p.B + q * p.BStep, p.BStep, p.BColumn, p.C + i * p.CRow, p.CRow, p.Add || q > 0), steps);
            }
        }
    }

    private static void RunRows(in GemmProduct product, int steps)
    {
        Plan plan = Choose(product, steps);
        float* left = plan.PackLeft ? Scratch.Floats(ScratchUse.LeftPanels, (long)RoundUp(product.M, T.Rows) * product.K) : null;
        State state = new(product, plan, (nint)left);
        bool share = product.Work >= WorthSharing;
        if (plan.PackLeft)
        {
            int panels = Ceiling(product.M, T.Rows), grain = share ? Math.Max(1, (int)(Cores.WorthSharing / ((long)T.Rows * product.K))) : panels;
            Cores.ForRange(panels, grain, state, static (s, from, to) => PackLeft(s, from, to));
        }

        int parts = plan.ColumnParts * plan.RowParts;
        if (share) Cores.For(parts, state, static (s, part) => RunPart(s, part));
        else
        {
            for (int part = 0; part < parts; part++) RunPart(state, part);
        }
    }

    /// <summary>The plan depends on the sizes alone.</summary>
    private static Plan Choose(in GemmProduct product, int steps)
    {
        int columns = Ceiling(product.N, GemmTile<T>.Columns), rows = Ceiling(product.M, T.Rows);
        int panels = Math.Clamp(columns / 8, 1, PanelsAtMost), columnParts = Ceiling(columns, panels);
        int rowParts = Math.Clamp(8 / columnParts, 1, Math.Max(1, product.M / 96)), rowsOfPart = Ceiling(rows, rowParts) * T.Rows;
        return new(steps, panels, rowsOfPart, columnParts, Ceiling(product.M, rowsOfPart),
            PackLeft: columns > 4 || product.AStep != 1 && columns > 1, PackRight: product.BColumn != 1 || rows > 4);
    }

    /// <summary>Left panels: step block by step block, in each the panels of all rows.</summary>
    private static void PackLeft(in State state, int from, int to)
    {
        GemmProduct p = state.Product;
        long rows = RoundUp(p.M, T.Rows);
        for (int p0 = 0; p0 < p.K; p0 += state.Plan.Steps)
        {
            int k = Math.Min(state.Plan.Steps, p.K - p0);
            float* block = (float*)state.Left + rows * p0;
            for (int panel = from; panel < to; panel++)
            {
                int i = panel * T.Rows;
                GemmPanel.Pack(T.Rows, Math.Min(T.Rows, p.M - i), k, p.A + i * p.ARow + p0 * p.AStep, p.ARow, p.AStep, block + (long)i * k);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunPart(in State state, int part)
    {
        GemmProduct p = state.Product;
        Plan plan = state.Plan;
        int width = GemmTile<T>.Columns;
        int j0 = part % plan.ColumnParts * plan.Panels * width, j1 = Math.Min(p.N, j0 + plan.Panels * width);
        int i0 = part / plan.ColumnParts * plan.Rows, i1 = Math.Min(p.M, i0 + plan.Rows);
        float* right = Scratch.Floats(ScratchUse.RightPanels, (plan.Panels * width + T.Rows) * plan.Steps);
        float* edge = right + plan.Panels * width * plan.Steps;
        for (int p0 = 0; p0 < p.K; p0 += plan.Steps)
        {
            int k = Math.Min(plan.Steps, p.K - p0);
            bool add = p.Add || p0 > 0;
            PackRight(p, plan, j0, j1, p0, k, right);
            if (!plan.PackLeft && (i1 - i0) % T.Rows is > 0 and int rest)
                GemmPanel.Pack(T.Rows, rest, k, p.A + (i1 - rest) * p.ARow + p0 * p.AStep, p.ARow, p.AStep, edge);

            for (int block = i0; block < i1; block += RowsAtOnce)
            {
                int end = Math.Min(i1, block + RowsAtOnce);
                for (int j = j0; j < j1; j += width)
                {
                    int columns = Math.Min(width, p.N - j);
                    bool packed = plan.PackRight || columns < width;
                    float* b = packed ? right + (j - j0) * k : p.B + p0 * p.BStep + j;
                    nint bStep = packed ? width : p.BStep;
                    for (int i = block; i < end; i += T.Rows)
                    {
                        int rows = Math.Min(T.Rows, end - i);
                        float* c = p.C + i * p.CRow + j;
                        if (plan.PackLeft || rows < T.Rows)
                        {
                            float* a = plan.PackLeft ? (float*)state.Left + (long)RoundUp(p.M, T.Rows) * p0 + (long)i * k : edge;
                            if (rows == T.Rows && columns == width) GemmTile<T>.Run<PackedRows>(k, a, 1, T.Rows, b, bStep, null, c, p.CRow, add);
                            else GemmTile<T>.RunPart<PackedRows>(rows, columns, k, a, 1, T.Rows, b, bStep, null, c, p.CRow, add);
                        }
                        else
                        {
                            float* a = p.A + i * p.ARow + p0 * p.AStep;
                            if (columns == width) GemmTile<T>.Run<StridedRows>(k, a, p.ARow, p.AStep, b, bStep, null, c, p.CRow, add);
                            else GemmTile<T>.RunPart<StridedRows>(rows, columns, k, a, p.ARow, p.AStep, b, bStep, null, c, p.CRow, add);
                        }
                    }
                }
            }
        }
    }

    /// <summary>A few steps of all the part's panels at a time: the rows of a wide matrix are far apart, and each is then read in one run.</summary>
    private static void PackRight(in GemmProduct p, in Plan plan, int j0, int j1, int p0, int k, float* right)
    {
        int width = GemmTile<T>.Columns, slice = p.BColumn == 1 ? 8 : k;
        for (int q = 0; q < k; q += slice)
        {
            for (int j = plan.PackRight ? j0 : p.N / width * width; j < j1; j += width)
            {
                GemmPanel.Pack(width, Math.Min(width, p.N - j), Math.Min(slice, k - q), p.B + (p0 + q) * p.BStep + j * p.BColumn, p.BColumn, p.BStep,
                    right + (j - j0) * k + q * width);
            }
        }
    }

    private static int Ceiling(int a, int b) => (a + b - 1) / b;

    private static int RoundUp(int a, int b) => Ceiling(a, b) * b;
}
