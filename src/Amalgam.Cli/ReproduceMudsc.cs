using System.CommandLine;
using System.Globalization;
using Amalgam.Numerics;
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
        Option<string> folder = new("--out", "-o") { Description = "Folder of networks and results; a run goes on with what an earlier one left there", HelpName = "dir", DefaultValueFactory = _ => usual.Folder };
        Option<bool> overwrite = new("--overwrite") { Description = "Replace rows and networks of another description that an earlier run left in the folder" };
        Option<int?> threads = CountOption.Create("--threads", "Number of threads; the result does not depend on it", "-j");
        Option<bool> quiet = new("--quiet", "-q") { Description = "No progress" };
        Verb verb = new(
            "mudsc", "Run experiments about matching units anew: those of MuDSC's paper at the scale of two cores, and what no paper has. Every choice is made on training samples.",
            [
                "amalgam reproduce mudsc --part published",
                "amalgam reproduce mudsc --part resnet --pairs 1",
                "amalgam reproduce mudsc --part transformer --calibration 500 --epochs 1 --limit 1000 -o trial",
            ])
        {
            part, pairs, calibration, epochs, limit, folder, overwrite, threads, quiet,
        };
        verb.Runs((parse, cancel) =>
        {
            using CoreLimit cores = Cores.Limit(parse.GetValue(threads) ?? Environment.ProcessorCount);
            TextWriter output = parse.InvocationConfiguration.Output, error = parse.InvocationConfiguration.Error;
            bool isQuiet = parse.GetValue(quiet);
            MudscResult result;
            using (Progress progress = new(error, isQuiet))
            {
                result = MudscExperiment.Run(usual with
                {
                    Part = parse.GetValue(part)!,
                    Pairs = parse.GetValue(pairs),
                    Calibration = parse.GetValue(calibration) ?? usual.Calibration,
                    Epochs = parse.GetValue(epochs),
                    Limit = parse.GetValue(limit),
                    Folder = parse.GetValue(folder)!,
                    Overwrite = parse.GetValue(overwrite),
                    Cancel = cancel,
                    Training = progress,
                    Line = line =>
                    {
                        if (!isQuiet) progress.Write(error, line);
                    },
                });
            }

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
