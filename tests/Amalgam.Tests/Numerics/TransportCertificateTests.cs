using Amalgam.Numerics;

namespace Amalgam.Tests.Numerics;

/// <summary>Rows of mass 2 and 1, columns of 1, 1 and 1; the best plan keeps to the first row's first two columns and the second row's last.</summary>
public class TransportCertificateTests
{
    private static readonly double[] Cost = [1, 2, 9, 5, 5, 3], Rows = [2, 1], Columns = [1, 1, 1], RowPrices = [0, 0], ColumnPrices = [1, 2, 3];

    private static readonly int[] RowOf = [0, 0, 1], ColumnOf = [0, 1, 2];

    [Fact]
    public void Accepts_a_best_plan_with_prices_that_prove_it() => Check(RowOf, ColumnOf, [1, 1, 1], RowPrices, ColumnPrices);

    [Fact]
    public void Refuses_a_plan_that_costs_more_than_the_prices() => Refuses("prices and costs differ", [0, 0, 1], [0, 2, 1], [1, 1, 1], RowPrices, ColumnPrices);

    [Fact]
    public void Refuses_prices_above_a_cost() => Refuses("prices exceed a cost", RowOf, ColumnOf, [1, 1, 1], [0.5, 0], [1, 1, 3]);

    [Fact]
    public void Refuses_other_masses() => Refuses("a row or column is off", RowOf, ColumnOf, [1.5, 0.75, 1], RowPrices, ColumnPrices);

    [Fact]
    public void Refuses_more_entries_than_a_vertex_has() => Refuses("5 entries", [0, 0, 0, 1, 1], [0, 0, 1, 2, 2], [0.5, 0.5, 1, 0.5, 0.5], RowPrices, ColumnPrices);

    [Fact]
    public void Refuses_an_entry_of_no_mass() => Refuses("not above 0", [0, 0, 1, 1], [0, 1, 0, 2], [1, 1, 0, 1], RowPrices, ColumnPrices);

    [Fact]
    public void Refuses_prices_that_are_no_numbers() => Refuses("prices", RowOf, ColumnOf, [1, 1, 1], [double.NaN, 0], ColumnPrices);

    private static void Refuses(string fault, int[] rowOf, int[] columnOf, double[] mass, double[] rowPrices, double[] columnPrices) =>
        Assert.Contains(fault, Assert.Throws<InvalidOperationException>(() => Check(rowOf, columnOf, mass, rowPrices, columnPrices)).Message, StringComparison.Ordinal);

    private static void Check(int[] rowOf, int[] columnOf, double[] mass, double[] rowPrices, double[] columnPrices) =>
        TransportCertificate.Check(new(Cost, Rows, Columns), rowOf, columnOf, mass, rowPrices, columnPrices);
}
