using Amalgam.Graphs;
using Amalgam.Training.Data;
using Amalgam.Zoo.Data;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Demo;

/// <summary>
/// Two multilayer perceptrons for MNIST that Singh and Jaggi trained apart (Model Fusion via Optimal Transport, NeurIPS 2020, table 1), on the whole of its test
/// samples.
/// </summary>
internal static class MnistDemo
{
    private const int Side = 28, Classes = 10, ValidationSamples = 5000, ShownSamples = 20;
    private const string Models = "models/mlp-mnist-pair";

    /// <summary>Merges and tests.</summary>
    /// <param name="folder">The demonstration's folder.</param>
    /// <param name="data">The folder that holds the samples and the networks.</param>
    /// <param name="options">How to run.</param>
    /// <exception cref="InvalidDataException">A file is missing or damaged.</exception>
    public static Demonstration Run(string folder, string data, DemoOptions options)
    {
        Graph network = new Mlp([1, Side, Side], [400, 200, 100], Classes) { Bias = false }.Build(1, null);
        string first = Found(data, $"{Models}/mlp-mnist-a.safetensors"), second = Found(data, $"{Models}/mlp-mnist-b.safetensors");
        ImageSet training = Read(data, Split.Train), test = Read(data, Split.Test);
        Augmentation how = new() { Mean = [0.1307f], Deviation = [0.3081f] };
        Dataset validation = Subset.Split(training, Math.Min(ValidationSamples, training.Count), options.Seed).Second;

        Pair pair = new(
            "mnist", "Two networks for MNIST",
            "Two multilayer perceptrons, 784-400-200-100-10 without biases, that Singh and Jaggi trained from different random weights (Model Fusion via Optimal Transport, 2020, table 1). "
            + "They have no base in common.",
            first, second, null, []);
        string place = Directory.CreateDirectory(Path.Combine(folder, pair.Name)).FullName;
        PairResult result = new Contest(network, new Augmented(validation, how), new Augmented(test, how), options).Run(pair, place);
        return new(
            "Two networks for MNIST become one",
            $"MNIST: {test.Count:N0} test samples; {validation.Count:N0} of the training samples, which the networks may have learned from, to choose the methods' parameters by.",
            $"A network has {network.Parameters.Values.Sum(p => p.Shape.Count):N0} parameters.",
            new("mlp:bias=false", "--data mnist --mean 0.1307 --std 0.3081", ""),
            [result],
            [],
            [.. Enumerable.Range(0, Math.Min(ShownSamples, test.Count)).Select(i => new ImageTile(Side, Side, [.. test[i]], test.Classes[test.Labels[i]]))]);
    }

    private static string Found(string data, string file)
    {
        string path = Path.GetFullPath(Path.Combine(data, file));
        return File.Exists(path) ? path : throw new InvalidDataException($"{path} is missing: the folder of --data holds mnist and {Models}");
    }

    private static ImageSet Read(string data, Split split)
    {
        ImageSet images = (ImageSet)DataSource.OpenNamed("mnist", split, root: Path.GetFullPath(data));
        return images.Fields[0].Shape == new Shape(1, Side, Side) ? images : throw new InvalidDataException($"{data}/mnist: images are {images.Fields[0].Shape}, expected [1,{Side},{Side}]");
    }
}
