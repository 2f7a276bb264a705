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
    public void Save(long round)
    {
        if (options.StatePath is not { } path) return;
        Graph box = new();
        Dictionary<string, string> notes = new() { [TrainingState.DescriptionKey] = options.Description, [Key] = ToJson(round) };
        for (int i = 0; i < trainers.Length; i++) trainers[i]?.WriteState(box, notes, Prefix(i));
        foreach (AdapterTraining adapter in adapters) adapter.AddTo(box);
        GraphWeights.Save(box, path, overwrite: true, notes);
    }

    /// <summary>Reads the state into networks, optimisers and adapters.</summary>
    /// <returns>Rounds done; null where there is no state.</returns>
    public long? Load()
    {
        if (options.StatePath is not { } path || !File.Exists(path)) return null;
        using Checkpoint checkpoint = TrainingState.Open(path, options.Description);
        long round = TrainingState.Parse(checkpoint, Key, Read);
        Graph box = new();
        for (int i = 0; i < trainers.Length; i++) trainers[i]?.ReadState(checkpoint, box, Prefix(i));
        foreach (AdapterTraining adapter in adapters) adapter.AddTo(box);
        GraphWeights.Load(box, checkpoint);
        for (int i = 0; i < trainers.Length; i++) CheckSteps(path, round, i);
        return round;
    }

    /// <summary>Each network has taken the steps of its rounds, or all of its steps.</summary>
    private void CheckSteps(string path, long round, int learner)
    {
        if (trainers[learner] is not { } trainer) return;
        long expected = Math.Min(trainer.Steps, round * learners[learner].StepsPerRound);
        if (trainer.Step != expected) throw new InvalidDataException($"{path} is not the state of a training run: {learners[learner].Name} has taken {trainer.Step} steps after {round} rounds, expected {expected}");
    }

    private string Prefix(int learner) => $"learners/{learners[learner].Name}/";

    private string ToJson(long round)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            json.WriteNumber("round", round);
            json.WriteStartArray("transfers");
            foreach (AdapterTraining adapter in adapters) adapter.Save(json);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private long Read(JsonElement json)
    {
        JsonElement[] transfers = [.. json.GetProperty("transfers").EnumerateArray()];
        if (transfers.Length != adapters.Length) throw new FormatException($"it has {transfers.Length} transfers, the run {adapters.Length}");
        for (int i = 0; i < transfers.Length; i++) adapters[i].Restore(transfers[i]);
        long round = json.GetProperty("round").GetInt64();
        return round >= 0 ? round : throw new FormatException($"its round is {round}");
    }
}
