using Amalgam.Alignment.Layers;
using Amalgam.Graphs;
using Amalgam.Transfer;

namespace Amalgam.Zoo.Experiments.Clafusion;

/// <summary>Table 3: ResNet-18's weights are written into a trained ResNet-34, in order or by the layers that belong together, and averaged with what was there or fused with it.</summary>
internal sealed class WeightCopies(Bench bench)
{
    public const string Table = "table 3", Copied = "HMT", Averaged = "HMT + naive average", Fused = "HMT + OTFusion", ByLayers = "HMT + CLA + OTFusion";

    private readonly ResidualNetworks _networks = new(bench);

    /// <summary>Makes the rows.</summary>
    public void Run()
    {
        foreach (int seed in _networks.All)
        {
            Graph target = bench.Parents.ResNet34(seed), source = bench.Parents.ResNet18(seed);
            foreach (var (name, make) in new (string, Func<Graph>)[]
            {
                (Copied, () => InOrder(source, target)),
                (Averaged, () => InOrder(source, target, 0.5)),
                (Fused, () => Transport(InOrder(source, target), target)),
                (ByLayers, () => Transport(ByMap(source, target), target)),
            })
            {
                Lazy<Graph> network = new(make);
                bench.Row(Table, ResidualNetworks.Pair(seed), name, () => new(_networks.Setting.Measure([network.Value])));
                bench.Unbiased(Table, ResidualNetworks.Pair(seed), name, _networks.Setting, () => network.Value);
                _networks.Tune(Table, seed, name, () => network.Value);
            }

            bench.Row(Table, ResidualNetworks.Pair(seed), "HMT + CLA", () => new(_networks.Setting.Measure([ByMap(source, target)])));
        }
    }

    private static Graph InOrder(Graph source, Graph target, double share = 1) =>
        HeterogeneousTransfer.Apply(target, HeterogeneousTransfer.ByOrder(NetworkLayers.Of(source), NetworkLayers.Of(target)), share);

    private Graph ByMap(Graph source, Graph target) => HeterogeneousTransfer.Apply(target, HeterogeneousTransfer.ByMapping(_networks.Fusion.Map(target, source)));

    /// <summary>The transferred network's units are brought to those of the network that was there.</summary>
    private Graph Transport(Graph transferred, Graph target) => LayerFusion.Mean(_networks.Fusion.Bring(new(transferred, target, [])));
}
