using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using Amalgam.Checkpoints;
using Amalgam.Merging.Recipes;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary><c>amalgam diff</c>: how far two checkpoints are apart.</summary>
internal static class DiffCommand
{
    private const int NamesShown = 20;

    public static Command Create()
    {
        Argument<string> a = new("a") { Description = "Checkpoint file or folder that the other is compared with" };
        Argument<string> b = new("b") { Description = "The other one" };
        Option<string> sort = new("--sort", "-s") { Description = "What comes first: the smallest cosine, the largest relative distance, or the names in order", DefaultValueFactory = _ => "l2" };
        sort.AcceptOnlyFromAmong("cosine", "l2", "name");
        Option<int> top = new("--top", "-n") { Description = "Show only so many tensors; 0 shows all", CustomParser = ParseCount, HelpName = "count" };
        Option<bool> json = new("--json") { Description = "Print JSON" };
        Option<bool> quiet = new("--quiet", "-q") { Description = "No progress on the error output" };
        Verb verb = new(
            "diff", "Compare two checkpoints tensor by tensor: cosine, relative L2 distance |A-B|/|A|, share of equal signs, largest difference. Ends with 0, identical or not.",
            [
                "amalgam diff model-a.safetensors model-b.safetensors",
                "amalgam diff base fine-tune --top 20               # what the fine-tuning moved most",
                "amalgam diff a.safetensors b.safetensors --sort name --json",
            ])
        {
            a, b, sort, top, json, quiet,
        };
        verb.Runs((parse, cancel) =>
        {
            TextWriter output = parse.InvocationConfiguration.Output;
            foreach (string path in (string[])[parse.GetValue(a)!, parse.GetValue(b)!]) TransferFolder.CheckIsNone(path);
            using Checkpoint first = Checkpoint.Open(parse.GetValue(a)!), second = Checkpoint.Open(parse.GetValue(b)!);
            Difference difference;
            using (Progress progress = new(parse.InvocationConfiguration.Error, parse.GetValue(quiet))) difference = Compare(first, second, progress, cancel);
            IEnumerable<Row> sorted = Sort(difference.Rows, parse.GetValue(sort)!);
            Row[] rows = [.. parse.GetValue(top) is > 0 and int count ? sorted.Take(count) : sorted];
            if (parse.GetValue(json)) WriteJson(output, first, second, difference, rows);
            else Write(output, first, second, difference, rows);
        });
        return verb;
    }

    private static int ParseCount(ArgumentResult argument)
    {
        string text = argument.Tokens[0].Value;
        if (int.TryParse(text, out int count) && count >= 0) return count;
        argument.AddError($"--top takes a whole number of 0 or more, got {Nearest.Quote(text)}");
        return 0;
    }

    private static Difference Compare(Checkpoint a, Checkpoint b, Progress progress, CancellationToken cancel)
    {
        List<(TensorEntry A, TensorEntry B)> pairs = [], mismatches = [];
        List<TensorEntry> onlyInA = [];
        foreach (TensorEntry tensor in InspectCommand.Select(a, null))
        {
            if (!b.TryFind(tensor.Name, out TensorEntry? other)) onlyInA.Add(tensor);
            else (tensor.Shape == other.Shape ? pairs : mismatches).Add((tensor, other));
        }

        long done = 0, total = pairs.Sum(p => p.A.ByteCount + p.B.ByteCount);
        List<Row> rows = [.. pairs.AsParallel().AsOrdered().WithCancellation(cancel).Select(p =>
        {
            Row row = new(p.A, p.B, TensorComparison.Of(p.A, p.B, cancel));
            progress.Report(Interlocked.Add(ref done, p.A.ByteCount + p.B.ByteCount), total, p.A.Name);
            return row;
        })];
        return new(rows, mismatches, onlyInA, [.. InspectCommand.Select(b, null).Where(t => !a.TryFind(t.Name, out _))]);
    }

    private static IEnumerable<Row> Sort(List<Row> rows, string order) => order switch
    {
        "cosine" => rows.OrderBy(r => r.Comparison.Cosine),
        "l2" => rows.OrderByDescending(r => double.IsNaN(r.Comparison.RelativeDistance) ? double.PositiveInfinity : r.Comparison.RelativeDistance),
        _ => rows,
    };

    private static void Write(TextWriter output, Checkpoint a, Checkpoint b, Difference difference, Row[] rows)
    {
        int identical = difference.Rows.Count(r => r.Comparison.IsIdentical);
        output.WriteLine($"A  {Printable.Line(a.Path)}");
        output.WriteLine($"B  {Printable.Line(b.Path)}");
        if (difference.IsIdentical)
        {
            output.WriteLine($"identical: all {difference.Rows.Count:N0} tensors have the same values{(difference.Rows.Any(r => r.A.DType != r.B.DType) ? ", some in another type" : "")}");
            return;
        }

        output.WriteLine();
        Row[] different = [.. rows.Where(r => !r.Comparison.IsIdentical)];
        if (different.Length > 0)
        {
            Rows(different, difference.Total).Write(output, Screen.WidthOf(output));
            output.WriteLine();
        }

        int hidden = difference.Rows.Count - identical - different.Length;
        output.WriteLine($"{difference.Rows.Count - identical:N0} tensors differ{(hidden > 0 ? $" ({hidden:N0} not shown)" : "")}, {identical:N0} are identical");
        foreach (var (ofA, ofB) in difference.Mismatches.Take(NamesShown))
            output.WriteLine($"shapes differ: {Printable.Line(ofA.Name)} is {ofA.Shape} in A, {ofB.Shape} in B");
        if (difference.Mismatches.Count > NamesShown) output.WriteLine($"shapes differ: {difference.Mismatches.Count - NamesShown:N0} more tensors");
        WriteNames(output, "only in A", difference.OnlyInA);
        WriteNames(output, "only in B", difference.OnlyInB);
    }

    private static Table Rows(Row[] rows, TensorComparison total)
    {
        bool types = rows.Any(r => r.A.DType != r.B.DType);
        Table table = new(types ? 3 : 2, [.. (string[])["NAME", "SHAPE"], .. types ? (string[])["TYPES"] : [], ">COSINE", ">REL L2", ">SIGNS", ">MAX DIFF"]);
        foreach (var (a, b, c) in rows)
            table.Add([Printable.Line(a.Name), a.Shape.ToString(), .. types ? (string[])[a.DType == b.DType ? a.DType.Name : $"{a.DType} {b.DType}"] : [], .. Cells(c)]);
        table.Add(["total", "", .. types ? (string[])[""] : [], .. Cells(total)]);
        return table;
    }

    private static string[] Cells(TensorComparison c) =>
        [double.IsNaN(c.Cosine) ? "-" : c.Cosine.ToString("0.000000"), Printable.Number(c.RelativeDistance), Printable.Percent(c.SignAgreement), Printable.Number(c.LargestDifference)];

    private static void WriteNames(TextWriter output, string what, List<TensorEntry> tensors)
    {
        foreach (TensorEntry tensor in tensors.Take(NamesShown)) output.WriteLine($"{what}: {Printable.Line(tensor.Name)} {tensor.DType}{tensor.Shape}");
        if (tensors.Count > NamesShown) output.WriteLine($"{what}: {tensors.Count - NamesShown:N0} more tensors");
    }

    private static void WriteJson(TextWriter output, Checkpoint a, Checkpoint b, Difference difference, Row[] rows) => Json.Write(output, json =>
    {
        json.WriteString("a", a.Path);
        json.WriteString("b", b.Path);
        json.WriteBoolean("identical", difference.IsIdentical);
        json.WriteNumber("identical_tensors", difference.Rows.Count(r => r.Comparison.IsIdentical));
        json.WriteStartObject("total");
        WriteFigures(json, difference.Total);
        json.WriteEndObject();
        json.WriteStartArray("tensors");
        foreach (var (first, second, comparison) in rows)
        {
            json.WriteStartObject();
            json.WriteString("name", first.Name);
            json.Numbers("shape", first.Shape.Sizes);
            json.WriteString("dtype_a", first.DType.Name);
            json.WriteString("dtype_b", second.DType.Name);
            json.WriteBoolean("identical", comparison.IsIdentical);
            WriteFigures(json, comparison);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("shapes_differ");
        foreach (var (first, second) in difference.Mismatches)
        {
            json.WriteStartObject();
            json.WriteString("name", first.Name);
            json.Numbers("shape_a", first.Shape.Sizes);
            json.Numbers("shape_b", second.Shape.Sizes);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.Strings("only_in_a", difference.OnlyInA.Select(t => t.Name));
        json.Strings("only_in_b", difference.OnlyInB.Select(t => t.Name));
    });

    private static void WriteFigures(Utf8JsonWriter json, TensorComparison c)
    {
        json.Number("cosine", c.Cosine);
        json.Number("relative_l2", c.RelativeDistance);
        json.Number("sign_agreement", c.SignAgreement);
        json.Number("max_abs_difference", c.LargestDifference);
    }

    private sealed record Row(TensorEntry A, TensorEntry B, TensorComparison Comparison);

    private sealed record Difference(List<Row> Rows, List<(TensorEntry A, TensorEntry B)> Mismatches, List<TensorEntry> OnlyInA, List<TensorEntry> OnlyInB)
    {
        /// <summary>Over all tensors whose values can be read.</summary>
        public TensorComparison Total { get; } =
            Rows.Where(r => r.A.DType.IsReadable && r.B.DType.IsReadable).Aggregate(TensorComparison.None, (sum, r) => sum + r.Comparison);

        public bool IsIdentical => Mismatches.Count + OnlyInA.Count + OnlyInB.Count == 0 && Rows.All(r => r.Comparison.IsIdentical);
    }
}
