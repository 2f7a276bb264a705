using System.Collections.Immutable;
using Amalgam.Numerics;

namespace Amalgam.Alignment.Fusion;

/// <summary>A unit that another takes part of.</summary>
/// <param name="Unit">The unit.</param>
/// <param name="Weight">The part.</param>
internal readonly record struct UnitShare(int Unit, double Weight);

/// <summary>
/// How units of one network's class become those of another's, in a block of each: a transport plan, by columns. What makes units becomes for each unit of the other network
/// the mean of those that it is sent, weighted by what each sends (columns that sum to 1; Singh and Jaggi, Model fusion via optimal transport, NeurIPS 2020, section 4); what is summed over them likewise, or
/// by what part of each is sent (rows that sum to 1).
/// </summary>
internal sealed class UnitTransport
{
    private readonly UnitShare[][] _out, _in;

    private UnitTransport(UnitShare[][] @out, UnitShare[][] @in) => (_out, _in) = (@out, @in);

    /// <param name="plan">Mass from units of the one network, rows, to those of the other, columns.</param>
    /// <param name="incoming">How columns that are summed over are scaled.</param>
    public static UnitTransport Of(TransportPlan plan, IncomingScale incoming)
    {
        double[] rows = new double[plan.Rows], columns = new double[plan.Columns];
        for (int i = 0; i < plan.Mass.Length; i++)
        {
            rows[plan.RowOf[i]] += plan.Mass[i];
            columns[plan.ColumnOf[i]] += plan.Mass[i];
        }

        UnitShare[][] byColumn = ByColumn(plan, columns.Length, (mass, row, column) => mass / columns[column]);
        return new(byColumn, incoming == IncomingScale.Column ? byColumn : ByColumn(plan, columns.Length, (mass, row, column) => mass / rows[row]));
    }

    /// <summary>The mean of maps between the same units.</summary>
    public static UnitTransport Mean(IReadOnlyList<UnitTransport> maps) => maps.Count == 1 ? maps[0] : new(Mean([.. maps.Select(map => map._out)]), Mean([.. maps.Select(map => map._in)]));

    /// <summary>What a unit takes of those of the other network.</summary>
    public ReadOnlySpan<UnitShare> SharesOf(int unit, UnitSide side) => (side == UnitSide.In ? _in : _out)[unit];

    private static UnitShare[][] ByColumn(TransportPlan plan, int columns, Func<double, int, int, double> weight)
    {
        List<UnitShare>[] shares = [.. Enumerable.Range(0, columns).Select(_ => new List<UnitShare>())];
        for (int i = 0; i < plan.Mass.Length; i++)
        {
            int row = plan.RowOf[i], column = plan.ColumnOf[i];
            if (plan.Mass[i] > 0) shares[column].Add(new(row, weight(plan.Mass[i], row, column)));
        }

        return [.. shares.Select(of => of.ToArray())];
    }

    private static UnitShare[][] Mean(ImmutableArray<UnitShare[][]> maps) =>
    [
        .. Enumerable.Range(0, maps[0].Length).Select(unit => maps.SelectMany(map => map[unit]).GroupBy(share => share.Unit)
            .Select(of => new UnitShare(of.Key, of.Sum(share => share.Weight) / maps.Length)).OrderBy(share => share.Unit).ToArray()),
    ];
}
