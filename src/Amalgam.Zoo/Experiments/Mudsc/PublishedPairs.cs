using Amalgam.Graphs;
using Amalgam.Training.Data;
using Amalgam.Zoo.Data;
using Amalgam.Zoo.Runs;

namespace Amalgam.Zoo.Experiments.Mudsc;

/// <summary>Pairs of networks that others trained, or that lie in the data folder: nothing is trained.</summary>
internal static class PublishedPairs
{
    public const string ResNet = "resnet20-cifar10-halves", Mlp = "mlp-mnist-pair", Cnn = "cnn-mnist-fashion-pair";

    /// <summary>Class vectors for CIFAR-10's classes, which stand for text encodings.</summary>
    public static string ClassVectorsPath => Find($"{ResNet}/class_vectors.safetensors");

    /// <summary>The pairs.</summary>
    public static IEnumerable<ModelPair> All(MudscOptions options)
    {
        yield return OfResNets(options);
        yield return OfMlps(options);
        yield return OfCnns(options);
    }

    private static ModelPair OfResNets(MudscOptions options)
    {
        (string, int[])[] tasks = [("task a", [0, 1, 2, 6, 9]), ("task b", [3, 4, 5, 7, 8])];
        Augmentation how = new() { Mean = [0.4914f, 0.4822f, 0.4465f], Deviation = [0.2023f, 0.1994f, 0.201f] };
        return new(ResNet, "published", Load(ResNet, "a.onnx", "b.onnx"), TaskData.Of(Samples.Calibration("cifar10", how, options), tasks), TaskData.Of(Samples.Test("cifar10", how, options), tasks))
        {
            Vectors = ClassVectors.Read(ClassVectorsPath),
        };
    }

    private static ModelPair OfMlps(MudscOptions options)
    {
        Augmentation how = new() { Mean = [0.1307f], Deviation = [0.3081f] };
        ModelDescription mlp = ModelDescription.Parse("mlp:bias=false");
        (string, int[]) task = ("digits", [.. Enumerable.Range(0, 10)]);
        return new(
            Mlp, "published", [.. new[] { "mlp-mnist-a", "mlp-mnist-b" }.Select(name => ModelLoader.Load(Find($"{Mlp}/{name}.safetensors"), mlp))],
            TaskData.Of(Samples.Calibration("mnist", how, options), task), TaskData.Of(Samples.Test("mnist", how, options), task));
    }

    /// <summary>Two data sets: each task keeps the last layer of its network, and what lies before it is merged.</summary>
    private static ModelPair OfCnns(MudscOptions options)
    {
        Augmentation plain = new();
        (string, int[])[] tasks = [("mnist", [.. Enumerable.Range(0, 10)]), ("fashion-mnist", [.. Enumerable.Range(10, 10)])];
        MudscOptions half = options with { Calibration = options.Calibration / 2 };
        Joined calibration = new(Samples.Calibration("mnist", plain, half), Samples.Calibration("fashion-mnist", plain, half));
        Joined test = new(Samples.Test("mnist", plain, options), Samples.Test("fashion-mnist", plain, options));
        System.Collections.Immutable.ImmutableArray<Graph> parents = Load(Cnn, "cnn-mnist.onnx", "cnn-fashion-mnist.onnx");
        return new(Cnn, "published", parents, TaskData.Of(calibration, tasks), TaskData.Of(test, tasks)) { Heads = [.. parents[0].Parameters.Keys.Where(name => name.StartsWith("7.", StringComparison.Ordinal))] };
    }

    private static System.Collections.Immutable.ImmutableArray<Graph> Load(string folder, params string[] files) => [.. files.Select(file => ModelLoader.Load(Find($"{folder}/{file}")))];

    private static string Find(string file) => DataFolder.Find(DataFolder.Root, $"models/{file}")
        ?? throw new InvalidDataException($"models/{file} is not under {DataFolder.Root}; set {DataFolder.Variable} to the folder that has it");
}
