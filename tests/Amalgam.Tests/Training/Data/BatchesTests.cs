using Amalgam.Training.Data;

namespace Amalgam.Tests.Training.Data;

public class BatchesTests
{
    [Fact]
    public void An_epoch_has_every_sample_once_and_its_fields_belong_together() => Property.Holds(gen =>
    {
        Numbered data = new(gen.Size());
        Batches batches = new(data, gen.Size(), gen.Random.Next());
        Tensor?[] y = Tensors(batches);
        List<int> seen = [];
        for (int step = 0; step < batches.PerEpoch; step++)
        {
            int count = batches.Fill(step, y);
            Assert.Equal(batches.CountOf(step), count);
            int[] samples = batches.Samples(step).ToArray();
            Assert.Equal(count, samples.Length);
            for (int i = 0; i < count; i++)
            {
                Assert.Equal([samples[i], samples[i] + 0.5f], y[0]!.Span.Slice(2 * i, 2));
                Assert.Equal(samples[i] % 3, y[1]!.Span[i]);
            }

            Assert.All(y[0]!.Span[(2 * count)..].ToArray(), x => Assert.Equal(0, x));
            seen.AddRange(samples);
        }

        Assert.Equal(Enumerable.Range(0, data.Count), seen.Order());
    });

    [Fact]
    public void Any_step_can_be_asked_for_first()
    {
        Numbered data = new(1000);
        Batches straight = new(data, 64, seed: 5), resumed = new(data, 64, seed: 5);
        Tensor?[] a = Tensors(straight), b = Tensors(resumed);
        for (int step = 0; step <= 40; step++) straight.Fill(step, a);
        resumed.Fill(40, b);
        for (int field = 0; field < a.Length; field++) Assert.Equal(a[field]!.Span, b[field]!.Span);
        resumed.Fill(3, b);
        straight.Fill(3, a);
        for (int field = 0; field < a.Length; field++) Assert.Equal(a[field]!.Span, b[field]!.Span);
    }

    [Fact]
    public void Orders_differ_between_epochs_and_seeds_and_random_fields_with_them()
    {
        Numbered data = new(500);
        Batches batches = new(data, 500, seed: 1), other = new(data, 500, seed: 2);
        int[] first = batches.Samples(0).ToArray(), second = batches.Samples(1).ToArray(), ofOther = other.Samples(0).ToArray();
        Assert.NotEqual(first, second);
        Assert.NotEqual(first, ofOther);
        Assert.NotEqual(Enumerable.Range(0, 500), first);

        Tensor?[] y = Tensors(batches);
        batches.Fill(0, y);
        float[] noise = y[2]!.Span.ToArray();
        int sample = first[7];
        batches.Fill(1, y);
        Assert.NotEqual(noise[21..24], y[2]!.Span.Slice(3 * Array.IndexOf(second, sample), 3).ToArray());
    }

    [Fact]
    public void Every_place_is_as_likely_for_every_sample()
    {
        const int Count = 8, Epochs = 8000;
        Batches batches = new(new Numbered(Count), Count, seed: 3);
        int[,] times = new int[Count, Count];
        for (int epoch = 0; epoch < Epochs; epoch++)
        {
            var order = batches.Samples(epoch);
            for (int place = 0; place < Count; place++) times[order[place], place]++;
        }

        double expected = (double)Epochs / Count;
        double chiSquare = times.Cast<int>().Sum(t => (t - expected) * (t - expected) / expected);
        Assert.InRange(chiSquare, 20, 95);
    }

    [Fact]
    public void Without_shuffling_samples_come_in_their_order_and_the_last_batch_can_be_dropped()
    {
        Numbered data = new(10);
        Batches batches = new(data, 4, shuffle: false), dropping = new(data, 4, shuffle: false, dropLast: true);
        Assert.Equal((3, 2), (batches.PerEpoch, dropping.PerEpoch));
        Assert.Equal([8, 9], batches.Samples(2));
        Assert.Equal([0, 1, 2, 3], dropping.Samples(2));
        Assert.Equal(2, batches.CountOf(5));
        Assert.Equal(10, new Batches(data, 400).Size);
    }

    [Fact]
    public void Threads_make_no_difference_and_a_warm_call_allocates_nothing()
    {
        Batches batches = new(new Numbered(20_000), 15_000, seed: 9);
        Tensor?[] y = Tensors(batches);
        Assert.Equal(OnThreads.One(Filled), OnThreads.Four(Filled));
        Warm.AllocatesNothing(() =>
        {
            for (int step = 0; step < 6; step++) batches.Fill(step, y);
        });

        float[][] Filled()
        {
            batches.Fill(0, y);
            batches.Fill(2, y);
            return [.. y.Select(t => t!.Span.ToArray())];
        }
    }

    [Fact]
    public void Refuses_what_does_not_fit()
    {
        Numbered data = new(10);
        Assert.Contains("no samples", Assert.Throws<ArgumentException>(() => new Batches(new Numbered(0), 4)).Message);
        Assert.Contains("field 'x' [2] do not fit in an input [4,3]", Assert.Throws<ArgumentException>(() => new Batches(data, 4).Bind(n => n == "x" ? new(new(4, 3)) : null)).Message);
        Assert.Contains("no field 'image'; it has x, label, noise", Assert.Throws<ArgumentException>(() => data.IndexOf("image")).Message);
        Assert.Equal(1, data.IndexOf("label"));
    }

    private static Tensor?[] Tensors(Batches batches) =>
        batches.Bind(name => new(new([batches.Size, .. batches.Data.Fields[batches.Data.IndexOf(name)].Shape.Sizes])));
}
