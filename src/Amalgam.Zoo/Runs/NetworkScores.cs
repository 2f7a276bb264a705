using System.Collections.Immutable;
using System.Globalization;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Runs;

/// <summary>A network beside others.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Measures">What it is worth.</param>
/// <param name="IsGiven">Whether it is one of the networks that were given.</param>
public sealed record NetworkRow(string Name, ImmutableArray<Measure> Measures, bool IsGiven);

/// <summary>What networks are worth beside what was made of them.</summary>
/// <param name="Data">What the samples are.</param>
/// <param name="Samples">Number of samples.</param>
/// <param name="IsTest">Whether these are test samples, which nothing was chosen by.</param>
/// <param name="Rows">The networks.</param>
public record NetworkScores(string Data, int Samples, bool IsTest, ImmutableArray<NetworkRow> Rows)
{
    /// <summary>What the mean position by position is called.</summary>
    internal const string AverageName = "average of weights as they came";

    /// <summary>What follows the name of a network whose statistics were set anew.</summary>
    public const string ResetEnding = ", statistics reset";

    /// <summary>Names of what was measured, in the order of the first network that has it.</summary>
    public ImmutableArray<string> Names => [.. Rows.SelectMany(r => r.Measures.Select(m => m.Name)).Distinct()];

    /// <summary>A figure as people read it.</summary>
    public static string Text(Measure measure) => measure.IsShare ? measure.Value.ToString("0.00%", CultureInfo.InvariantCulture) : Text(measure.Value);

    /// <summary>A loss or another mean with as many digits as two ways to add it up agree in: four after the point, of large numbers fewer.</summary>
    public static string Text(double mean) => mean.ToString(FormatOf(mean), CultureInfo.InvariantCulture);

    /// <summary>The format of such numbers.</summary>
    /// <param name="largest">The largest of them.</param>
    internal static string FormatOf(double largest) => largest switch
    {
        >= 1000 => "0",
        >= 100 => "0.0",
        >= 10 => "0.00",
        _ => "0.0000",
    };

    /// <summary>The samples that networks are measured on: test samples, where there are none those that were looked at.</summary>
    /// <param name="networks">The networks.</param>
    /// <param name="samples">Most samples.</param>
    /// <param name="seed">Draws them.</param>
    /// <returns>Null where there is no data with labels.</returns>
    private protected static Dataset? SamplesFor(GivenNetworks networks, int samples, long seed)
    {
        Dataset? all = networks.Data?.Test ?? networks.Data?.Train;
        if (all is null || (all.Labels.IsEmpty && ItemRanking.Of(all) is null)) return null;
        return samples < all.Count ? Subset.Split(all, samples, seed).Second : all;
    }

    /// <summary>What the data is called.</summary>
    private protected static string NameOf(GivenNetworks networks) => (networks.Data!.Test ?? networks.Data.Train)!.Name.Split(',')[0];

    /// <summary>Measures networks, and of several their ensemble.</summary>
    private protected static IEnumerable<NetworkRow> RowsOf(GivenNetworks networks, IReadOnlyList<Contestant> contestants, bool areGiven, Dataset data, int batch, CancellationToken cancel)
    {
        int[][] tasks = [.. networks.Tasks.Select(task => task.ToArray())];
        return Contestant.Measure([.. contestants.Select(networks.Scored)], data, batch, tasks, cancel: cancel).Select((row, i) => new NetworkRow(row.Name, Shown(row.Measures), areGiven && i < contestants.Count));
    }

    /// <summary>What a table has room for: accuracy, losses, tasks and their mean, measures of rankings.</summary>
    private static ImmutableArray<Measure> Shown(IReadOnlyList<Measure> measures) =>
        [.. measures.Where(m => m.Name is not "top-5" && !m.Name.StartsWith("macro", StringComparison.Ordinal))];
}
