using System.Collections.Immutable;
using Amalgam.Training;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Demo;

/// <summary>A network that the demonstration trained.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Epochs">What the epochs came to.</param>
public sealed record TrainedNetwork(string Name, ImmutableArray<EpochRecord> Epochs);

/// <summary>How <c>amalgam eval</c> is told of networks.</summary>
/// <param name="Model">Their architecture.</param>
/// <param name="Data">The option that names the data, and what is done to it.</param>
/// <param name="Tasks">The option that names the tasks, with a space before it; empty for none.</param>
public sealed record EvalArguments(string Model, string Data, string Tasks);

/// <summary>The whole of what Amalgam is for, in small: networks, every merge of them, and what each is good for.</summary>
/// <param name="Title">What it is about.</param>
/// <param name="Data">What the samples are, a sentence.</param>
/// <param name="Network">What the networks are, a sentence.</param>
/// <param name="Eval">How <c>amalgam eval</c> is told of them.</param>
/// <param name="Pairs">What became of each pair.</param>
/// <param name="Trained">The networks that were trained; empty where they were there.</param>
/// <param name="Samples">Some of the test samples.</param>
public sealed record Demonstration(string Title, string Data, string Network, EvalArguments Eval, ImmutableArray<PairResult> Pairs, ImmutableArray<TrainedNetwork> Trained, ImmutableArray<ImageTile> Samples)
{
    /// <summary>Name of the page in the folder.</summary>
    public const string Page = "report.html";

    /// <summary>Trains small networks on glyphs and merges them.</summary>
    /// <param name="folder">A folder that does not exist, or is empty. It appears when everything is in it: the page, the networks, the recipes.</param>
    /// <param name="options">How to run.</param>
    /// <exception cref="IOException">The folder holds something or cannot be written.</exception>
    public static Demonstration OfGlyphs(string folder, DemoOptions options) => Make(folder, options, work => GlyphDemo.Run(work, options));

    /// <summary>Merges two trained networks for MNIST.</summary>
    /// <param name="folder">As for <see cref="OfGlyphs"/>.</param>
    /// <param name="data">The folder that holds <c>mnist</c> and <c>models/mlp-mnist-pair</c>.</param>
    /// <param name="options">How to run.</param>
    /// <exception cref="IOException">The folder holds something or cannot be written.</exception>
    /// <exception cref="InvalidDataException">The data is not there or damaged.</exception>
    public static Demonstration OfMnist(string folder, string data, DemoOptions options) => Make(folder, options, work => MnistDemo.Run(work, data, options));

    private static Demonstration Make(string folder, DemoOptions options, Func<string, Demonstration> run)
    {
        if (File.Exists(folder)) throw new IOException($"{folder} is a file, expected a folder");
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()) throw new IOException($"{folder} is not empty; name a new folder");
        string work = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)) + ".partial";
        if (Path.Exists(work)) throw new IOException($"{work} is in the way: another run makes it, or one was killed; remove it or name another folder");
        try
        {
            Directory.CreateDirectory(work);
            Demonstration made = run(work);
            DemoPage.Make(made, options.Seed).Save(Path.Combine(work, Page));
            options.Cancel.ThrowIfCancellationRequested();
            if (Directory.Exists(folder)) Directory.Delete(folder);
            Directory.Move(work, folder);
            return made;
        }
        finally
        {
            if (Directory.Exists(work)) Directory.Delete(work, recursive: true);
        }
    }
}
