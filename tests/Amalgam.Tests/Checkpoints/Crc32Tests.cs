using Amalgam.Checkpoints;

namespace Amalgam.Tests.Checkpoints;

public class Crc32Tests
{
    [Fact]
    public void Gives_the_check_value_of_the_standard() => Assert.Equal(0xCBF43926u, Crc32.Append(0, "123456789"u8));

    [Fact]
    public void Equals_the_bit_by_bit_definition_in_any_pieces() => Property.Holds(gen =>
    {
        byte[] bytes = new byte[gen.Size()];
        gen.Random.NextBytes(bytes);
        uint expected = uint.MaxValue;
        foreach (byte x in bytes)
        {
            expected ^= x;
            for (int bit = 0; bit < 8; bit++) expected = (expected & 1) != 0 ? (expected >> 1) ^ 0xEDB88320 : expected >> 1;
        }

        int cut = gen.Random.Next(bytes.Length);
        Assert.Equal(~expected, Crc32.Append(Crc32.Append(0, bytes.AsSpan(0, cut)), bytes.AsSpan(cut)));
    });
}
