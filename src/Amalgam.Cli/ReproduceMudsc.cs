using System.CommandLine;
using System.Globalization;
using Amalgam.Zoo.Experiments.Cki;
using Amalgam.Zoo.Experiments.Mudsc;

namespace Amalgam.Cli;

/// <summary><c>amalgam reproduce mudsc</c>: experiments about matching units, run anew.</summary>
internal static class ReproduceMudsc
{
    public static Command Create()
    {
        MudscOptions usual = new() { Part = "" };
        Option<string> part = new("--part") { Description = string.Join("; ", MudscExperiment.Parts.Select(p => $"{p.Name}: {p.Summary}")), Required = true };
        Option<int?> pairs = CountOption.Create("--pairs", "Pairs that are looked at, from the first on [default: all]");
        Option<int?> calibration = CountOption.Create("--calibration", $"Training samples for statistics of activations, the estimate of normalisations' statistics and the choice of alpha [default: {usual.Calibration}]");
        Option<int?> epochs = CountOption.Create("--epochs", "Passes over the data of the networks that are trained, over what suits the part");
        Option<int?> limit = CountOption.Create("--limit", "Test samples that are used, from the first on [default: all]");
        ReproductionVerb common = new(usual.Folder);
        Verb verb = new(
            "mudsc", "Run experiments about matching units anew: those of MuDSC's paper at the scale of two cores, and what no paper has. Every choice is made on training samples.",
            [
                "amalgam reproduce mudsc --part published",
                "amalgam reproduce mudsc --part resnet --pairs 1",
                "amalgam reproduce mudsc --part transformer --calibration 500 --epochs 1 --limit 1000 -o trial",
            ])
        {
            part, pairs, calibration, epochs, limit,
        };
        foreach (Option option in common.All) verb.Options.Add(option);
        verb.Runs((parse, cancel) =>
        {
            MudscOptions options = usual with
            {
                Part = parse.GetValue(part)!,
                Pairs = parse.GetValue(pairs),
                Calibration = parse.GetValue(calibration) ?? usual.Calibration,
                Epochs = parse.GetValue(epochs),
                Limit = parse.GetValue(limit),
            };
            MudscResult result = common.Run(parse, options, MudscExperiment.Run, cancel);
            TextWriter output = parse.InvocationConfiguration.Output;
            foreach (string table in result.Tables) MethodTable.Write(output, table, result.Means(table), Number);
            output.WriteLine($"Rows, tables and page: {Printable.Line(result.Folder)}");
        });
        return verb;
    }

    private static string Number(Spread spread, string figure)
    {
        (double factor, string format) = figure.StartsWith("loss", StringComparison.Ordinal) || figure.Contains('@', StringComparison.Ordinal) || figure.EndsWith("auc", StringComparison.Ordinal) ? (1, "0.0000") : (100, "0.00");
        string mean = (factor * spread.Mean).ToString(format, CultureInfo.InvariantCulture);
        return double.IsNaN(spread.Deviation) ? mean : $"{mean} ± {(factor * spread.Deviation).ToString(format, CultureInfo.InvariantCulture)}";
    }
}
