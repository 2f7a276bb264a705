using System.Runtime.InteropServices;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Transfer.MergeNet;
using static Amalgam.Tests.Transfer.OfMergeNet.JointTrainingTests;

namespace Amalgam.Tests.Transfer.OfMergeNet;

public class FactoredOutputsTests
{
    private const int Batch = 30;

    /// <summary>What is handed out computes what the trained factors, as the run's state has them, compute in the network that has them in a weight's place (item 40 of the specification).</summary>
    [Theory]
    [InlineData(2, 3, FactorStart.Decomposition)]
    [InlineData(3, 0, FactorStart.Fresh)]
    [InlineData(0, 2, FactorStart.Decomposition)]
    public void A_network_that_is_handed_out_does_what_its_factors_did(int ofSource, int ofTarget, FactorStart start)
    {
        using TemporaryFolder folder = new();
        string path = folder["state.safetensors"];
        Learner a = Mlp("a", 1), b = Resnet("b", 2);
        TransferMatrix source = Of("a", 2) with { Rank = ofSource, Start = start }, target = Of(b, "layer2.0.conv1.weight") with { Rank = ofTarget, Start = start };
        JointTraining joint = new([a, b], [new(source, target, new LowRankAdapter { Heads = 2 }, 2)], new() { StatePath = path });
        joint.Run();
        foreach (var (learner, matrix) in new[] { (a, source), (b, target) })
        {
            Graph encoded = Surgery.Copy(learner.Network);
            if (matrix.Rank > 0) encoded = LowRank.Encode(encoded, [new(matrix.Matrix, matrix.Rank, start)], seed: 77);
            float[] untrained = Outputs(encoded, learner.Data!), handedOut = Outputs(joint.NetworkOf(learner.Name), learner.Data!);
            Fill(encoded, path, learner.Name);
            Graphs.Oracles.Close([.. Outputs(encoded, learner.Data!).Select(y => (double)y)], handedOut);
            Assert.Contains(Enumerable.Range(0, untrained.Length), i => Math.Abs(untrained[i] - handedOut[i]) > 1e-3);
        }
    }

    private static void Fill(Graph network, string state, string learner)
    {
        using Checkpoint checkpoint = Checkpoint.Open(state);
        foreach (var (name, parameter) in network.Parameters)
        {
            TensorEntry tensor = checkpoint.Tensors.Single(t => t.Name == $"learners/{learner}/weights/{name}");
            tensor.Read(0, MemoryMarshal.AsBytes(parameter.Value!.Span));
        }
    }

    private static float[] Outputs(Graph network, Dataset data)
    {
        Graph fitted = DataInputs.Fit(network, data, Batch);
        Node y = DataInputs.OutputOf(fitted);
        Executor executor = new(fitted, [y]);
        new Batches(data, Batch, shuffle: false).Fill(0, DataInputs.Bind(data, fitted, Batch, null, executor));
        executor.Run();
        return executor[y].Span.ToArray();
    }
}
