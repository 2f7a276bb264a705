using System.Collections.Immutable;
using Amalgam.Alignment;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Training.Data;
using Amalgam.Zoo.Data;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;

namespace Amalgam.Zoo.Experiments.Mudsc;

/// <summary>Networks that nobody wrote a specification of units for: trained here from two seeds, or imported and given a twin whose units were shuffled.</summary>
internal static class Strangers
{
    /// <summary>The pairs.</summary>
    public static IEnumerable<ModelPair> All(TrainedPairs trained, MudscOptions options, string folder)
    {
        yield return Concatenated(new(options), options, folder);
        yield return Twin("opt-mnist", 255, options);
        yield return Twin("cnn_max_mninst2", 1, options);
        yield return Twin("self-attention-mnist-pgd-medium-sim", 1, options);
        yield return trained.MobileNets();
    }

    private static ModelPair Concatenated(ParentRuns parents, MudscOptions options, string folder)
    {
        Augmentation how = new() { Mean = [0.286f], Deviation = [0.353f] };
        return OfTask("network of concatenations", "fashion-mnist", [Parent(0), Parent(1)], how, options);

        Graph Parent(int seed)
        {
            string path = Path.Combine(EarlierRun.Open(Path.Combine(folder, "networks")), $"concat-{seed}.onnx");
            OnnxModel.Write(new BranchNet().Build(2, seed), path, new("batch", Overwrite: true));
            return parents.Get($"concat-{seed}", $$"""
                data: {name: fashion-mnist, limit: 12000, mean: [0.286], std: [0.353]}
                model: {name: '{{path.Replace("'", "''", StringComparison.Ordinal)}}'}
                optimizer: {name: sgd, momentum: 0.9, weight_decay: 5e-4}
                schedule: {name: cosine, warmup: 0.5}
                lr: 0.05
                epochs: 4
                batch: 100
                seed: {{seed}}
                """);
        }
    }

    /// <summary>A network from elsewhere beside itself with all its units shuffled: one that finds them again merges to the very network.</summary>
    private static ModelPair Twin(string name, float white, MudscOptions options)
    {
        string file = DataFolder.Find(DataFolder.Root, $"models/small-onnx/{name}.onnx") ?? throw new InvalidDataException($"models/small-onnx/{name}.onnx is not under {DataFolder.Root}");
        Graph network = ModelLoader.Load(file);
        UnitGroups groups = SelfCheck.Run(UnitGroups.Of(network), cancel: options.Cancel).Groups;
        var weights = Siblings.WeightsOf(network);
        Graph twin = new Siblings(groups, [weights]).With(Rearrangement.Apply(UnitMaps.Random(groups, 1, seed: 1), 0, weights)).Graph;
        return OfTask($"{name}, shuffled twin", "mnist", [network, twin], new() { Deviation = white == 1 ? [] : [1 / white] }, options);
    }

    private static ModelPair OfTask(string name, string data, ImmutableArray<Graph> parents, Augmentation how, MudscOptions options)
    {
        (string, int[]) task = ("classes", [.. Enumerable.Range(0, 10)]);
        return new(name, "strangers", parents, TaskData.Of(Samples.Calibration(data, how, options), task), TaskData.Of(Samples.Test(data, how, options), task));
    }

    /// <summary>Branches that are concatenated, and concatenated again with what they came from: no axis of a parameter is the channels of one layer alone.</summary>
    private sealed record BranchNet : Architecture
    {
        /// <inheritdoc/>
        protected override void Define(Layers net, int batch)
        {
            (net.ConvStart, net.BiasStart) = (Initialisation.KaimingFanOut, Initialisation.Zeros);
            Node x = net.Conv(ImageOptions.Input(net, batch, [1, 28, 28]), "stem", 16, 3, stride: 2, padding: 1).Relu();
            Node branches = Layout.Concat(1, net.Conv(x, "point", 12, 1).Relu(), net.Conv(x, "wide", 20, 3, padding: 1).Relu());
            Node all = Layout.Concat(1, branches, x);
            Node y = net.Conv(all, "mix", 32, 3, stride: 2, padding: 1).Relu();
            Node dense = Layout.Concat(1, y, net.Conv(y, "grow", 16, 3, padding: 1).Relu());
            net.Graph.Output("logits", net.Linear(Layers.ChannelMeans(dense), "fc", 10));
        }
    }
}
