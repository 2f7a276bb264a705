using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Experiments.Clafusion;

/// <summary>
/// What the small scale of a fused network's activations does. Averages of layers, and of blocks with blocks of zeros, make activations smaller from layer to layer. The papers' networks have no bias at all, so their
/// classes keep their order; the networks here have one in the last layer, which then outweighs what is added to it. Either it goes, or the scale is set right (REPAIR).
/// </summary>
internal sealed class LastBias(Bench bench)
{
    public const string Table = "the last layer's bias", Repaired = "fused, REPAIR";

    private const int Batch = 250, Samples = 1000;

    private readonly ResidualNetworks _resNets = new(bench);
    private readonly TeacherAndStudent _vggs = new(bench);

    /// <summary>Makes the rows.</summary>
    public void Run()
    {
        foreach (bool tuned in new[] { false, true })
        {
            foreach (int seed in _resNets.All) Run("ResNets", seed, tuned, _resNets.Setting, _resNets.Fusion, () => bench.Parents.ResNet34(seed), () => bench.Parents.ResNet18(seed), ResidualNetworks.Rate);
            foreach (int seed in _vggs.All) Run("VGG networks", seed, tuned, _vggs.Setting, _vggs.Fusion, () => bench.Parents.Teacher(seed), () => bench.Parents.Student(seed), TeacherAndStudent.Rate);
        }
    }

    private void Run(string kind, int seed, bool tuned, ImageSetting setting, LayerFusion fusion, Func<Graph> openA, Func<Graph> openB, double rate)
    {
        string pair = ResidualNetworks.Pair(seed), table = $"{Table}, {kind}";
        Lazy<(Graph A, Graph B)> plain = new(() => (WithoutBias(openA()), WithoutBias(openB())));
        Lazy<Graph> repaired = new(() =>
        {
            Graph a = openA(), b = openB();
            Siblings brought = fusion.Bring(fusion.Balance(fusion.Map(a, b)));
            return Repair.Run(LayerFusion.Mean(brought), brought, UnitMaps.Identity(brought.Groups, 2), Subset.First(setting.Calibration, Samples), Batch, cancel: bench.Options.Cancel).Network;
        });
        if (tuned)
        {
            bench.Row(table, pair, ResidualNetworks.Tuned(Repaired), () =>
            {
                Tuned result = new FineTuning(kind == "ResNets" ? ClafusionParents.OfResNets : ClafusionParents.OfVggs, bench.Options).Run(repaired.Value, rate, seed);
                return new(setting.Measure([result.Network]), Choice: result.Choice, Seconds: result.Seconds);
            });
            return;
        }

        bench.Row(table, pair, "A, no bias", () => new(setting.Measure([plain.Value.A])));
        bench.Row(table, pair, "B, no bias", () => new(setting.Measure([plain.Value.B])));
        bench.Row(table, pair, "fused, no bias", () => new(setting.Measure([fusion.Run(plain.Value.A, plain.Value.B).Network])));
        bench.Row(table, pair, Repaired, () => new(setting.Measure([repaired.Value])));
    }

    /// <summary>The network with a last bias of zeros: that of which each class has one element, and that nothing but the result reads.</summary>
    public static Graph WithoutBias(Graph network)
    {
        Node result = network.Outputs.Values.Single();
        HashSet<Node> biases = [.. result.Inputs.Skip(result.Op is Add ? 0 : 2).Where(input => input.Op is Parameter && input.Shape.Rank == 1)];
        if (biases.Count != 1) throw new GraphException($"{result} adds {biases.Count} biases; the last layer has one");
        return Rewrite.Apply(network, (to, node, _) => biases.Contains(node) ? to.Parameter(node.Name!, new(node.Shape), node.Trainable, node.Type) : null).Graph;
    }
}
