using Amalgam.Cli;

namespace Amalgam.Tests.Cli;

public class TableTests
{
    [Fact]
    public void A_row_takes_two_lines_rather_than_be_cut()
    {
        Table table = new(1, "NAME", "TYPE", ">SIZE");
        table.Add("layers.0.weight", "F32", "1 kB");
        Assert.Equal("NAME             TYPE  SIZE\nlayers.0.weight  F32   1 kB\n", Text(table, null));
        Assert.Equal(Text(table, null), Text(table, 27));
        Assert.Equal("NAME\n  TYPE  SIZE\nlayers.0.weight\n  F32   1 kB\n", Text(table, 26));
    }

    [Fact]
    public void Layer_2_stands_before_layer_10()
    {
        string[] names = ["l.10.w", "l.2.w", "l.2.b", "l.02.w", "l", "l.99999999999999999999999.w", "a1b2"];
        Assert.Equal(["a1b2", "l", "l.2.b", "l.02.w", "l.2.w", "l.10.w", "l.99999999999999999999999.w"], names.Order(Amalgam.Checkpoints.NaturalOrder.Comparer));
    }

    [Fact]
    public void Natural_order_is_an_order() => Property.Holds(gen =>
    {
        string Name() => string.Concat(Enumerable.Range(0, gen.Random.Next(6)).Select(_ => "a0129."[gen.Random.Next(6)]));
        var (a, b, c) = (Name(), Name(), Name());
        var order = Amalgam.Checkpoints.NaturalOrder.Comparer;
        Assert.Equal(Math.Sign(order.Compare(a, b)), -Math.Sign(order.Compare(b, a)));
        Assert.Equal(a == b, order.Compare(a, b) == 0);
        if (order.Compare(a, b) <= 0 && order.Compare(b, c) <= 0) Assert.True(order.Compare(a, c) <= 0);
    }, runs: 3000);

    [Fact]
    public void Progress_says_share_speed_and_time_left()
    {
        Assert.Equal("[#####---------------]  25%  50.0 MB/s  0:06 left  w", Progress.Line(100_000_000, 400_000_000, "w", TimeSpan.FromSeconds(2), bar: true));
        Assert.Equal("  0%  0 B/s  -:-- left  w", Progress.Line(0, 400, "w", TimeSpan.FromSeconds(2), bar: false));
        Assert.Equal("100%  0 B/s  -:-- left  \\u000aw", Progress.Line(0, 0, "\nw", TimeSpan.FromSeconds(2), bar: false));
    }

    [Theory]
    [InlineData(0, "0")]
    [InlineData(-0.12345678, "-0.1235")]
    [InlineData(1234.567, "1235")]
    [InlineData(12, "12")]
    [InlineData(1.23456e-9, "1.235e-9")]
    [InlineData(1e300, "1e+300")]
    [InlineData(double.NaN, "-")]
    [InlineData(double.NegativeInfinity, "-inf")]
    public void Numbers_have_four_digits(double value, string text) => Assert.Equal(text, Printable.Number(value));

    private static string Text(Table table, int? width)
    {
        using StringWriter output = new() { NewLine = "\n" };
        table.Write(output, width);
        return output.ToString().ReplaceLineEndings("\n");
    }
}
