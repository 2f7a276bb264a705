using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Tests.Alignment;
using Amalgam.Training;
using Amalgam.Transfer.Teaching;

namespace Amalgam.Tests.Transfer.OfTeaching;

/// <summary>The head that is trained beside the student.</summary>
public class UskdTests
{
    private static readonly string[] OfHead = ["loss/weak.bias", "loss/weak.weight"];

    private static readonly TrainingOptions Options = new() { Rule = new Sgd(0.9), Rate = 0.05, Epochs = 3, Batch = 16, Seed = 3 };

    [Fact]
    public void The_head_is_trained_and_is_no_part_of_the_network()
    {
        using TemporaryFolder folder = new();
        (Graph student, Samples data) = Samples.Of("resnet", 1, 40);
        string graph = student.ToString();
        Uskd way = new() { Middle = "layer3.0.conv1.weight" };
        Trainer trainer = new(student, way, data, Options with { StatePath = folder["state.safetensors"] }, data);
        trainer.Run();

        Assert.Equal(graph, student.ToString());
        Assert.Equal(student.Parameters.Keys.Order(), trainer.Best!.Keys.Order());
        GraphWeights.Save(student, folder["student.safetensors"], overwrite: false);
        using (Checkpoint saved = Checkpoint.Open(folder["student.safetensors"])) Assert.Equal(student.Parameters.Keys.Order(), saved.Tensors.Select(t => t.Name).Order());
        Assert.Null(way.Head);

        var begun = ((Uskd)way.Begin(DataInputs.OutputOf(student), Options.Seed)).Own;
        Assert.Equal(OfHead, begun.Keys.Order());
        using Checkpoint state = Checkpoint.Open(folder["state.safetensors"]);
        Assert.Equal(OfHead.SelectMany(name => new[] { name, $"momentum/{name}" }).Order(), state.Tensors.Select(t => t.Name).Where(name => name.Contains("loss/")).Order());
        Graph box = new();
        foreach (string name in OfHead) box.Parameter(name, new(begun[name].Shape));
        GraphWeights.Load(box, state, ignore: name => !OfHead.Contains(name));
        foreach (string name in OfHead) Assert.NotEqual(begun[name].Span.ToArray(), box.Parameters[name].Value!.Span.ToArray());
    }

    /// <summary>The smaller batch at the end of an epoch trains the same head: what a run comes to does not depend on whether it was stopped within one.</summary>
    [Fact]
    public void A_run_is_the_same_when_it_is_resumed()
    {
        using TemporaryFolder folder = new();
        float[] Run(string? state, long stopAt)
        {
            (Graph student, Samples data) = Samples.Of("mlp", 1, 40);
            using CancellationTokenSource stop = new();
            Trainer trainer = new(student, new Uskd { Mu = 1 }, data, Options with { StatePath = state is null ? null : folder[state] }, data);
            Assert.Equal(stopAt == 0 && state is not null, trainer.Resume());
            try
            {
                trainer.Run(new Heard(p => { if (p.Step == stopAt) stop.Cancel(); }), cancel: stop.Token);
            }
            catch (OperationCanceledException)
            {
                return Run(state, 0);
            }

            return [.. student.Parameters.Values.SelectMany(node => node.Value!.Span.ToArray())];
        }

        float[] whole = Run(null, 0);
        for (int stop = 1; stop < 9; stop++) Assert.Equal(whole, Run($"state{stop}.safetensors", stop));
    }

    [Fact]
    public void Two_runs_with_one_loss_begin_with_the_same_head()
    {
        Uskd way = new() { Mu = 1 };
        float[] Run(long seed)
        {
            (Graph student, Samples data) = Samples.Of("mlp", 1, 40);
            new Trainer(student, way, data, Options with { Seed = seed }).Run();
            return [.. student.Parameters.Values.SelectMany(node => node.Value!.Span.ToArray())];
        }

        Assert.Equal(Run(3), Run(3));
        Graph network = Samples.Of("mlp", 1).Network;
        float[] Head(long seed) => ((Uskd)way.Begin(DataInputs.OutputOf(network), seed)).Head!.Value.Weight.Span.ToArray();
        Assert.NotEqual(Head(3), Head(4));
        Assert.All(Head(3), w => Assert.InRange(w, -1 / MathF.Sqrt(7), 1 / MathF.Sqrt(7)));
    }

    private sealed class Heard(Action<TrainingProgress> hear) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => hear(value);
    }
}
