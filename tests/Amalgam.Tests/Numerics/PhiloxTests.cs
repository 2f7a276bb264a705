using System.Runtime.Intrinsics;
using Amalgam.Numerics;

namespace Amalgam.Tests.Numerics;

public class PhiloxTests
{
    /// <summary>The known answers of Random123's kat_vectors: counter, key, output.</summary>
    [Theory]
    [InlineData(new uint[] { 0, 0, 0, 0 }, new uint[] { 0, 0 }, new uint[] { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 })]
    [InlineData(
        new uint[] { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
        new uint[] { 0xffffffff, 0xffffffff },
        new uint[] { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd })]
    [InlineData(
        new uint[] { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 },
        new uint[] { 0xa4093822, 0x299f31d0 },
        new uint[] { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 })]
    public void Gives_the_published_answers(uint[] counter, uint[] key, uint[] output)
    {
        var words = counter.Select(w => Vector256.Create((ulong)w)).ToArray();

        var (a, b, c, d) = Philox.Encrypt(key[0] | ((ulong)key[1] << 32), words[0], words[1], words[2], words[3]);

        foreach (int lane in Enumerable.Range(0, 4)) Assert.Equal(output, new[] { (uint)a[lane], (uint)b[lane], (uint)c[lane], (uint)d[lane] });
    }

    [Fact]
    public void Streams_begin_with_the_block_at_counter_0()
    {
        uint[] y = new uint[4];
        Philox.Fill(0, 0, y);
        Assert.Equal([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8], y);
    }

    [Fact]
    public void Windows_do_not_matter() => Property.Holds(gen =>
    {
        ulong key = (ulong)gen.Random.NextInt64();
        long start = gen.Random.Next(3) switch { 0 => 0, 1 => (1L << 34) - gen.Random.Next(100), _ => long.MaxValue - 1000 };
        uint[] whole = new uint[gen.Size()];
        Philox.Fill(key, start, whole);

        int first = gen.Random.Next(whole.Length);
        uint[] part = new uint[gen.Random.Next(whole.Length - first + 1)];
        Philox.Fill(key, start + first, part);

        Assert.Equal(whole[first..(first + part.Length)], part);
    });

    [Fact]
    public void Refuses_an_index_below_0() => Assert.Throws<ArgumentOutOfRangeException>(() => Philox.Fill(1, -1, new uint[4]));

    [Fact]
    public void Every_bit_and_every_byte_is_uniform()
    {
        uint[] y = new uint[1 << 18];
        Philox.Fill(Philox.Key(42, "w", 0), 0, y);

        // Standard deviation of a fair bit's count: sqrt(n) / 2.
        for (int bit = 0; bit < 32; bit++) Assert.InRange(y.Count(v => (v >> bit & 1) == 1), (y.Length / 2) - 5 * 256, (y.Length / 2) + 5 * 256);
        for (int shift = 0; shift < 32; shift += 8)
        {
            int[] counts = new int[256];
            foreach (uint v in y) counts[(v >> shift) & 255]++;
            double chiSquare = counts.Sum(c => (c - 1024.0) * (c - 1024.0) / 1024);
            Assert.InRange(chiSquare, 150, 380);
        }
    }

    [Fact]
    public void Streams_of_different_names_models_and_seeds_are_unrelated()
    {
        var keys = from seed in new long[] { -1, 0, 1, 2, 1L << 40 }
                   from name in new[] { "", "a", "b", "ab", "ba", "layer.1.weight", "layer.2.weight", "größe" }
                   from model in new[] { 0, 1, 2, 1000 }
                   select Philox.Key(seed, name, model);
        ulong[] all = [.. keys];
        Assert.Equal(all.Length, all.Distinct().Count());

        uint[] x = new uint[1 << 14], y = new uint[1 << 14];
        Philox.Fill(all[0], 0, x);
        foreach (ulong other in all[1..])
        {
            Philox.Fill(other, 0, y);
            long equalBits = x.Zip(y).Sum(p => 32 - (long)uint.PopCount(p.First ^ p.Second));
            Assert.InRange(equalBits, (x.Length * 16) - 5 * 362, (x.Length * 16) + 5 * 362);
        }
    }

    [Fact]
    public void Keys_stay_what_they_are() => Assert.Equal(0x074E6340F42951EBUL, Philox.Key(42, "model.embed_tokens.weight", 1));
}
