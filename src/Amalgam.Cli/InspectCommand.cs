using System.CommandLine;
using System.Text.Json;
using Amalgam.Checkpoints;
using Amalgam.Merging.Recipes;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary><c>amalgam inspect</c>: what a checkpoint holds.</summary>
internal static class InspectCommand
{
    private const string Bars = "▁▂▃▄▅▆▇█";
    private const int MetadataLength = 100;

    public static Command Create()
    {
        Argument<string> path = new("path") { Description = "Checkpoint file, or folder that holds one" };
        Option<bool> stats = new("--stats") { Description = "Read the values: range, mean, standard deviation, zeros, entropy (of 10 bins, in nats, as CKI takes it), histogram" };
        Option<string?> filter = new("--filter", "-f") { Description = "Only tensors whose name contains this, or matches it: a glob with * and ?, or regex:...", HelpName = "pattern" };
        Option<bool> json = new("--json") { Description = "Print JSON" };
        Option<bool> quiet = new("--quiet", "-q") { Description = "No progress on the error output" };
        Verb verb = new(
            "inspect", "Show the tensors of a checkpoint: names, types, shapes, sizes; with --stats what their values are like.",
            [
                "amalgam inspect model.safetensors",
                "amalgam inspect Llama-3-8B --filter 'layers.0.'       # a folder, one layer of it",
                "amalgam inspect model.safetensors --stats --filter '*.weight'",
                "amalgam inspect model.safetensors --json | jq '.tensors[].name'",
            ])
        {
            path, stats, filter, json, quiet,
        };
        verb.Runs((parse, cancel) =>
        {
            TextWriter output = parse.InvocationConfiguration.Output;
            TransferFolder.CheckIsNone(parse.GetValue(path)!);
            using Checkpoint checkpoint = Checkpoint.Open(parse.GetValue(path)!);
            List<Row> rows = [.. Select(checkpoint, parse.GetValue(filter)).Select(t => new Row(t, null))];
            if (parse.GetValue(stats))
            {
                using Progress progress = new(parse.InvocationConfiguration.Error, parse.GetValue(quiet));
                rows = WithStatistics(rows, progress, cancel);
            }

            if (parse.GetValue(json)) WriteJson(output, checkpoint, rows);
            else Write(output, checkpoint, rows, parse.GetValue(stats));
        });
        return verb;
    }

    /// <summary>The tensors that a pattern names, in natural order.</summary>
    internal static IEnumerable<TensorEntry> Select(Checkpoint checkpoint, string? filter)
    {
        NamePattern? pattern = filter is null ? null : NamePattern.Parse(filter, plainIsGlob: filter.AsSpan().ContainsAny('*', '?'));
        return checkpoint.Tensors.Where(t => pattern is null || pattern.Matches(t.Name)).OrderBy(t => t.Name, NaturalOrder.Comparer);
    }

    private static List<Row> WithStatistics(List<Row> rows, Progress progress, CancellationToken cancel)
    {
        long done = 0, total = rows.Sum(r => r.Tensor.ByteCount);
        return [.. rows.AsParallel().AsOrdered().WithCancellation(cancel).Select(row =>
        {
            Row full = row with { Statistics = TensorStatistics.Of(row.Tensor, cancel) };
            progress.Report(Interlocked.Add(ref done, row.Tensor.ByteCount), total, row.Tensor.Name);
            return full;
        })];
    }

    private static void Write(TextWriter output, Checkpoint checkpoint, List<Row> rows, bool stats)
    {
        int? width = Screen.WidthOf(output);
        string[] files = [.. checkpoint.Files];
        long parameters = checkpoint.Tensors.Sum(t => t.Shape.Count);
        output.WriteLine(Printable.Line(checkpoint.Path));
        output.WriteLine($"  format      {checkpoint.Format}{(files.Length == 1 ? "" : $", {files.Length} files")}");
        output.WriteLine($"  tensors     {checkpoint.Tensors.Length:N0}{(rows.Count == checkpoint.Tensors.Length ? "" : $", {rows.Count:N0} shown")}");
        output.WriteLine($"  parameters  {parameters:N0}");
        output.WriteLine($"  size        {checkpoint.ByteCount:N0} bytes ({ByteSize.Text(checkpoint.ByteCount)})");
        foreach (var (key, value) in checkpoint.Metadata.OrderBy(m => m.Key, StringComparer.Ordinal))
            output.WriteLine($"  metadata    {Printable.Short(key, MetadataLength)}: {Printable.Short(value, MetadataLength)}");
        foreach (string note in checkpoint.Notes) output.WriteLine($"  note        {Printable.Line(note)}");
        if (rows.Count == 0) return;

        output.WriteLine();
        (stats ? StatisticsTable(rows) : Tensors(rows)).Write(output, width);
        output.WriteLine();
        Totals(rows).Write(output, width);
    }

    private static Table Tensors(List<Row> rows)
    {
        Table table = new(1, "NAME", "TYPE", "SHAPE", ">SIZE");
        foreach (var (t, _) in rows) table.Add(Printable.Line(t.Name), t.DType.Name, t.Shape.ToString(), ByteSize.Text(t.ByteCount));
        return table;
    }

    private static Table Totals(List<Row> rows)
    {
        Table table = new(1, "TYPE", ">TENSORS", ">PARAMETERS", ">SIZE");
        foreach (var group in rows.GroupBy(r => r.Tensor.DType).OrderBy(g => DType.All.IndexOf(g.Key)))
            table.Add(group.Key.Name, $"{group.Count():N0}", $"{group.Sum(r => r.Tensor.Shape.Count):N0}", ByteSize.Text(group.Sum(r => r.Tensor.ByteCount)));
        return table;
    }

    private static Table StatisticsTable(List<Row> rows)
    {
        bool anyNonFinite = rows.Any(r => r.Statistics is { NonFinite: > 0 });
        string[] last = anyNonFinite ? [">ENTROPY", "HISTOGRAM", "NAN OR INF"] : [">ENTROPY", "HISTOGRAM"];
        Table table = new(4, ["NAME", "TYPE", "SHAPE", "SIZE", ">MIN", ">MAX", ">MEAN", ">STD", ">ZEROS", .. last]);
        foreach (var (t, s) in rows)
        {
            string[] cells = s is null
                ? ["-", "-", "-", "-", "-", "-", "-", "-"]
                :
                [
                    Printable.Number(s.Min), Printable.Number(s.Max), Printable.Number(s.Mean), Printable.Number(s.StandardDeviation),
                    Printable.Percent(s.ZeroShare), s.Entropy.ToString("0.0000"), Picture(s.Histogram.AsSpan()),
                    s.NonFinite == 0 ? "" : $"{s.NonFinite:N0}, first at {s.FirstNonFinite}",
                ];
            table.Add([Printable.Line(t.Name), t.DType.Name, t.Shape.ToString(), ByteSize.Text(t.ByteCount), .. cells[..(anyNonFinite ? 8 : 7)]]);
        }

        return table;
    }

    /// <summary>A character for each bin, as high as its count; a dot for an empty one.</summary>
    internal static string Picture(ReadOnlySpan<long> counts)
    {
        long most = 0;
        foreach (long count in counts) most = Math.Max(most, count);
        Span<char> picture = stackalloc char[counts.Length];
        for (int i = 0; i < counts.Length; i++) picture[i] = counts[i] == 0 ? '.' : Bars[(int)((double)counts[i] / most * (Bars.Length - 1))];
        return new(picture);
    }

    private static void WriteJson(TextWriter output, Checkpoint checkpoint, List<Row> rows) => Json.Write(output, json =>
    {
        json.WriteString("path", checkpoint.Path);
        json.WriteString("format", checkpoint.Format);
        json.Strings("files", checkpoint.Files);
        json.WriteNumber("parameters", checkpoint.Tensors.Sum(t => t.Shape.Count));
        json.WriteNumber("bytes", checkpoint.ByteCount);
        json.WriteStartObject("metadata");
        foreach (var (key, value) in checkpoint.Metadata.OrderBy(m => m.Key, StringComparer.Ordinal)) json.WriteString(key, value);
        json.WriteEndObject();
        json.Strings("notes", checkpoint.Notes);
        json.WriteStartArray("tensors");
        foreach (var (t, s) in rows)
        {
            json.WriteStartObject();
            json.WriteString("name", t.Name);
            json.WriteString("dtype", t.DType.Name);
            json.Numbers("shape", t.Shape.Sizes);
            json.WriteNumber("bytes", t.ByteCount);
            if (s is not null) WriteStatistics(json, s);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    private static void WriteStatistics(Utf8JsonWriter json, TensorStatistics s)
    {
        json.Number("min", s.Min);
        json.Number("max", s.Max);
        json.Number("mean", s.Mean);
        json.Number("std", s.StandardDeviation);
        json.WriteNumber("zeros", s.Zeros);
        json.WriteNumber("non_finite", s.NonFinite);
        if (s.NonFinite > 0) json.WriteNumber("first_non_finite", s.FirstNonFinite);
        json.Number("entropy", s.Entropy);
        json.Numbers("histogram", s.Histogram.AsSpan());
    }

    private sealed record Row(TensorEntry Tensor, TensorStatistics? Statistics);
}
