using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Transfer;

namespace Amalgam.Zoo.Runs;

/// <summary>Writes run descriptions with every key that has an influence, so that reading one again gives the same run whatever the defaults become.</summary>
public static class RunYaml
{
    /// <summary>The description as YAML.</summary>
    /// <param name="run">The run.</param>
    /// <param name="withOutput">Whether the output folder is part of it.</param>
    public static string Write(RunDescription run, bool withOutput = true)
    {
        StringBuilder text = new();
        void Line(string key, string value) => text.Append($"{key}: {value}\n");
        Line("data", Data(run.Data));
        Line("model", Model(run.Model));
        Line("loss", Loss(run.Loss));
        if (run.Distill is { } distill) Line("distill", Distill(distill));
        Line("optimizer", Optimizer(run));
        Line("schedule", Schedule(run.Schedule));
        Line("lr", Number(run.Rate));
        Line("epochs", Number(run.Epochs));
        Line("batch", Number(run.Batch));
        Line("drop_last", Flag(run.DropLast));
        Line("seed", Number(run.Seed));
        if (run.Train is { } scope) Line("train", scope == TrainScope.All ? "all" : "splice");
        if (withOutput && run.Output is not null) Line("output", Quote(run.Output)!);
        return text.ToString();
    }

    internal static string Model(ModelDescription model) => Map([("name", Quote(model.Name)), .. Options(model.Options), ("weights", Quote(model.Weights)), ("freeze", Words(model.Freeze))]);

    internal static string Data(DataDescription data)
    {
        Augmentation a = data.Augmentation;
        return Map([
            ("name", Quote(data.Name)),
            ("options", data.Options.IsEmpty ? null : Map([.. Options(data.Options)])),
            ("validation", data.OwnValidation ? RunReader.Own : Number(data.Validation)),
            ("seed", Number(data.Seed)),
            ("limit", data.Limit is { } limit ? Number(limit) : null),
            ("classes", data.Classes.IsEmpty ? null : Rows(data.Classes)),
            ("groups", data.Groups.IsEmpty ? null : $"[{string.Join(", ", data.Groups.Select(Rows))}]"),
            ("part", data.Part is { } part ? Map([("classes", Rows(part.Classes)), ("share", Number(part.Share)), ("seed", Number(part.Seed)), ("rest", Flag(part.Rest))]) : null),
            ("augment", a.Fixed == a ? null : Map([("flip", Flag(a.Flip)), ("crop", Number(a.Pad)), ("rotation", Number(a.Rotation))])),
            ("mean", Numbers(a.Mean)),
            ("std", Numbers(a.Deviation)),
        ]);
    }

    private static string Loss(LossDescription loss) => Map([
        ("name", loss.Name),
        ("class_vectors", Quote(loss.ClassVectors)),
        ("rows", loss.Rows.IsEmpty ? null : Rows(loss.Rows)),
        ("scale", loss.Name == "cosine" ? Number(loss.Scale) : null),
        ("label_smoothing", loss.Name is "cosine" or "cross_entropy" ? Number(loss.LabelSmoothing) : null),
        ("target", Quote(loss.Target)),
    ]);

    private static string Distill(DistillDescription distill) => Map([
        ("method", distill.Method.Name),
        ("teachers", Words(distill.Teachers)),
        .. distill.Method.Parameters.Select(p => (p.Name, double.TryParse(p.Value, CultureInfo.InvariantCulture, out _) ? p.Value : Quote(p.Value))),
        ("solo", distill.Solo ? Flag(true) : null),
    ]);

    private static string Optimizer(RunDescription run) => Map([
        .. Rule(run.Optimizer),
        ("no_decay", Words(run.NoDecay)),
        ("decay_vectors", Flag(run.DecayVectors)),
        ("clip_norm", run.ClipNorm is { } clip ? Number(clip) : null),
        ("groups", run.Groups.IsEmpty ? null : $"[{string.Join(", ", run.Groups.Select(Group))}]"),
    ]);

    /// <summary>An optimiser's name and constants.</summary>
    internal static IEnumerable<(string, string?)> Rule(UpdateRule rule) => [
        ("name", rule.Name),
        .. rule switch
        {
            Sgd sgd => [("momentum", Number(sgd.Momentum)), ("nesterov", Flag(sgd.Nesterov))],
            Adam adam => [("beta1", Number(adam.Beta1)), ("beta2", Number(adam.Beta2)), ("epsilon", Number(adam.Epsilon))],
            _ => Array.Empty<(string, string?)>(),
        },
        ("weight_decay", Number(rule.WeightDecay)),
    ];

    private static string Group(RateGroup group) =>
        Map([("match", Quote(group.Match)), ("lr_scale", Number(group.RateScale)), ("weight_decay", group.WeightDecay is { } decay ? Number(decay) : null)]);

    internal static string Schedule(Schedule schedule) => Map([
        ("name", schedule.Name),
        .. schedule switch
        {
            StepRate step => [("every", Number(step.Every)), ("factor", Number(step.Drop))],
            MultiStepRate steps => [("milestones", $"[{string.Join(", ", steps.Milestones)}]"), ("factor", Number(steps.Drop))],
            CosineRate cosine => [("last", Number(cosine.Last)), ("per_epoch", Flag(cosine.PerEpoch))],
            LinearRate linear => [("last", Number(linear.Last)), ("per_epoch", Flag(linear.PerEpoch))],
            _ => Array.Empty<(string, string?)>(),
        },
        ("warmup", Number(schedule.Warmup)),
    ]);

    internal static string Map(ReadOnlySpan<(string Key, string? Value)> entries)
    {
        List<string> texts = [];
        foreach (var (key, value) in entries)
        {
            if (value is not null) texts.Add($"{key}: {value}");
        }

        return $"{{{string.Join(", ", texts)}}}";
    }

    private static IEnumerable<(string, string?)> Options(IEnumerable<KeyValuePair<string, string>> options) => options.OrderBy(o => o.Key, StringComparer.Ordinal).Select(o => (o.Key, Quote(o.Value)));

    private static string? Words(IReadOnlyCollection<string> words) => words.Count == 0 ? null : $"[{string.Join(", ", words.Select(Quote))}]";

    private static string? Numbers(IReadOnlyCollection<float> numbers) => numbers.Count == 0 ? null : $"[{string.Join(", ", numbers.Select(n => n.ToString(CultureInfo.InvariantCulture)))}]";

    private static string Rows(ImmutableArray<int> numbers) => $"[{string.Join(", ", numbers)}]";

    internal static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);

    internal static string Flag(bool value) => value ? "true" : "false";

    /// <summary>A word as it is where YAML takes it so, else in single quotes.</summary>
    internal static string? Quote(string? text) => text is null ? null : text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '/' or '-') && char.IsAsciiLetter(text[0]) ? text : $"'{text.Replace("'", "''")}'";
}
