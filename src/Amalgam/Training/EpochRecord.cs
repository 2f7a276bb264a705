using System.Text.Json;

namespace Amalgam.Training;

/// <summary>What an epoch came to.</summary>
/// <param name="Epoch">From 1 on.</param>
/// <param name="Step">Steps done at its end.</param>
/// <param name="Rate">The learning rate of its last step.</param>
/// <param name="Loss">Mean over its samples, each seen before the step that learned from it.</param>
/// <param name="Accuracy">Share of its samples that were right; null where there are no classes.</param>
/// <param name="Validation">On the validation data at its end; null without.</param>
/// <param name="Seconds">Time for its steps and its evaluation; of the last part alone when the run was resumed within it.</param>
public sealed record EpochRecord(int Epoch, long Step, double Rate, double Loss, double? Accuracy, Score? Validation, double Seconds)
{
    /// <summary>One line of JSON, as <c>metrics.jsonl</c> has it.</summary>
    public string ToJson() => JsonLine.Of(Write);

    internal void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("epoch", Epoch);
        json.WriteNumber("step", Step);
        json.WriteNumber("lr", Rate);
        json.WriteNumber("loss", Loss);
        if (Accuracy is { } accuracy) json.WriteNumber("accuracy", accuracy);
        if (Validation is { } score)
        {
            // A network that has gone astray between two finite losses may have a validation loss that JSON cannot say.
            if (double.IsFinite(score.Loss)) json.WriteNumber("validation_loss", score.Loss);
            if (score.Accuracy is { } right) json.WriteNumber("validation_accuracy", right);
            if (score.Merit is { } merit) json.WriteNumber("validation_merit", merit);
            json.WriteNumber("validation_samples", score.Samples);
        }

        json.WriteNumber("seconds", Seconds);
        json.WriteEndObject();
    }

    internal static EpochRecord Read(JsonElement json)
    {
        Score? score = json.TryGetProperty("validation_samples", out JsonElement samples)
            ? new(Optional(json, "validation_loss") ?? double.NaN, Optional(json, "validation_accuracy"), samples.GetInt32()) { Merit = Optional(json, "validation_merit") }
            : null;
        return new(
            json.GetProperty("epoch").GetInt32(), json.GetProperty("step").GetInt64(), json.GetProperty("lr").GetDouble(), json.GetProperty("loss").GetDouble(),
            Optional(json, "accuracy"), score, json.GetProperty("seconds").GetDouble());
    }

    private static double? Optional(JsonElement json, string name) => json.TryGetProperty(name, out JsonElement value) ? value.GetDouble() : null;
}
