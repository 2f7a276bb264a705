using System.Text;
using System.Text.Json;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Training;

namespace Amalgam.Transfer.MergeNet;

/// <summary>Keeps where a joint run stands, networks, optimisers and adapters, in one safetensors file, which appears when it is complete.</summary>
internal sealed class JointState(JointOptions options, Learner[] learners, Trainer?[] trainers, AdapterTraining[] adapters)
{
    private const string Key = "amalgam.joint";

    /// <summary>Writes the state between two rounds; nothing where it is kept nowhere.</summary>
    /// <param name="round">Rounds done.</param>
    /// <param name="times">Time so far.</param>
    public void Save(long round, PhaseTimes times)
    {
        if (options.StatePath is not { } path) return;
        Graph box = new();
        Dictionary<string, string> notes = new() { [TrainingState.DescriptionKey] = options.Description, [Key] = ToJson(round, times) };
        for (int i = 0; i < trainers.Length; i++) trainers[i]?.WriteState(box, notes, Prefix(i));
        foreach (AdapterTraining adapter in adapters) adapter.AddTo(box);
        GraphWeights.Save(box, path, overwrite: true, notes);
    }

    /// <summary>Reads the state into networks, optimisers and adapters.</summary>
    /// <returns>Rounds done and the time that they took; null where there is no state.</returns>
    public (long Round, PhaseTimes Times)? Load()
    {
        if (options.StatePath is not { } path || !File.Exists(path)) return null;
        using Checkpoint checkpoint = TrainingState.Open(path, options.Description);
        var (round, times) = TrainingState.Parse(checkpoint, Key, Read);
        Graph box = new();
        for (int i = 0; i < trainers.Length; i++) trainers[i]?.ReadState(checkpoint, box, Prefix(i));
        foreach (AdapterTraining adapter in adapters) adapter.AddTo(box);
        GraphWeights.Load(box, checkpoint);
        for (int i = 0; i < trainers.Length; i++) CheckSteps(path, round, i);
        return (round, times);
    }

    /// <summary>Each network has taken the steps of its rounds, or all of its steps.</summary>
    private void CheckSteps(string path, long round, int learner)
    {
        if (trainers[learner] is not { } trainer) return;
        long expected = Math.Min(trainer.Steps, round * learners[learner].StepsPerRound);
        if (trainer.Step != expected) throw new InvalidDataException($"{path} is not the state of a training run: {learners[learner].Name} has taken {trainer.Step} steps after {round} rounds, expected {expected}");
    }

    private string Prefix(int learner) => $"learners/{learners[learner].Name}/";

    private string ToJson(long round, PhaseTimes times)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            json.WriteNumber("round", round);
            json.WriteStartArray("seconds");
            foreach (TimeSpan time in (ReadOnlySpan<TimeSpan>)[times.Steps, times.Transfers, times.AdapterUpdates, times.Evaluation]) json.WriteNumberValue(time.TotalSeconds);
            json.WriteEndArray();
            json.WriteStartArray("transfers");
            foreach (AdapterTraining adapter in adapters) adapter.Save(json);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private (long Round, PhaseTimes Times) Read(JsonElement json)
    {
        JsonElement[] transfers = [.. json.GetProperty("transfers").EnumerateArray()];
        if (transfers.Length != adapters.Length) throw new FormatException($"it has {transfers.Length} transfers, the run {adapters.Length}");
        for (int i = 0; i < transfers.Length; i++) adapters[i].Restore(transfers[i]);
        long round = json.GetProperty("round").GetInt64();
        double[] seconds = [.. json.GetProperty("seconds").EnumerateArray().Select(time => time.GetDouble())];
        if (seconds.Length != 4 || seconds.Any(time => time is not (>= 0 and < 1e9))) throw new FormatException("its times are not four numbers of seconds");
        return round >= 0
            ? (round, new(Time(seconds[0]), Time(seconds[1]), Time(seconds[2]), Time(seconds[3])))
            : throw new FormatException($"its round is {round}");
    }

    /// <summary>The very time that was written: <see cref="TimeSpan.FromSeconds(double)"/> would cut off what a product in binary lacks of a tick.</summary>
    private static TimeSpan Time(double seconds) => new((long)Math.Round(seconds * TimeSpan.TicksPerSecond));
}
