using System.Collections.Immutable;
using System.Globalization;
using Amalgam.Zoo.Experiments;
using Amalgam.Zoo.Experiments.Cki;

namespace Amalgam.Cli;

/// <summary>What methods of an experiment came to, as a table for a terminal.</summary>
internal static class MethodTable
{
    /// <param name="output">Where it goes.</param>
    /// <param name="name">What stands over it.</param>
    /// <param name="methods">A row each.</param>
    /// <param name="text">A figure's mean and spread, by the figure's name.</param>
    public static void Write(TextWriter output, string name, ImmutableArray<MethodMean> methods, Func<Spread, string, string> text)
    {
        output.WriteLine(name);
        string[] figures = [.. methods.SelectMany(m => m.Figures.Select(f => f.Name)).Distinct()];
        Table table = new(1, ["", .. figures.Select(figure => $">{figure}"), ">seconds"]);
        foreach (MethodMean method in methods) table.Add([method.Method, .. figures.Select(figure => method[figure] is { } value ? text(value, figure) : ""), method.Seconds.ToString("0.0", CultureInfo.InvariantCulture)]);
        table.Write(output, Screen.WidthOf(output));
        output.WriteLine();
    }
}
