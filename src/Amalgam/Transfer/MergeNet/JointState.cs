using System.Text.Json;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Training;

namespace Amalgam.Transfer.MergeNet;

/// <summary>Keeps where a joint run stands, networks, optimisers and adapters, in one safetensors file, which appears when it is complete.</summary>
internal sealed class JointState(JointOptions options, Learner[] learners, Trainer?[] trainers, AdapterTraining[] adapters)
{
    private const string Key = "amalgam.joint";

    /// <summary>Writes the state; nothing where it is kept nowhere.</summary>
    public void Save(JointPosition position)
    {
        if (options.StatePath is not { } path) return;
        Graph box = new();
        Dictionary<string, string> notes = new() { [TrainingState.DescriptionKey] = options.Description, [Key] = ToJson(position) };
        for (int i = 0; i < trainers.Length; i++) trainers[i]?.WriteState(box, notes, Prefix(i));
        foreach (AdapterTraining adapter in adapters) adapter.AddTo(box);
        GraphWeights.Save(box, path, overwrite: true, notes);
    }

    /// <summary>Whether <see cref="Load"/> failed when it had begun to change networks, optimisers or adapters.</summary>
    public bool IsHalfRead { get; private set; }

    /// <summary>Reads the state into networks, optimisers and adapters. A state of another run is refused before anything changes.</summary>
    /// <returns>Where the run stands; null where there is no state.</returns>
    public JointPosition? Load()
    {
        if (options.StatePath is not { } path || !File.Exists(path)) return null;
        using Checkpoint checkpoint = TrainingState.Open(path, options.Description);
        JointPosition position = TrainingState.Parse(checkpoint, Key, Read);
        Graph box = new();
        for (int i = 0; i < trainers.Length; i++) trainers[i]?.ReadState(checkpoint, box, Prefix(i));
        foreach (AdapterTraining adapter in adapters) adapter.AddTo(box);
        GraphWeights.Load(box, checkpoint);
        for (int i = 0; i < trainers.Length; i++) CheckSteps(path, position, i);
        foreach (AdapterTraining adapter in adapters) adapter.Reopen();
        IsHalfRead = false;
        return position;
    }

    /// <summary>Each network has taken the steps of its rounds, within an open round some of that round's too, or all of its steps.</summary>
    private void CheckSteps(string path, JointPosition position, int learner)
    {
        if (trainers[learner] is not { } trainer) return;
        long least = Math.Min(trainer.Steps, position.Round * learners[learner].StepsPerRound);
        long most = position.IsOpen ? Math.Min(trainer.Steps, least + learners[learner].StepsPerRound) : least;
        if (trainer.Step < least || trainer.Step > most)
            throw new InvalidDataException($"{path} is not the state of a training run: {learners[learner].Name} has taken {trainer.Step} steps after {position.Round} rounds, expected {(least == most ? $"{least}" : $"{least} to {most}")}");
    }

    private string Prefix(int learner) => $"learners/{learners[learner].Name}/";

    private string ToJson(JointPosition position) => JsonLine.Of(json =>
    {
        json.WriteStartObject();
        json.WriteNumber("round", position.Round);
        json.WriteBoolean("open", position.IsOpen);
        PhaseTimes times = position.Times;
        json.WriteStartArray("seconds");
        foreach (TimeSpan time in (ReadOnlySpan<TimeSpan>)[times.Steps, times.Transfers, times.AdapterUpdates, times.Evaluation]) json.WriteNumberValue(time.TotalSeconds);
        json.WriteEndArray();
        json.WriteStartArray("transfers");
        foreach (AdapterTraining adapter in adapters) adapter.Save(json);
        json.WriteEndArray();
        json.WriteEndObject();
    });

    private JointPosition Read(JsonElement json)
    {
        JsonElement[] transfers = [.. json.GetProperty("transfers").EnumerateArray()];
        if (transfers.Length != adapters.Length) throw new FormatException($"it has {transfers.Length} transfers, the run {adapters.Length}");
        for (int i = 0; i < transfers.Length; i++) adapters[i].Check(transfers[i], options.StatePath!);
        IsHalfRead = true;
        for (int i = 0; i < transfers.Length; i++) adapters[i].Restore(transfers[i]);
        long round = json.GetProperty("round").GetInt64();
        double[] seconds = [.. json.GetProperty("seconds").EnumerateArray().Select(time => time.GetDouble())];
        if (seconds.Length != 4 || seconds.Any(time => time is not (>= 0 and < 1e9))) throw new FormatException("its times are not four numbers of seconds");
        if (round < 0) throw new FormatException($"its round is {round}");
        return new(round, json.GetProperty("open").GetBoolean(), new(Time(seconds[0]), Time(seconds[1]), Time(seconds[2]), Time(seconds[3])));
    }

    /// <summary>The very time that was written: <see cref="TimeSpan.FromSeconds(double)"/> would cut off what a product in binary lacks of a tick.</summary>
    private static TimeSpan Time(double seconds) => new((long)Math.Round(seconds * TimeSpan.TicksPerSecond));
}

/// <summary>Where a joint run stands.</summary>
/// <param name="Round">Rounds done.</param>
/// <param name="IsOpen">Whether the next one has begun: its transfers are written, and networks may have taken some of its steps.</param>
/// <param name="Times">Time so far.</param>
internal readonly record struct JointPosition(long Round, bool IsOpen, PhaseTimes Times);
