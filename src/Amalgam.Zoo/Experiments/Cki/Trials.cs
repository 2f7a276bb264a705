using System.Collections.Immutable;
using System.Globalization;
using Amalgam.Graphs;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>A network to choose, or several that are asked together.</summary>
/// <param name="Label">What tells it from the others of its method; empty where it is the only one.</param>
/// <param name="Make">Makes it.</param>
internal sealed record Candidate(string Label, Func<ImmutableArray<Graph>> Make)
{
    /// <summary>One network.</summary>
    public static Candidate Of(Func<Graph> make, string label = "") => new(label, () => [make()]);
}

/// <summary>Puts methods to the test: of a method's candidates the one that does best on the validation data, the first of equal ones, is measured on the test data.</summary>
/// <param name="subject">What the networks learned.</param>
/// <param name="log">Where the rows go; a row that is there already is not made again.</param>
/// <param name="options">How the reproduction runs.</param>
internal sealed class Trials(Subject subject, RowLog log, CkiOptions options)
{
    /// <summary>Chooses and measures.</summary>
    /// <param name="start">The kind of pair.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="method">The method, as the table names it.</param>
    /// <param name="candidates">What there is to choose from.</param>
    /// <param name="steps">Training steps that the method takes after the pair was trained; asked for at the end.</param>
    public void Run(CkiStart start, int seed, string method, IEnumerable<Candidate> candidates, Func<long>? steps = null)
    {
        if (log.Find(start, seed, method) is not null) return;
        (string Label, ImmutableArray<Graph> Networks, double Merit)? best = null;
        int tried = 0;
        foreach (Candidate candidate in candidates)
        {
            ImmutableArray<Graph> networks = candidate.Make();
            double merit = subject.Figures.Of(networks, subject.Validation, options.Cancel)[subject.Figures.MeritIndex];
            if (best is null || merit > best.Value.Merit || double.IsNaN(best.Value.Merit)) best = (candidate.Label, networks, merit);
            tried++;
        }

        var (label, chosen, validation) = best!.Value;
        ImmutableArray<double> test = subject.Figures.Of(chosen, subject.Test, options.Cancel);
        Row row = new(start, seed, method, label, tried, validation, test, chosen.Sum(network => network.Parameters.Values.Sum(p => p.Shape.Count)), steps?.Invoke() ?? 0);
        log.Add(row);
        options.Line?.Invoke(Text(row));
    }

    private string Text(Row row)
    {
        string of = string.Create(CultureInfo.InvariantCulture, $"{row.Validation:0.0000} on validation data, {row.Test[subject.Figures.MeritIndex]:0.0000} on test data");
        return $"{subject.Figures.Merit} {of}: {row.Method}{(row.Chosen == "" ? "" : $" ({row.Chosen}, of {row.Tried})")}, seed {row.Seed}, {(row.Start == CkiStart.Same ? "same" : "other")} start";
    }
}
