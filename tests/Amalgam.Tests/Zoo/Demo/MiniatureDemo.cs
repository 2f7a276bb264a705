using Amalgam.Numerics;
using Amalgam.Zoo.Demo;

namespace Amalgam.Tests.Zoo.Demo;

/// <summary>Tests that look at one demonstration on few samples, made once.</summary>
[CollectionDefinition(nameof(MiniatureDemo))]
public sealed class MiniatureDemoTests : ICollectionFixture<MiniatureDemo>;

/// <summary>The demonstration on few samples.</summary>
public sealed class MiniatureDemo : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public MiniatureDemo() => Made = Run(Folder, seed: 3, threads: 2);

    /// <summary>Where it is.</summary>
    public string Folder => _folder["demo"];

    internal Demonstration Made { get; }

    internal static Demonstration Run(string folder, long seed, int threads, Action<string>? finished = null, Action<int, int>? merging = null, CancellationToken cancel = default)
    {
        using CoreSpread spread = Cores.Spread(threads);
        Demonstration made = Demonstration.OfGlyphs(folder, new() { Seed = seed, Threads = threads, Size = new(200, 60, 120, 100, 1, 1, 1), Cancel = cancel, Finished = finished, Merging = merging });
        Assert.Equal(threads > 1, spread.Splits > 0);
        return made;
    }

    public void Dispose() => _folder.Dispose();
}
