using System.Collections.Immutable;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Amalgam.Zoo.Runs;

/// <summary>What one transfer run came to with several seeds: each in a folder of its own inside of one, and beside them what they have in common.</summary>
/// <param name="Seeds">The seeds.</param>
/// <param name="Scores">Every network on the validation data and on the test data, in the order of the description.</param>
public sealed record TransferSeeds(ImmutableArray<long> Seeds, ImmutableArray<SeededScore> Scores)
{
    /// <summary>Warnings first, then notes: what the runs say of themselves.</summary>
    public ImmutableArray<SeedRemark> Remarks { get; init; } = [];

    /// <summary>Reads what the runs left.</summary>
    /// <param name="folder">The folder of all.</param>
    /// <param name="seeds">The seeds, whose runs have ended.</param>
    /// <exception cref="InvalidDataException">One left something else.</exception>
    public static TransferSeeds Read(string folder, IEnumerable<long> seeds)
    {
        ImmutableArray<long> all = [.. seeds];
        List<(string Model, bool OnTest, string Measure, bool IsChanged, double Together, double? Solo)> found = [];
        List<(long Seed, bool IsWarning, string Text)> remarks = [];
        foreach (long seed in all)
        {
            string path = Path.Combine(folder, TransferSeedsFolder.Of(seed), RunFolder.Result);
            try
            {
                using JsonDocument json = JsonDocument.Parse(File.ReadAllText(path));
                foreach (var (name, isWarning) in new[] { ("warnings", true), ("notes", false) })
                    if (json.RootElement.TryGetProperty(name, out JsonElement texts)) remarks.AddRange(texts.EnumerateArray().Select(text => (seed, isWarning, text.GetString() ?? "")));
                foreach (JsonProperty model in json.RootElement.GetProperty("models").EnumerateObject())
                {
                    foreach (bool onTest in (bool[])[false, true])
                    {
                        if (!model.Value.TryGetProperty(onTest ? "test" : "validation", out JsonElement score)) continue;
                        double? solo = score.TryGetProperty("solo", out JsonElement alone) ? alone.GetDouble() : null;
                        found.Add((model.Name, onTest, score.GetProperty("measure").GetString()!, model.Value.GetProperty("changed_by_transfers").GetBoolean(), score.GetProperty("with_transfers").GetDouble(), solo));
                    }
                }
            }
            catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
            {
                throw new InvalidDataException($"{path} is not what a transfer run leaves: {e.Message}", e);
            }
        }

        return new(all, [.. found.GroupBy(row => (row.OnTest, row.Model)).OrderBy(group => group.Key.OnTest).Select(group => new SeededScore(group.Key.Model, group.Key.OnTest, group.First().Measure)
        {
            IsChanged = group.First().IsChanged,
            Together = [.. group.Select(row => row.Together)],
            Solo = group.All(row => row.Solo is not null) ? [.. group.Select(row => row.Solo!.Value)] : [],
        })])
        {
            Remarks = [.. remarks.GroupBy(row => (row.IsWarning, row.Text)).OrderBy(group => !group.Key.IsWarning).Select(group => new SeedRemark(group.Key.IsWarning, group.Key.Text, [.. group.Select(row => row.Seed).Distinct()]))],
        };
    }

    /// <summary>Writes <c>result.json</c> and the page.</summary>
    /// <param name="folder">The folder of all.</param>
    /// <param name="report">Where the page goes.</param>
    public void Write(string folder, string report)
    {
        RunOutput.WriteFile(Path.Combine(folder, RunFolder.Result), ToJson());
        TransferSeedsPage.Of(this).Save(report);
    }

    private string ToJson()
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteStartArray("seeds");
            foreach (long seed in Seeds) json.WriteNumberValue(seed);
            json.WriteEndArray();
            json.WriteStartArray("scores");
            foreach (SeededScore score in Scores) score.Write(json);
            json.WriteEndArray();
            foreach (var (name, isWarning) in new[] { ("notes", false), ("warnings", true) })
            {
                json.WriteStartArray(name);
                foreach (SeedRemark remark in Remarks.Where(remark => remark.IsWarning == isWarning)) remark.Write(json);
                json.WriteEndArray();
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }
}

/// <summary>A note or a warning of a run, with the seeds whose runs say it.</summary>
/// <param name="IsWarning">Whether it is a warning.</param>
/// <param name="Text">What it says.</param>
/// <param name="Seeds">The seeds.</param>
public sealed record SeedRemark(bool IsWarning, string Text, ImmutableArray<long> Seeds)
{
    /// <summary>The same after the seeds: <c>seed 2: ...</c>.</summary>
    public string Sentence => $"{TransferSeedsFolder.Text(Seeds)}: {Text}";

    internal void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartArray("seeds");
        foreach (long seed in Seeds) json.WriteNumberValue(seed);
        json.WriteEndArray();
        json.WriteString("text", Text);
        json.WriteEndObject();
    }
}

/// <summary>A network's scores over seeds.</summary>
/// <param name="Model">The network.</param>
/// <param name="OnTest">Whether they are on the test data; else on the validation data.</param>
/// <param name="Measure">What is measured.</param>
public sealed record SeededScore(string Model, bool OnTest, string Measure)
{
    /// <summary>With transfers, one for each seed.</summary>
    public required ImmutableArray<double> Together { get; init; }

    /// <summary>By itself with the same seeds; empty where it was not trained so.</summary>
    public ImmutableArray<double> Solo { get; init; } = [];

    /// <summary>Whether transfers write to it.</summary>
    public bool IsChanged { get; init; } = true;

    /// <summary>Whether the measure is a share, to be written in percent.</summary>
    public bool IsShare => new ComparedScore(Measure, 0, null).IsShare;

    /// <summary>With transfers less by itself, seed for seed; empty where there is nothing to compare with.</summary>
    public ImmutableArray<double> Differences => IsChanged ? [.. Together.Zip(Solo, (together, solo) => together - solo)] : [];

    /// <summary>With how many seeds it is better with transfers.</summary>
    public int Better => Differences.Count(difference => Measure == "loss" ? difference < 0 : difference > 0);

    /// <summary>Mean and standard deviation over the seeds; of one seed there is no deviation.</summary>
    public static (double Mean, double? Deviation) Of(ImmutableArray<double> values)
    {
        double mean = values.Average();
        return (mean, values.Length < 2 ? null : Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1)));
    }

    /// <summary>A mean and its deviation as people read them: <c>71.20% ± 0.35</c>, a difference in points.</summary>
    public string Text(ImmutableArray<double> values, bool isDifference = false)
    {
        if (values.IsEmpty) return "\u2013";
        var (mean, deviation) = Of(values);
        double factor = IsShare ? 100 : 1;
        string format = IsShare ? "0.00" : "0.0000", sign = isDifference && mean > 0 ? "+" : "";
        string spread = deviation is { } own ? $" \u00b1 {Report.Figures.Text(factor * own, format)}" : "";
        return $"{sign}{Report.Figures.Text(factor * mean, format)}{(IsShare && !isDifference ? "%" : "")}{spread}{(IsShare && isDifference ? " points" : "")}";
    }

    internal void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("model", Model);
        json.WriteString("data", OnTest ? "test" : "validation");
        json.WriteString("measure", Measure);
        foreach (var (name, values) in new[] { ("with_transfers", Together), ("solo", Solo), ("difference", Differences) })
        {
            if (values.IsEmpty) continue;
            var (mean, deviation) = Of(values);
            json.WriteStartObject(name);
            json.WriteNumber("mean", mean);
            if (deviation is { } own) json.WriteNumber("standard_deviation", own);
            json.WriteStartArray("of_seeds");
            foreach (double value in values) json.WriteNumberValue(value);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        if (!Differences.IsEmpty) json.WriteNumber("better_with", Better);
        json.WriteEndObject();
    }
}
