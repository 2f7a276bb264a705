using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Amalgam.Numerics;

/// <summary>
/// Eigenvalues and eigenvectors of a symmetric matrix of some thousand rows: Householder's reduction to three diagonals, then implicit QL steps (Golub and Van Loan, Matrix Computations, 4th edition, 8.3), in double
/// precision and with the same bits for any number of threads.
/// </summary>
internal sealed class TridiagonalEigen
{
    private const int MostSteps = 100;
    private const double Precision = 2.2e-16;

    private readonly int _size;
    private readonly double[] _reflections, _factors, _diagonal, _beside, _rotated;

    /// <param name="matrix">Row by row, both halves; it becomes what the reduction needs.</param>
    /// <param name="size">Number of rows.</param>
    /// <param name="mostSteps">Steps for one value, of which some three are the rule.</param>
    /// <param name="cancel">Stops between rows.</param>
    /// <exception cref="ArithmeticException">A value is no finite number or becomes none, or the steps do not suffice.</exception>
    public TridiagonalEigen(double[] matrix, int size, int mostSteps = MostSteps, CancellationToken cancel = default)
    {
        (_size, _reflections, _factors, _diagonal, _beside, _rotated) = (size, matrix, new double[size], new double[size], new double[size], new double[size * size]);
        Reduce(cancel);
        for (int i = 0; i < size; i++) _rotated[i * size + i] = 1;
        Diagonalize(mostSteps, cancel);
    }

    /// <summary>The eigenvalues, in no order.</summary>
    public ReadOnlySpan<double> Values => _diagonal;

    /// <summary>Computes the eigenvector of length 1 of an eigenvalue.</summary>
    public void CopyVector(int index, Span<double> to)
    {
        _rotated.AsSpan(index * _size, _size).CopyTo(to);
        for (int k = _size - 3; k >= 0; k--)
        {
            Span<double> v = Reflection(k), part = to[(k + 1)..];
            TensorPrimitives.MultiplyAdd(v, -_factors[k] * TensorPrimitives.Dot<double>(v, part), part, part);
        }
    }

    /// <summary>The vector of reflection k, which leaves the first k + 1 positions alone; it stands where the reduced row was.</summary>
    private Span<double> Reflection(int k) => _reflections.AsSpan(k * _size + k + 1, _size - k - 1);

    private void Reduce(CancellationToken cancel)
    {
        double[] products = new double[_size];
        for (int k = 0; k < _size - 2; k++)
        {
            cancel.ThrowIfCancellationRequested();
            _diagonal[k] = _reflections[k * _size + k];
            Span<double> v = Reflection(k), p = products.AsSpan(0, v.Length);
            double first = v[0], rest = TensorPrimitives.SumOfSquares<double>(v[1..]);
            if (rest == 0)
            {
                _beside[k] = first;
                continue;
            }

            double length = Math.Sqrt(first * first + rest);
            _beside[k] = first > 0 ? -length : length;
            v[0] = first - _beside[k];
            _factors[k] = 2 / (v[0] * v[0] + rest);
            Multiply(k, products);
            TensorPrimitives.Multiply(p, _factors[k], p);
            TensorPrimitives.MultiplyAdd(v, -0.5 * _factors[k] * TensorPrimitives.Dot<double>(p, v), p, p);
            Subtract(k, products);
        }

        for (int k = Math.Max(0, _size - 2); k < _size; k++) _diagonal[k] = _reflections[k * _size + k];
        if (_size > 1) _beside[_size - 2] = _reflections[(_size - 2) * _size + _size - 1];
    }

    /// <summary>Row i of what is not yet reduced behind row k, the first one being row k + 1.</summary>
    private Span<double> Row(int k, int i) => _reflections.AsSpan((k + 1 + i) * _size + k + 1, _size - k - 1);

    /// <summary>products = A v.</summary>
    private void Multiply(int k, double[] products) => Cores.ForRange(_size - k - 1, Math.Max(1, Cores.WorthSharing / _size), (This: this, k, products), static (s, from, to) =>
    {
        for (int i = from; i < to; i++) s.products[i] = TensorPrimitives.Dot<double>(s.This.Row(s.k, i), s.This.Reflection(s.k));
    });

    /// <summary>A -= v p' + p v'.</summary>
    private void Subtract(int k, double[] p) => Cores.ForRange(_size - k - 1, Math.Max(1, Cores.WorthSharing / _size), (This: this, k, p), static (s, from, to) =>
    {
        Span<double> v = s.This.Reflection(s.k), p = s.p.AsSpan(0, v.Length);
        for (int i = from; i < to; i++)
        {
            Span<double> row = s.This.Row(s.k, i);
            TensorPrimitives.MultiplyAdd(v, -p[i], row, row);
            TensorPrimitives.MultiplyAdd(p, -v[i], row, row);
        }
    });

    private void Diagonalize(int mostSteps, CancellationToken cancel)
    {
        double[] d = _diagonal, e = _beside;
        double size = 0;
        for (int i = 0; i < _size; i++) size = double.Max(size, Math.Abs(d[i]) + Math.Abs(e[i]));
        if (!double.IsFinite(size)) throw new ArithmeticException($"a symmetric matrix of {_size} rows has no finite eigenvalues");
        for (int l = 0; l < _size; l++)
        {
            cancel.ThrowIfCancellationRequested();
            for (int step = 0; ; step++)
            {
                int m = l;
                while (m < _size - 1 && Math.Abs(e[m]) > Precision * size) m++;
                if (m == l) break;
                if (step == mostSteps) throw new ArithmeticException($"the eigenvalues of a symmetric matrix of {_size} rows did not converge in {mostSteps} steps");
                Step(d, e, l, m);
            }
        }
    }

    /// <summary>One implicit QL step with Wilkinson's shift on the rows from l to m.</summary>
    private void Step(double[] d, double[] e, int l, int m)
    {
        double g = (d[l + 1] - d[l]) / (2 * e[l]), r = double.Hypot(g, 1), s = 1, c = 1, p = 0;
        g = d[m] - d[l] + e[l] / (g + Math.CopySign(r, g));
        for (int i = m - 1; i >= l; i--)
        {
            double f = s * e[i], b = c * e[i];
            r = double.Hypot(f, g);
            e[i + 1] = r;
            if (r == 0)
            {
                d[i + 1] -= p;
                e[m] = 0;
                return;
            }

            (s, c) = (f / r, g / r);
            g = d[i + 1] - p;
            r = (d[i] - g) * s + 2 * c * b;
            p = s * r;
            d[i + 1] = g + p;
            g = c * r - b;
            Rotate(_rotated.AsSpan(i * _size, _size), _rotated.AsSpan((i + 1) * _size, _size), s, c);
        }

        d[l] -= p;
        e[l] = g;
        e[m] = 0;
    }

    private static void Rotate(Span<double> first, Span<double> second, double s, double c)
    {
        var a = MemoryMarshal.Cast<double, Vector<double>>(first);
        var b = MemoryMarshal.Cast<double, Vector<double>>(second);
        for (int i = 0; i < a.Length; i++) (a[i], b[i]) = (c * a[i] - s * b[i], s * a[i] + c * b[i]);
        for (int i = a.Length * Vector<double>.Count; i < first.Length; i++) (first[i], second[i]) = (c * first[i] - s * second[i], s * first[i] + c * second[i]);
    }
}
