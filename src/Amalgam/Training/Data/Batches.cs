using Amalgam.Numerics;

namespace Amalgam.Training.Data;

/// <summary>
/// The samples of a data set in batches, epoch after epoch. Step s fills the same numbers whenever it is asked for: the order of an epoch is a function of
/// (seed, epoch), so a run resumes by going on at its step. One at a time: an object serves one thread.
/// </summary>
public sealed class Batches
{
    private readonly long _seed;
    private readonly ulong _key;
    private readonly bool _shuffle;
    private readonly int[] _order;
    private readonly uint[] _random;
    private int _epoch = -1;

    /// <param name="data">Where the samples come from.</param>
    /// <param name="size">Samples in a batch; more than there are is taken as all.</param>
    /// <param name="seed">Decides on the order and on the samples' own random choices.</param>
    /// <param name="shuffle">Whether each epoch has an order of its own; else samples come as they are.</param>
    /// <param name="dropLast">Whether the samples that do not fill a batch are left out of an epoch.</param>
    public Batches(Dataset data, int size, long seed = 0, bool shuffle = true, bool dropLast = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        if (data.Count == 0) throw new ArgumentException($"{data.Name} has no samples", nameof(data));
        (Data, Size, _seed, _shuffle) = (data, Math.Min(size, data.Count), seed, shuffle);
        PerEpoch = dropLast ? data.Count / Size : (data.Count + Size - 1) / Size;
        _key = Philox.Key(seed, "batches.order", 0);
        _order = new int[data.Count];
        _random = new uint[shuffle ? data.Count : 0];
    }

    /// <summary>Where the samples come from.</summary>
    public Dataset Data { get; }

    /// <summary>Samples in a batch; the last of an epoch may have fewer.</summary>
    public int Size { get; }

    /// <summary>Batches in an epoch.</summary>
    public int PerEpoch { get; }

    /// <summary>
    /// The tensors that a batch fills, in the order of the data's fields: those of a graph's inputs, by name; null for a field that nobody asks for. The
    /// first axis is the batch's; the others need as many elements as the field, so that an image can fill a vector.
    /// </summary>
    /// <param name="find">The tensor of an input of that name; null when there is none.</param>
    /// <exception cref="ArgumentException">A tensor does not have room for a batch of its field.</exception>
    public Tensor?[] Bind(Func<string, Tensor?> find) => [.. Data.Fields.Select(f => find(f.Name) is { } tensor ? Fit(f, tensor) : null)];

    /// <summary>Samples that a step's batch has.</summary>
    public int CountOf(long step)
    {
        int first = checked((int)(step % PerEpoch)) * Size;
        return Math.Min(Size, Data.Count - first);
    }

    /// <summary>Fills the batch of a step; steps count on through the epochs. Rows beyond the batch's samples are zero.</summary>
    /// <param name="step">From 0 on; the epoch is step / <see cref="PerEpoch"/>.</param>
    /// <param name="y">What <see cref="Bind"/> gave.</param>
    /// <returns>Number of samples in it.</returns>
    public int Fill(long step, ReadOnlySpan<Tensor?> y)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfNotEqual(y.Length, Data.Fields.Length);
        int epoch = checked((int)(step / PerEpoch)), first = (int)(step % PerEpoch) * Size, count = CountOf(step);
        Begin(epoch);
        for (int field = 0; field < y.Length; field++)
        {
            if (y[field] is not { } tensor) continue;
            int room = (int)Data.Fields[field].Shape.Count;
            ArgumentOutOfRangeException.ThrowIfGreaterThan((long)count * room, tensor.Count, Data.Fields[field].Name);
            tensor.Span[(count * room)..].Clear();
            Cores.ForRange(count, Math.Max(1, Cores.WorthSharing / 4 / Math.Max(1, room)), (This: this, tensor, field, first, draw: new Draw(_seed, epoch)), static (s, from, to) =>
            {
                int room = (int)s.This.Data.Fields[s.field].Shape.Count;
                for (int i = from; i < to; i++) s.This.Data.Read(s.field, s.This._order[s.first + i], s.draw, s.tensor.Span.Slice(i * room, room));
            });
        }

        return count;
    }

    /// <summary>The samples of a step's batch, by their index in the data; valid until the next call.</summary>
    public ReadOnlySpan<int> Samples(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        Begin(checked((int)(step / PerEpoch)));
        return _order.AsSpan((int)(step % PerEpoch) * Size, CountOf(step));
    }

    private Tensor Fit(Field field, Tensor tensor)
    {
        if (tensor.Shape.Rank == 0 || tensor.Shape[0] < Size || tensor.Shape[0] * field.Shape.Count != tensor.Count)
            throw new ArgumentException($"{Size} samples of {Data.Name}'s field '{field.Name}' {field.Shape} do not fit in an input {tensor.Shape}");
        return tensor;
    }

    /// <summary>Puts the samples into the order of an epoch: Fisher and Yates's shuffle of a stream of its own.</summary>
    private void Begin(int epoch)
    {
        if (epoch == _epoch || (!_shuffle && _epoch >= 0)) return;
        for (int i = 0; i < _order.Length; i++) _order[i] = i;
        _epoch = epoch;
        if (!_shuffle) return;
        Philox.Fill(_key, (long)epoch * _order.Length, _random);
        for (int i = _order.Length - 1; i > 0; i--)
        {
            int j = Draw.Below(_random[i], i + 1);
            (_order[i], _order[j]) = (_order[j], _order[i]);
        }
    }
}
