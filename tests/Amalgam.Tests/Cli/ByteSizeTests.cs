using Amalgam.Cli;

namespace Amalgam.Tests.Cli;

public class ByteSizeTests
{
    [Theory]
    [InlineData("5GB", 5_000_000_000)]
    [InlineData("512MiB", 512L << 20)]
    [InlineData("0", 0)]
    [InlineData("1.5 kb", 1500)]
    [InlineData("2t", 2_000_000_000_000)]
    [InlineData("17b", 17)]
    public void Reads_decimal_and_binary_units(string text, long bytes) => Assert.Equal(bytes, ByteSize.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("GB")]
    [InlineData("-1")]
    [InlineData("5Q")]
    [InlineData("1e9")]
    [InlineData("99999999999TB")]
    public void Refuses_what_is_no_size(string text) => Assert.Null(ByteSize.Parse(text));

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1_658_400, "1.66 MB")]
    [InlineData(999_999, "1.00 MB")]
    [InlineData(99_960, "100 kB")]
    [InlineData(5_000_000_000, "5.00 GB")]
    [InlineData(long.MaxValue, "9223 PB")]
    public void Prints_three_digits(long bytes, string text) => Assert.Equal(text, ByteSize.Text(bytes));
}
