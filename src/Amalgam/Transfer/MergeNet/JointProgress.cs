using System.Collections.Immutable;
using System.Text.Json;
using Amalgam.Training;

namespace Amalgam.Transfer.MergeNet;

/// <summary>How networks train together.</summary>
public sealed record JointOptions
{
    /// <summary>Where the state of all networks and adapters is kept after every epoch and when the run is cancelled, a .safetensors file; null for nowhere.</summary>
    public string? StatePath { get; init; }

    /// <summary>
    /// Says which run it is: a state is only resumed by a run with the same text. The transfers' settings and the numbers of frozen sources are compared beside it; of how the networks train, their data, losses and
    /// options, this text alone tells.
    /// </summary>
    public string Description { get; init; } = "";
}

/// <summary>How far a joint run has come, after a round.</summary>
/// <param name="Round">Rounds done.</param>
/// <param name="Rounds">Rounds of the run.</param>
/// <param name="Learners">Of each learner, in their order; null of a frozen one.</param>
/// <param name="TimeLeft">Until the end, at this speed.</param>
public readonly record struct JointProgress(long Round, long Rounds, IReadOnlyList<TrainingProgress?> Learners, TimeSpan TimeLeft);

/// <summary>How far a learner's own training has come.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Steps">Steps of the whole run.</param>
/// <param name="History">What its epochs came to.</param>
/// <param name="BestEpoch">The epoch with the best score on its validation data; null before the first, and without validation data.</param>
public sealed record LearnerRecord(long Step, long Steps, IReadOnlyList<EpochRecord> History, EpochRecord? BestEpoch);

/// <summary>Time of the parts of a joint run.</summary>
/// <param name="Steps">The learners' own steps.</param>
/// <param name="Transfers">Snapshots, the adapters' forward passes, and writing what they generate.</param>
/// <param name="AdapterUpdates">The adapters' backward passes and updates.</param>
/// <param name="Evaluation">Measuring on validation data, and keeping weights and state.</param>
public readonly record struct PhaseTimes(TimeSpan Steps, TimeSpan Transfers, TimeSpan AdapterUpdates, TimeSpan Evaluation)
{
    /// <summary>All of it.</summary>
    public TimeSpan Total => Steps + Transfers + AdapterUpdates + Evaluation;
}

/// <summary>What the transfers into a matrix came to in an epoch of its learner.</summary>
/// <param name="Epoch">From 1 on.</param>
/// <param name="Transfers">Transfers so far, from the beginning of the run.</param>
/// <param name="WeightNorm">Euclidean norm of all of the adapter's trained parameters at the epoch's end.</param>
/// <param name="Change">Mean over the epoch's transfers of |generated - before| / |before| in the Frobenius norm; 0 where there was none.</param>
/// <param name="Mixing">Of each layer of the adapter the shares omega of its unfoldings; empty where it has none.</param>
public sealed record TransferRecord(int Epoch, long Transfers, double WeightNorm, double Change, ImmutableArray<ImmutableArray<double>> Mixing)
{
    /// <summary>One line of JSON.</summary>
    public string ToJson() => JsonLine.Of(Write);

    internal void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("epoch", Epoch);
        json.WriteNumber("transfers", Transfers);
        json.WriteNumber("weight_norm", WeightNorm);
        json.WriteNumber("change", Change);
        json.WriteStartArray("mixing");
        foreach (ImmutableArray<double> layer in Mixing)
        {
            json.WriteStartArray();
            foreach (double share in layer) json.WriteNumberValue(share);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    internal static TransferRecord Read(JsonElement json) => new(
        json.GetProperty("epoch").GetInt32(), json.GetProperty("transfers").GetInt64(), json.GetProperty("weight_norm").GetDouble(), json.GetProperty("change").GetDouble(),
        [.. json.GetProperty("mixing").EnumerateArray().Select(layer => layer.EnumerateArray().Select(share => share.GetDouble()).ToImmutableArray())]);
}
