using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Training.Data;
using Amalgam.Zoo.Runs;

namespace Amalgam.Zoo.Experiments.Mudsc;

/// <summary>Pairs of networks that are trained here, at a scale that two cores manage in an hour.</summary>
internal sealed class TrainedPairs(ParentRuns parents, MudscOptions options)
{
    private static readonly int[] Primes = [2, 3, 5, 7], NoPrimes = [0, 1, 4, 6, 8, 9], Even = [0, 2, 4, 6, 8], Odd = [1, 3, 5, 7, 9];

    /// <summary>Divisions of CIFAR-10's classes, drawn once.</summary>
    private static readonly ImmutableArray<(int[] A, int[] B)> Splits =
        [([1, 3, 5, 7, 8], [0, 2, 4, 6, 9]), ([5, 6, 7, 8, 9], [0, 1, 2, 3, 4]), ([3, 4, 5, 6, 9], [0, 1, 2, 7, 8])];

    private static string Vectors => PublishedPairs.ClassVectorsPath.Replace("'", "''", StringComparison.Ordinal);

    /// <summary>MuDSC's section 4.2: is a digit prime, is it odd? Network i of the one task with network i + 1 of the other, as network i of both saw the same batches.</summary>
    public IEnumerable<ModelPair> Mnist()
    {
        const int Models = 5;
        Augmentation how = new() { Mean = [0.5f], Deviation = [0.5f] };
        TaskData calibration = OfDigits(Samples.Calibration("mnist", how, options)), test = OfDigits(Samples.Test("mnist", how, options));
        for (int i = 1; i <= Models; i++)
        {
            int other = i % Models + 1;
            yield return new("MNIST, prime and odd", $"prime {i}, odd {other}", [Digits("prime", i, [NoPrimes, Primes], "0, 1"), Digits("odd", other, [Even, Odd], "2, 3")], calibration, test)
            {
                Vectors = ClassVectors.Read(PublishedPairs.ClassVectorsPath, [0, 1, 2, 3]),
            };
        }
    }

    /// <summary>ResNet-20 on two halves of CIFAR-10's classes.</summary>
    /// <param name="norm">Its normalisation: batch or group.</param>
    public IEnumerable<ModelPair> ResNets(string norm)
    {
        Augmentation how = new() { Mean = [0.4914f, 0.4822f, 0.4465f], Deviation = [0.2023f, 0.1994f, 0.201f] };
        Dataset calibration = Samples.Calibration("cifar10", how, options), test = Samples.Test("cifar10", how, options);
        for (int p = 1; p <= Splits.Length; p++)
        {
            var (a, b) = Splits[p - 1];
            (string, int[])[] tasks = [("task a", a), ("task b", b)];
            yield return new($"ResNet-20, {norm} normalisation", $"split {p}", [ResNet(norm, p, "a", a), ResNet(norm, p, "b", b)], TaskData.Of(calibration, tasks), TaskData.Of(test, tasks))
            {
                Vectors = ClassVectors.Read(PublishedPairs.ClassVectorsPath),
            };
        }
    }

    /// <summary>A small ViT on the digits 0 to 4 and on 5 to 9.</summary>
    public IEnumerable<ModelPair> Transformers()
    {
        Augmentation how = new() { Mean = [0.1307f], Deviation = [0.3081f] };
        int[] low = [0, 1, 2, 3, 4], high = [5, 6, 7, 8, 9];
        (string, int[])[] tasks = [("0 to 4", low), ("5 to 9", high)];
        TaskData calibration = TaskData.Of(Samples.Calibration("mnist", how, options), tasks), test = TaskData.Of(Samples.Test("mnist", how, options), tasks);
        for (int p = 1; p <= 3; p++)
            yield return new("ViT, halves of the digits", $"seeds {10 * p}, {10 * p + 1}", [Transformer(p, "a", low), Transformer(p, "b", high)], calibration, test) { Vectors = ClassVectors.Read(PublishedPairs.ClassVectorsPath) };
    }

    /// <summary>MobileNetV2 from two seeds, a network that nobody wrote a specification of units for.</summary>
    public ModelPair MobileNets()
    {
        Augmentation how = new() { Mean = [0.286f], Deviation = [0.353f] };
        (string, int[]) task = ("clothes", [.. Enumerable.Range(0, 10)]);
        return new("MobileNetV2", "strangers", [MobileNet("a"), MobileNet("b")], TaskData.Of(Samples.Calibration("fashion-mnist", how, options), task), TaskData.Of(Samples.Test("fashion-mnist", how, options), task));
    }

    private static TaskData OfDigits(Dataset data)
    {
        ImmutableArray<int> labels = [.. data.Labels];
        return new(data, [new("prime", [0, 1], [.. labels.Select(d => Primes.Contains(d) ? 1 : 0)]), new("odd", [2, 3], [.. labels.Select(d => d % 2)])]);
    }

    private Graph Digits(string task, int seed, int[][] groups, string rows) => parents.Get($"mnist-{task}-{seed}", $$"""
        data: {name: mnist, groups: [{{string.Join(", ", groups.Select(List))}}], augment: {crop: 4, rotation: 30}, mean: [0.5], std: [0.5]}
        model: {name: mlp, hidden: [1024, 1024, 1024], classes: 512, bias: false, last_activation: true}
        loss: {name: cosine, class_vectors: '{{Vectors}}', rows: [{{rows}}]}
        optimizer: {name: sgd, momentum: 0.9, weight_decay: 5e-4}
        schedule: {name: cosine, per_epoch: true}
        lr: 0.002
        epochs: 5
        batch: 125
        seed: {{seed}}
        """);

    private Graph ResNet(string norm, int pair, string side, int[] classes) => parents.Get($"resnet-{norm}-{pair}-{side}", $$"""
        data: {name: cifar10, classes: {{List(classes)}}{{(norm == "batch" ? "" : ", limit: 5000")}}, augment: {flip: true, crop: 4}, mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.201]}
        model: {name: resnet20, shortcut: 3x3, classes: 512, norm: {{norm}}, result: embedding}
        loss: {name: cosine, class_vectors: '{{Vectors}}'}
        optimizer: {name: sgd, momentum: 0.9, weight_decay: 5e-4}
        schedule: {name: linear, warmup: 1}
        lr: {{(norm == "batch" ? "0.1" : "0.05")}}
        epochs: {{(norm == "batch" ? 10 : 8)}}
        batch: {{(norm == "batch" ? 125 : 100)}}
        seed: {{Seed(pair, side)}}
        """);

    private Graph Transformer(int pair, string side, int[] classes) => parents.Get($"vit-{pair}-{side}", $$"""
        data: {name: mnist, classes: {{List(classes)}}, mean: [0.1307], std: [0.3081]}
        model: {name: vit_tiny, image: [1, 28, 28], patch: 7, hidden: 64, depth: 4, heads: 4, inner: 256, classes: 512}
        loss: {name: cosine, class_vectors: '{{Vectors}}', scale: 20}
        optimizer: {name: adamw, weight_decay: 0.01}
        schedule: {name: cosine, warmup: 0.5}
        lr: 1e-3
        epochs: 4
        batch: 100
        seed: {{Seed(pair, side)}}
        """);

    private Graph MobileNet(string side) => parents.Get($"mobilenet-1-{side}", $$"""
        data: {name: fashion-mnist, limit: 6000, mean: [0.2860], std: [0.3530]}
        model: {name: mobilenetv2, image: [1, 28, 28], width: 0.25, small_images: false, dropout: 0}
        loss: {name: cross_entropy}
        optimizer: {name: sgd, momentum: 0.9, weight_decay: 5e-4}
        schedule: {name: cosine, warmup: 0.5}
        lr: 0.05
        epochs: 3
        batch: 100
        seed: {{Seed(1, side)}}
        """);

    private static int Seed(int pair, string side) => 10 * pair + (side == "a" ? 0 : 1);

    private static string List(int[] numbers) => $"[{string.Join(", ", numbers)}]";
}
