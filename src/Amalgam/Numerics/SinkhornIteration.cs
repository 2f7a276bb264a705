using System.Numerics.Tensors;

namespace Amalgam.Numerics;

/// <summary>
/// Sinkhorn's iteration on the logarithms of the scalings (Peyre and Cuturi, "Computational optimal transport", 2019, section 4.4): in turn the rows' scalings are set so that the rows have their
/// masses, then the columns'.
/// </summary>
internal sealed class SinkhornIteration
{
    private readonly int _rows, _columns;
    private readonly double[] _kernel, _turned, _rowLog, _columnLog, _rowScale, _columnScale;

    /// <exception cref="ArgumentException">The regularisation is not above 0, or so small that a cost over it is no number.</exception>
    public SinkhornIteration(in TransportProblem problem, double regularization)
    {
        (_rows, _columns) = (problem.Rows.Length, problem.Columns.Length);
        (_kernel, _turned) = (new double[problem.Cost.Length], new double[problem.Cost.Length]);
        double least = TensorPrimitives.Min(problem.Cost);
        double range = (TensorPrimitives.Max(problem.Cost) - least) / regularization;
        if (!(regularization > 0 && range < 1e300)) throw new ArgumentException($"the regularisation is {regularization}: it must be above 0, and costs over it must be finite", nameof(regularization));
        TensorPrimitives.Subtract(problem.Cost, least, _kernel);
        TensorPrimitives.Divide(_kernel, -regularization, _kernel);
        for (int row = 0; row < _rows; row++)
        {
            for (int column = 0; column < _columns; column++) _turned[column * _rows + row] = _kernel[row * _columns + column];
        }

        (_rowLog, _columnLog) = (new double[_rows], new double[_columns]);
        TensorPrimitives.Log(problem.Rows, _rowLog);
        TensorPrimitives.Log(problem.Columns, _columnLog);
        (_rowScale, _columnScale) = (new double[_rows], new double[_columns]);
    }

    /// <summary>Rounds that were made.</summary>
    public int Rounds { get; private set; }

    /// <summary>Iterates until the rows' masses are as near as asked for, and says whether they are.</summary>
    /// <param name="rows">The rows' masses.</param>
    /// <param name="distance">Largest Euclidean distance of the plan's.</param>
    /// <param name="rounds">Rounds at most.</param>
    /// <param name="cancel">Ends it.</param>
    public bool Run(ReadOnlySpan<double> rows, double distance, int rounds, CancellationToken cancel)
    {
        double[] sums = new double[_rows], masses = new double[_rows];
        while (true)
        {
            cancel.ThrowIfCancellationRequested();
            Sums(_kernel, _columnScale, sums);
            if (Rounds > 0)
            {
                TensorPrimitives.Add(_rowScale, sums, masses);
                TensorPrimitives.Exp(masses, masses);
                if (TensorPrimitives.Distance<double>(masses, rows) <= distance) return true;
            }

            if (Rounds >= rounds) return false;
            TensorPrimitives.Subtract(_rowLog, sums, _rowScale);
            Sums(_turned, _rowScale, _columnScale);
            TensorPrimitives.Subtract(_columnLog, _columnScale, _columnScale);
            Rounds++;
        }
    }

    /// <summary>The plan's masses, row-major.</summary>
    public double[] Masses()
    {
        for (int row = 0; row < _rows; row++)
        {
            Span<double> of = _kernel.AsSpan(row * _columns, _columns);
            TensorPrimitives.Add(of, _columnScale, of);
            TensorPrimitives.Add(of, _rowScale[row], of);
        }

        TensorPrimitives.Exp(_kernel, _kernel);
        return _kernel;
    }

    /// <summary>Logarithm of the sum of exp(kernel + scale) of each line of the kernel.</summary>
    private static void Sums(double[] kernel, double[] scale, double[] y) =>
        Cores.ForRange(y.Length, Math.Max(1, Cores.WorthSharing / scale.Length), (kernel, scale, y), static (s, start, end) =>
        {
            double[] line = new double[s.scale.Length];
            for (int i = start; i < end; i++)
            {
                TensorPrimitives.Add(s.kernel.AsSpan(i * line.Length, line.Length), s.scale, line);
                double largest = TensorPrimitives.Max<double>(line);
                TensorPrimitives.Subtract(line, largest, line);
                TensorPrimitives.Exp(line, line);
                s.y[i] = largest + Math.Log(TensorPrimitives.Sum<double>(line));
            }
        });
}
