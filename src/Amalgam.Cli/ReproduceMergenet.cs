using System.CommandLine;
using Amalgam.Zoo.Experiments.Clafusion;
using Amalgam.Zoo.Experiments.Mergenet;

namespace Amalgam.Cli;

/// <summary><c>amalgam reproduce mergenet</c>: the tables of MergeNet, run anew.</summary>
internal static class ReproduceMergenet
{
    public static Command Create()
    {
        MergenetOptions usual = new() { Table = "" };
        Option<string> table = new("--table") { Description = string.Join("; ", MergenetExperiment.Tables.Select(t => $"{t.Title}: {t.Summary}")), Required = true };
        table.CompletionSources.Add([.. MergenetExperiment.Tables.Select(t => t.Name)]);
        Option<int?> seeds = CountOption.Create("--seeds", $"Seeds, from 1 on [default: {usual.Seeds}]");
        Option<int?> epochs = CountOption.Create("--epochs", "Passes over the data of every network, over what suits it");
        Option<int?> samples = CountOption.Create("--samples", "Training samples of every network, over what suits it");
        Option<int?> limit = CountOption.Create("--limit", "Test samples that are used, from the first on [default: all]");
        ReproductionVerb common = new(usual.Folder);
        Verb verb = new(
            "mergenet", "Run MergeNet's tables anew at the scale of two cores: networks train together while weights of one teach weights of another, each compared with itself trained alone with the same seed. Tables share the trainings that they have in common.",
            [
                "amalgam reproduce mergenet --table 1",
                "amalgam reproduce mergenet --table cycle --seeds 1",
                "amalgam reproduce mergenet --table 5 --epochs 1 --samples 500 --limit 500 -o trial",
            ])
        {
            table, seeds, epochs, samples, limit,
        };
        foreach (Option option in common.All) verb.Options.Add(option);
        verb.Runs((parse, cancel) =>
        {
            MergenetOptions options = usual with
            {
                Table = parse.GetValue(table)!,
                Seeds = parse.GetValue(seeds) ?? usual.Seeds,
                Epochs = parse.GetValue(epochs),
                Samples = parse.GetValue(samples),
                Limit = parse.GetValue(limit),
            };
            MergenetResult result = common.Run(parse, options, MergenetExperiment.Run, cancel);
            TextWriter output = parse.InvocationConfiguration.Output;
            foreach (string section in result.Sections) MethodTable.Write(output, section, result.Means(section), (value, figure) => ClafusionMarkdown.Text(value, figure));
            output.WriteLine($"Rows, tables and page: {Printable.Line(result.Folder)}");
        });
        return verb;
    }
}
