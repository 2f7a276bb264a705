using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Numerics.Tensors;
using Amalgam.Checkpoints;
using Amalgam.Numerics;

namespace Amalgam.Merging;

/// <summary>
/// One tensor of every model, as a merge method sees it: passes over blocks of floats that read from the checkpoints, and a last pass that writes. Memory
/// does not depend on the tensor's size.
/// </summary>
/// <remarks>
/// Blocks and the segments that workers take are a function of the tensor's shape and the method alone, and sums are added up in their order, so the result
/// has the same bytes with any number of threads and any window of reading.
/// </remarks>
public sealed class TensorMerge
{
    /// <summary>Elements of a block, where a method does not need whole rows.</summary>
    internal const int BlockElements = 8192;

    /// <summary>From here on a tensor is worth several workers.</summary>
    internal const long LargeElements = 2 * BlocksOfASegment * BlockElements;

    private const int MostSegments = 64;
    private const int BlocksOfASegment = 32;
    private const int MostTerms = 1 << 22;

    private readonly MergeContext _context;
    private readonly TensorEntry? _base;
    private readonly ImmutableArray<TensorEntry> _models;
    private readonly ImmutableArray<int> _numbers;
    private readonly TensorOutput? _output;
    private readonly int _block;
    private int _passes;
    private volatile bool _isSpoiled;

    /// <param name="spec">Name, type and shape of the merged tensor; every input has this shape.</param>
    /// <param name="origin">The base's tensor, where the method has a base.</param>
    /// <param name="models">The models' tensors.</param>
    /// <param name="numbers">Which model of the recipe each is, from 0; random masks depend on it.</param>
    /// <param name="grain">Elements that must lie in one block: 1, or a method's rows.</param>
    /// <param name="context">What the run shares.</param>
    /// <param name="output">Where the merged tensor goes; null for a survey.</param>
    /// <param name="survey">What the method learnt from all tensors before.</param>
    internal TensorMerge(
        TensorSpec spec,
        TensorEntry? origin,
        ImmutableArray<TensorEntry> models,
        ImmutableArray<int> numbers,
        long grain,
        MergeContext context,
        TensorOutput? output,
        object? survey = null)
    {
        (Spec, _base, _models, _numbers, _context, _output) = (spec, origin, models, numbers, context, output);
        Survey = survey;
        _block = checked((int)BlockOf(grain));
    }

    /// <summary>Name, type and shape of the merged tensor.</summary>
    public TensorSpec Spec { get; }

    /// <summary>The merged tensor's name.</summary>
    public string Name => Spec.Name;

    /// <summary>The shape of the merged tensor and of every input.</summary>
    public Shape Shape => Spec.Shape;

    /// <summary>Number of models, without the base.</summary>
    public int Models => _models.Length;

    /// <summary>There is a base.</summary>
    public bool HasBase => _base is not null;

    /// <summary>The seed of the run.</summary>
    public long Seed => _context.Seed;

    /// <summary>What <see cref="MergeMethod.Survey"/> returned.</summary>
    public object? Survey { get; }

    /// <summary>Number of blocks.</summary>
    internal long Blocks => (Shape.Count + _block - 1) / _block;

    /// <summary>Which model of the recipe an input is, from 0.</summary>
    public int NumberOf(int model) => _numbers[model];

    /// <summary>The number of the block that begins at an element.</summary>
    internal long BlockAt(long first) => first / _block;

    /// <summary>Elements of a block: whole grains.</summary>
    internal static long BlockOf(long grain) => grain >= BlockElements ? grain : BlockElements / Math.Max(1, grain) * Math.Max(1, grain);

    /// <summary>Sums over all elements, added up in a fixed order.</summary>
    /// <param name="terms">How many sums.</param>
    /// <param name="add">Adds a block's contribution to each.</param>
    public double[] Sum(int terms, BlockFold<double[]> add) =>
        Fold(terms, () => new double[terms], add, (sum, next) => TensorPrimitives.Add(sum, next, sum));

    /// <summary>Counts over all elements; whole numbers, so the order of adding does not matter and workers keep one set each.</summary>
    /// <param name="terms">How many counts.</param>
    /// <param name="add">Adds a block's contribution to each.</param>
    public long[] Count(int terms, BlockFold<long[]> add)
    {
        bool check = _passes++ == 0;
        int segments = Segments(MostSegments);
        ConcurrentBag<long[]> sets = [];
        ForEachSegment(segments, (segment, buffers) =>
        {
            if (!sets.TryTake(out long[]? counts)) counts = new long[terms];
            Read(buffers, segment, segments, check, block => add(block, counts));
            sets.Add(counts);
        });

        sets.TryTake(out long[]? total);
        foreach (long[] counts in sets) TensorPrimitives.Add(total, counts, total);
        return total!;
    }

    /// <summary>Smallest and largest value of each model; (0, 0) for an empty tensor.</summary>
    public (float Min, float Max)[] Ranges()
    {
        float[] limits = Fold<float[]>(
            2 * Models,
            () => [.. Enumerable.Range(0, Models).SelectMany(_ => (float[])[float.PositiveInfinity, float.NegativeInfinity])],
            (x, sum) =>
            {
                for (int i = 0; i < Models; i++)
                {
                    var (min, max) = Histogram.Range(x[i]);
                    (sum[2 * i], sum[2 * i + 1]) = (Math.Min(sum[2 * i], min), Math.Max(sum[2 * i + 1], max));
                }
            },
            (sum, next) =>
            {
                for (int i = 0; i < Models; i++)
                    (sum[2 * i], sum[2 * i + 1]) = (Math.Min(sum[2 * i], next[2 * i]), Math.Max(sum[2 * i + 1], next[2 * i + 1]));
            });
        return [.. Enumerable.Range(0, Models).Select(i => Shape.Count == 0 ? (0, 0) : (limits[2 * i], limits[2 * i + 1]))];
    }

    /// <summary>One pass with an accumulator per segment; segments are combined in order.</summary>
    /// <param name="terms">Size of an accumulator, which bounds how many there are.</param>
    /// <param name="start">A fresh accumulator.</param>
    /// <param name="add">Adds a block's contribution.</param>
    /// <param name="combine">Adds the second accumulator to the first.</param>
    public TSum Fold<TSum>(int terms, Func<TSum> start, BlockFold<TSum> add, Action<TSum, TSum> combine) where TSum : class
    {
        bool check = _passes++ == 0;
        int segments = Segments(Math.Clamp(MostTerms / Math.Max(1, terms), 1, MostSegments));
        TSum?[] sums = new TSum?[segments];
        ForEachSegment(segments, (segment, buffers) =>
        {
            TSum sum = sums[segment] = start();
            Read(buffers, segment, segments, check, block => add(block, sum));
        });

        for (int i = 1; i < segments; i++) combine(sums[0]!, sums[i]!);
        return sums[0]!;
    }

    /// <summary>One pass in which each block is visited once, in any order.</summary>
    internal void Visit(BlockVisit visit)
    {
        bool check = _passes++ == 0;
        int segments = Segments(MostSegments);
        ForEachSegment(segments, (segment, buffers) => Read(buffers, segment, segments, check, visit));
    }

    /// <summary>Reads one block, by its number.</summary>
    internal void VisitBlock(long block, BlockVisit visit)
    {
        BlockBuffers buffers = _context.Rent();
        long first = block * _block;
        Read(buffers, first, Math.Min(first + _block, Shape.Count), false, visit);
        _context.Return(buffers);
    }

    /// <summary>The last pass: computes the merged tensor block by block and writes it.</summary>
    /// <exception cref="MergeException">A merged value is not finite, or does not fit the output's type.</exception>
    public void Write(BlockMap map)
    {
        TensorOutput output = _output ?? throw new InvalidOperationException("a survey does not write");
        bool check = _passes++ == 0, spoiled = _isSpoiled || (Survey is not null && _context.HasNonFinites);
        int segments = Segments(MostSegments);
        ForEachSegment(segments, (segment, buffers) =>
        {
            Read(buffers, segment, segments, check, block =>
            {
                Span<float> merged = buffers.Merged.AsSpan(0, block.Count);
                map(block, merged);
                output.Add(this, block.First, merged, spoiled || buffers.IsSpoiled, buffers, _context);
            });
            output.Flush(buffers, _context);
        });
    }

    private int Segments(int most) => (int)Math.Clamp(Blocks / BlocksOfASegment, 1, most);

    private void ForEachSegment(int segments, Action<int, BlockBuffers> body)
    {
        void Run(long segment)
        {
            BlockBuffers buffers = _context.Rent();
            body((int)segment, buffers);
            _context.Return(buffers);
        }

        if (segments == 1) Run(0);
        else _context.ForEach(segments, Run);
    }

    private void Read(BlockBuffers buffers, int segment, int segments, bool check, BlockVisit visit)
    {
        long blocks = Blocks;
        long first = blocks * segment / segments * _block, end = Math.Min(blocks * (segment + 1) / segments * _block, Shape.Count);
        Read(buffers, first, end, check, visit);
    }

    /// <summary>Reads a range window by window and hands its blocks on, in order.</summary>
    private void Read(BlockBuffers buffers, long first, long end, bool check, BlockVisit visit)
    {
        buffers.Fit(Models, (int)Math.Min(_block, Math.Max(1, Shape.Count)));
        long window = (long)_block * _context.WindowBlocks;
        for (; first < end; first += window)
        {
            _context.Parallel.CancellationToken.ThrowIfCancellationRequested();
            int count = (int)Math.Min(window, end - first);
            for (int i = 0; i < Models; i++) ReadRaw(_models[i], first, count, ref buffers.Raw[i]);
            if (_base is not null) ReadRaw(_base, first, count, ref buffers.Raw[Models]);
            for (int at = 0; at < count; at += _block)
            {
                int run = Math.Min(_block, count - at);
                bool finite = true;
                for (int i = 0; i < Models; i++) finite &= Widen(_models[i], buffers.Raw[i]!, at, buffers.Values[i].AsSpan(0, run), first + at, check);
                if (_base is not null) finite &= Widen(_base, buffers.Raw[Models]!, at, buffers.Base.AsSpan(0, run), first + at, check);
                buffers.IsSpoiled = !finite;
                if (!finite) _isSpoiled = true;
                visit(new(first + at, run, buffers.Values, _base is null ? null : buffers.Base));
            }
        }
    }

    private static void ReadRaw(TensorEntry tensor, long first, int count, ref byte[]? raw)
    {
        int bytes = checked((int)tensor.DType.BytesOf(count));
        BlockBuffers.Grow(ref raw, bytes);
        tensor.Read(first, raw.AsSpan(0, bytes));
    }

    /// <returns>All values are finite, or were looked at before.</returns>
    private bool Widen(TensorEntry tensor, byte[] raw, int at, Span<float> values, long first, bool check)
    {
        int width = tensor.DType.Bits / 8;
        var stored = raw.AsSpan(at * width, values.Length * width);
        tensor.DType.Widen(stored, values);
        return !check || _context.CheckFinite(tensor, first, values, stored);
    }
}
