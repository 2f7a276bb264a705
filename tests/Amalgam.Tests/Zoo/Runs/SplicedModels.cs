using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Runs;

/// <summary>Small networks for glyphs, trained once for all tests: two of one architecture from different first weights, one of another width.</summary>
public sealed class SplicedModels : IDisposable
{
    /// <summary>What they learned from.</summary>
    public const string Data = "data: {name: glyphs, options: {train: 360, test: 100}, validation: 60}\n";

    private readonly TemporaryFolder _folder = new();

    public SplicedModels()
    {
        foreach (var (name, hidden, seed) in new[] { ("a", 12, 1), ("b", 12, 2), ("wide", 20, 3) })
        {
            RunDescription run = RunDescription.Parse($"{Data}model: {{name: mlp, hidden: [{hidden}]}}\noptimizer: adam\nlr: 0.01\nepochs: 2\nbatch: 50\nseed: {seed}\n", "run.yml");
            new TrainingRun(run, this[name]).Train();
        }
    }

    /// <summary>A folder of a run by its name, or a file in it.</summary>
    public string this[string name] => _folder[name];

    /// <summary>Writes a description of how a splice is trained.</summary>
    internal static string Describe(TemporaryFolder folder, string more = "", string name = "run.yml")
    {
        File.WriteAllText(folder[name], $"{Data}optimizer: adam\nlr: 0.02\nepochs: 3\nbatch: 50\nseed: 7\n{more}");
        return folder[name];
    }

    public void Dispose() => _folder.Dispose();
}
