using System.CommandLine;
using Amalgam.Zoo.Experiments.Clafusion;

namespace Amalgam.Cli;

/// <summary><c>amalgam reproduce clafusion</c>: the tables of CLAFusion, run anew.</summary>
internal static class ReproduceClafusion
{
    public static Command Create()
    {
        ClafusionOptions usual = new() { Table = "" };
        Option<string> table = new("--table") { Description = string.Join("; ", ClafusionExperiment.Tables.Select(t => $"{t.Name}: {t.Summary}")), Required = true };
        table.CompletionSources.Add([.. ClafusionExperiment.Tables.Select(t => t.Name)]);
        Option<int?> seeds = CountOption.Create("--seeds", "Seeds, from the table's first on [default: as many as suit the table]");
        Option<int?> samples = CountOption.Create("--samples", "Training samples whose activations decide which layers and units belong together [default: the paper's number]");
        Option<int?> epochs = CountOption.Create("--epochs", "Passes over the data of the networks that are trained, over what suits the table");
        Option<int?> tuning = CountOption.Create("--fine-tuning", $"Epochs of fine-tuning and distillation [default: {usual.FineTuning}]");
        Option<int?> limit = CountOption.Create("--limit", "Test samples that are used, from the first on [default: all]");
        ReproductionVerb common = new(usual.Folder);
        Verb verb = new(
            "clafusion", "Run CLAFusion's tables anew, networks of different depth and width fused into one: MNIST at the paper's scale, CIFAR-10 at the scale of two cores. Every choice is made on training samples.",
            [
                "amalgam reproduce clafusion --table 10",
                "amalgam reproduce clafusion --table 1 --seeds 1",
                "amalgam reproduce clafusion --table 4 --epochs 1 --fine-tuning 1 --limit 1000 -o trial",
            ])
        {
            table, seeds, samples, epochs, tuning, limit,
        };
        foreach (Option option in common.All) verb.Options.Add(option);
        verb.Runs((parse, cancel) =>
        {
            ClafusionOptions options = usual with
            {
                Table = parse.GetValue(table)!,
                Seeds = parse.GetValue(seeds),
                Samples = parse.GetValue(samples),
                Epochs = parse.GetValue(epochs),
                FineTuning = parse.GetValue(tuning) ?? usual.FineTuning,
                Limit = parse.GetValue(limit),
            };
            ClafusionResult result = common.Run(parse, options, ClafusionExperiment.Run, cancel);
            TextWriter output = parse.InvocationConfiguration.Output;
            foreach (string name in result.Tables) MethodTable.Write(output, name, result.Means(name), (value, figure) => ClafusionMarkdown.Text(value, figure));
            output.WriteLine($"Rows, tables and page: {Printable.Line(result.Folder)}");
        });
        return verb;
    }
}
