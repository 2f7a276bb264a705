using System.Numerics.Tensors;

namespace Amalgam.Numerics;

/// <summary>
/// The largest eigenvalues of G = M M' with their vectors, without G: the block Lanczos method with full reorthogonalisation (Golub and Van Loan, Matrix Computations, 4th edition, 10.3), in double precision. Its block has a
/// vector for each value that is asked for, so that none of a repeated value is missed. It ends when the residuals |G x - value x| say that it may.
/// </summary>
internal sealed class BlockLanczos
{
    /// <summary>Largest residual, over the largest value: the rounding of the matrix, which is of single precision. Values are nearer than that, by its square over their distance.</summary>
    private const double Tolerance = 1e-7;

    /// <summary>What is left of a vector, over the largest length, when nothing new is in it.</summary>
    private const double Nothing = 1e-13;

    /// <summary>How much the basis grows between two looks at the residuals.</summary>
    private const double Growth = 1.25;

    private const int Columns = 256;

    private readonly double[] _matrix, _basis, _projected;
    private readonly int _size, _length, _width, _most;
    private double _scale;
    private int _count;
    private uint _drawn;

    private BlockLanczos(double[] matrix, int size, int length, int width, int most)
    {
        (_matrix, _size, _length, _width, _most) = (matrix, size, length, width, most);
        (_basis, _projected) = (new double[most * size], new double[most * most]);
    }

    /// <summary>Finds them.</summary>
    /// <param name="matrix">M, row by row.</param>
    /// <param name="size">Rows of M.</param>
    /// <param name="length">Columns of M.</param>
    /// <param name="count">How many values.</param>
    /// <param name="cancel">Stops between blocks.</param>
    /// <returns>The vectors, the largest value's first, of length 1 and row by row; null where a basis of half the size does not hold them, so that a full decomposition is no more work.</returns>
    public static double[]? Of(double[] matrix, int size, int length, int count, CancellationToken cancel = default)
    {
        BlockLanczos lanczos = new(matrix, size, length, count, size / 2);
        if (lanczos._most < 2 * count) return null;
        for (int i = 0; i < count; i++) lanczos.Draw();
        for (int next = 2 * count; lanczos._count + count <= lanczos._most;)
        {
            cancel.ThrowIfCancellationRequested();
            int before = lanczos._count;
            lanczos.Extend();
            if (before < next) continue;
            if (lanczos.Vectors(before) is { } vectors) return vectors;
            next = (int)(before * Growth);
        }

        return null;
    }

    /// <summary>Applies G to the last block and adds what is new in it to the basis.</summary>
    private void Extend()
    {
        int first = _count - _width, before = _count;
        double[] block = Apply(first);
        for (int j = 0; j < _width; j++) _scale = Math.Max(_scale, TensorPrimitives.Norm<double>(block.AsSpan(j * _size, _size)));
        for (int pass = 0; pass < 2; pass++)
        {
            double[] along = Products(_basis, before, block, _width, _size);
            for (int i = 0; i < before; i++) TensorPrimitives.Add(Projected(i, first), along.AsSpan(i * _width, _width), Projected(i, first));
            TensorPrimitives.Negate<double>(along, along);
            Combine(along, before, _basis, _size, block, _width);
        }

        for (int j = 0; j < _width; j++)
        {
            Span<double> y = block.AsSpan(j * _size, _size);
            for (int pass = 0; pass < 2; pass++)
            {
                for (int i = before; i < _count; i++) _projected[i * _most + first + j] += Subtract(Vector(i), y);
            }

            double length = TensorPrimitives.Norm<double>(y);
            if (length <= Nothing * _scale)
            {
                Draw();
                continue;
            }

            TensorPrimitives.Divide(y, length, Vector(_count));
            _projected[_count++ * _most + first + j] = length;
        }
    }

    /// <summary>Adds a random vector that is orthogonal to the basis.</summary>
    private void Draw()
    {
        Span<double> y = Vector(_count);
        uint[] bits = new uint[_size];
        Philox.Fill(_drawn++, 0, bits);
        for (int i = 0; i < _size; i++) y[i] = bits[i] / 4294967296.0 - 0.5;
        for (int pass = 0; pass < 2; pass++)
        {
            for (int i = 0; i < _count; i++) Subtract(Vector(i), y);
            TensorPrimitives.Divide(y, TensorPrimitives.Norm<double>(y), y);
        }

        _count++;
    }

    /// <summary>The vectors from the first part of the basis, if their residuals are small: what G makes of them outside of that part.</summary>
    private double[]? Vectors(int part)
    {
        double[] inner = new double[part * part];
        for (int i = 0; i < part; i++)
        {
            for (int j = 0; j <= i; j++) inner[i * part + j] = inner[j * part + i] = 0.5 * (_projected[i * _most + j] + _projected[j * _most + i]);
        }

        TridiagonalEigen eigen = new(inner, part);
        double[] values = eigen.Values.ToArray(), share = new double[part], shares = new double[part * _width];
        int[] order = [.. Enumerable.Range(0, part).OrderByDescending(i => values[i]).Take(_width)];
        for (int k = 0; k < _width; k++)
        {
            eigen.CopyVector(order[k], share);
            double squares = 0;
            for (int i = part; i < _count; i++)
            {
                double outside = TensorPrimitives.Dot<double>(_projected.AsSpan(i * _most, part), share);
                squares += outside * outside;
            }

            if (Math.Sqrt(squares) > Tolerance * values[order[0]]) return null;
            for (int i = 0; i < part; i++) shares[i * _width + k] = share[i];
        }

        double[] vectors = new double[_width * _size];
        Combine(shares, part, _basis, _size, vectors, _width);
        return vectors;
    }

    /// <summary>G of a block of the basis, row by row.</summary>
    private double[] Apply(int first)
    {
        double[] across = Transposed(_basis.AsSpan(first * _size, _width * _size), _width, _size), inner = new double[_width * _length];
        Combine(across, _size, _matrix, _length, inner, _width);
        return Transposed(Products(_matrix, _size, inner, _width, _length), _size, _width);
    }

    private Span<double> Vector(int index) => _basis.AsSpan(index * _size, _size);

    /// <summary>Some of what G makes of the block from a vector on, along vector i.</summary>
    private Span<double> Projected(int i, int first) => _projected.AsSpan(i * _most + first, _width);

    private static double Subtract(ReadOnlySpan<double> unit, Span<double> from)
    {
        double along = TensorPrimitives.Dot(unit, from);
        TensorPrimitives.MultiplyAdd(unit, -along, from, from);
        return along;
    }

    /// <summary>The products of rows with rows, [rows, others].</summary>
    private static double[] Products(double[] matrix, int rows, double[] others, int count, int length)
    {
        double[] products = new double[rows * count];
        Cores.ForRange(rows, Math.Max(1, Cores.WorthSharing / (count * length)), (matrix, others, products, count, length), static (s, from, to) =>
        {
            for (int i = from; i < to; i++)
            {
                ReadOnlySpan<double> row = s.matrix.AsSpan(i * s.length, s.length);
                for (int j = 0; j < s.count; j++) s.products[i * s.count + j] = TensorPrimitives.Dot(row, s.others.AsSpan(j * s.length, s.length));
            }
        });
        return products;
    }

    /// <summary>Adds rows by weights [rows, sums] to sums.</summary>
    private static void Combine(double[] weights, int rows, double[] matrix, int length, double[] sums, int count) =>
        Cores.For((length + Columns - 1) / Columns, (weights, rows, matrix, length, sums, count), static (s, part) =>
        {
            int from = part * Columns, width = Math.Min(Columns, s.length - from);
            for (int i = 0; i < s.rows; i++)
            {
                ReadOnlySpan<double> row = s.matrix.AsSpan(i * s.length + from, width);
                for (int j = 0; j < s.count; j++)
                {
                    Span<double> sum = s.sums.AsSpan(j * s.length + from, width);
                    TensorPrimitives.MultiplyAdd(row, s.weights[i * s.count + j], sum, sum);
                }
            }
        });

    private static double[] Transposed(ReadOnlySpan<double> matrix, int rows, int columns)
    {
        double[] transposed = new double[matrix.Length];
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++) transposed[j * rows + i] = matrix[i * columns + j];
        }

        return transposed;
    }
}
