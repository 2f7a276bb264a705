using System.CommandLine;
using System.Globalization;
using Amalgam.Zoo.Experiments.Cki;

namespace Amalgam.Cli;

/// <summary><c>amalgam reproduce cki</c>: the tables of CKI's paper, run anew.</summary>
internal static class ReproduceCki
{
    public static Command Create()
    {
        Option<int> table = new("--table") { Description = "1: two networks; 2: two of text; 3: one whose head is made for each sample; 4: one more epoch", DefaultValueFactory = _ => 1 };
        table.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.Tokens[0].Value is not ("1" or "2" or "3" or "4")) result.AddError("--table must be 1, 2, 3 or 4");
        });
        Option<string> dataset = new("--dataset", "-d") { Description = "beauty, ml-1m, douban-book, douban-music; of table 2 sst2, rte", Required = true };
        Option<string> model = new("--model") { Description = "din, gru4rec or sasrec; table 2 has a model of its own", DefaultValueFactory = _ => "din" };
        Option<bool> published = new("--published") { Description = "Table 1 with a published network for beauty as model A" };
        Option<int?> seeds = CountOption.Create("--seeds", "How often it is repeated [default: 3]");
        Option<string> start = new("--start") { Description = "Pairs of one initialisation (same), of two (other), or both", DefaultValueFactory = _ => "both" };
        start.AcceptOnlyFromAmong("same", "other", "both");
        Option<string> methods = new("--methods") { Description = "The paper's baselines, or all methods of amalgam merge beside them", DefaultValueFactory = _ => "paper" };
        methods.AcceptOnlyFromAmong("paper", "all");
        Option<int?> epochs = CountOption.Create("--epochs", "Passes over the data of the networks that are integrated, over what suits the data set");
        Option<int?> more = CountOption.Create("--more-epochs", "Passes of what is learned afterwards, over what suits the data set");
        Option<int?> limit = CountOption.Create("--limit", "Training samples that are used, over what suits the data set");
        Option<int?> users = CountOption.Create("--users", "Validation samples and test samples that are used at most, over what suits the data set and all test samples");
        ReproductionVerb common = new(new CkiOptions { Table = 1, Dataset = "" }.Folder);
        Verb verb = new(
            "cki", "Run the tables of CKI's paper anew: train networks, integrate them, put each method to the test, and write rows (JSON lines), a table (Markdown) and a page. Every choice is made on validation data.",
            [
                "amalgam reproduce cki --table 1 --dataset beauty",
                "amalgam reproduce cki --table 1 --dataset douban-music --model sasrec --seeds 5",
                "amalgam reproduce cki --table 3 --dataset beauty --start same",
                "amalgam reproduce cki --table 1 --dataset beauty --published",
                "amalgam reproduce cki --table 1 --dataset beauty --epochs 1 --limit 2000 --users 200 --seeds 1 -o trial",
            ])
        {
            table, dataset, model, published, seeds, start, methods, epochs, more, limit, users,
        };
        foreach (Option option in common.All) verb.Options.Add(option);
        verb.Runs((parse, cancel) =>
        {
            if (Misfit(parse, parse.GetValue(table), parse.GetValue(published), model, start, methods) is { } misfit) throw new InvalidDataException(misfit);
            CkiOptions options = new()
            {
                Table = parse.GetValue(table),
                Dataset = parse.GetValue(dataset)!,
                Model = parse.GetValue(model)!,
                Published = parse.GetValue(published),
                Seeds = parse.GetValue(seeds) ?? 3,
                Starts = parse.GetValue(start) switch { "same" => [CkiStart.Same], "other" => [CkiStart.Other], _ => [CkiStart.Same, CkiStart.Other] },
                EveryMethod = parse.GetValue(methods) == "all",
                Epochs = parse.GetValue(epochs),
                MoreEpochs = parse.GetValue(more),
                Limit = parse.GetValue(limit),
                Users = parse.GetValue(users),
            };
            CkiResult result = common.Run(parse, options, CkiExperiment.Run, cancel);
            TextWriter output = parse.InvocationConfiguration.Output;
            foreach (Summary summary in result.Summaries) Write(output, result, summary);
            output.WriteLine($"Rows, table and page: {Printable.Line(result.Folder)}");
        });
        return verb;
    }

    /// <summary>What is asked for and would be ignored; null when nothing is.</summary>
    private static string? Misfit(ParseResult parse, int table, bool published, Option<string> model, Option<string> start, Option<string> methods)
    {
        bool Given(Option option) => parse.GetResult(option) is { Implicit: false };
        if (published && table != 1) return $"--published goes with table 1, not with table {table}";
        if (published && Given(model)) return "--published has a model of its own; leave out --model";
        if (published && Given(start) && parse.GetValue(start) != "other") return "--published has pairs of two initialisations alone; leave out --start or say other";
        if (table == 2 && Given(model)) return "table 2 has a model of its own; leave out --model";
        return table > 2 && parse.GetValue(methods) == "all" ? $"--methods all goes with tables 1 and 2, not with table {table}" : null;
    }

    private static void Write(TextWriter output, CkiResult result, Summary summary)
    {
        output.WriteLine($"{(summary.Start == CkiStart.Same ? "same" : "other")} start, {summary.Seeds} {(summary.Seeds == 1 ? "seed" : "seeds")}");
        int merit = result.Figures.IndexOf(result.Merit);
        Table table = new(1, ["", .. result.Figures.Select(name => $">{name}"), $">{result.Merit} over {result.Reference}"]);
        foreach (SummaryRow row in summary.Rows) table.Add([summary.NameOf(row), .. row.Test.Select(s => Number(s.Mean)), Signed(row.Gain[merit])]);
        table.Write(output, Screen.WidthOf(output));
        output.WriteLine();
    }

    private static string Number(double value) => value.ToString("0.0000", CultureInfo.InvariantCulture);

    private static string Signed(Spread spread) =>
        spread.Mean.ToString("+0.0000;-0.0000;0.0000", CultureInfo.InvariantCulture) + (double.IsNaN(spread.Deviation) ? "" : $" ± {Number(spread.Deviation)}");
}
