using System.Collections.Immutable;
using Amalgam.Merging;
using Amalgam.Merging.Recipes;
using Amalgam.Training;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Zoo.Runs;

/// <summary>Networks that train together, and which of their matrices teach which (MergeNet), as a YAML file says it. <see cref="TransferYaml"/> writes it with every key.</summary>
public sealed record TransferDescription
{
    /// <summary>The networks, in the order of the file.</summary>
    public required ImmutableArray<TransferModel> Models { get; init; }

    /// <summary>What goes from where to where; empty where <see cref="TransferProposal"/> chooses it.</summary>
    public ImmutableArray<TransferPair> Transfers { get; init; } = [];

    /// <summary>The adapter of transfers that do not say their own.</summary>
    public AdapterDescription Adapter { get; init; } = new();

    /// <summary>Rounds from one transfer to the next, of transfers that do not say it.</summary>
    public int Cycle { get; init; } = TransferPair.UsualCycle;

    /// <summary>Whether each network is also trained by itself, to compare with.</summary>
    public bool Solo { get; init; } = true;

    /// <summary>Draws the adapters' first parameters and their dropout.</summary>
    public long Seed { get; init; }

    /// <summary>Folder of what the run leaves behind; null when the command line names it.</summary>
    public string? Output { get; init; }

    /// <summary>The network of that name.</summary>
    public TransferModel ModelOf(string name) => Models.First(model => model.Name == name);

    /// <summary>The same run with another seed, of every network and of the adapters. Which samples are held out stays as it is.</summary>
    public TransferDescription WithSeed(long seed) => this with { Seed = seed, Models = [.. Models.Select(model => model with { Seed = seed, Run = model.Run is { } run ? run with { Seed = seed } : null })] };

    /// <summary>Reads a description.</summary>
    /// <exception cref="InvalidDataException">It cannot be read, is not YAML, has an unknown key or a value out of its range; the message begins with file, line and column.</exception>
    public static TransferDescription Read(string path) =>
        Guard(() => TransferReader.Read(RecipeFile.Single(RecipeFile.ReadFile(path), path)));

    /// <summary>Reads the text of a description.</summary>
    /// <param name="text">YAML.</param>
    /// <param name="file">The name to use in messages.</param>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public static TransferDescription Parse(string text, string file) => Guard(() => TransferReader.Read(RecipeFile.Single(text, file)));

    private static TransferDescription Guard(Func<TransferDescription> read)
    {
        try
        {
            return read();
        }
        catch (MergeException e)
        {
            throw new InvalidDataException(e.Message, e);
        }
    }
}

/// <summary>One of the networks.</summary>
/// <param name="Name">What transfers call it; its folder's name too.</param>
/// <param name="Model">What it is.</param>
public sealed record TransferModel(string Name, ModelDescription Model)
{
    /// <summary>How it is trained; null for one that stays as it is and is a source alone.</summary>
    public RunDescription? Run { get; init; }

    /// <summary>Batches that it learns from in a round.</summary>
    public int Steps { get; init; } = 1;

    /// <summary>Draws its first weights where it has none.</summary>
    public long Seed { get; init; }

    /// <summary>Where it is described, file, line and column; null where it is made in code.</summary>
    public string? Place { get; init; }

    /// <summary>Whether it comes with weights of its own: from a file, a folder, or named beside it. Else they are drawn by chance.</summary>
    public bool BringsWeights => Model.HasWeights;

    /// <summary>Whether it is not trained.</summary>
    public bool Frozen => Run is null;

    /// <summary>Does something for this network: what goes wrong says whose it is, and where it is described.</summary>
    internal T Locate<T>(Func<T> what) => Located.At(Place, what, Name);
}

/// <summary>A matrix, or several together, that teach another.</summary>
/// <param name="From">What is learned from, one or more.</param>
/// <param name="To">What is written.</param>
public sealed record TransferPair(ImmutableArray<TransferEnd> From, TransferEnd To)
{
    /// <summary>The paper's cycle from the larger network to the smaller.</summary>
    public const int UsualCycle = 4;

    /// <summary>One matrix teaches another.</summary>
    public TransferPair(TransferEnd from, TransferEnd to)
        : this([from], to)
    {
    }

    /// <summary>Rounds from one transfer to the next.</summary>
    public int Cycle { get; init; } = UsualCycle;

    /// <summary>The same of the transfer back, of several sources one to each; null for none.</summary>
    public int? BackCycle { get; init; }

    /// <summary>Whether what the target's optimiser keeps of the matrix is set to zero when it is written.</summary>
    public bool ResetsMomentum { get; init; }

    /// <summary>What makes the one of the other.</summary>
    public AdapterDescription Adapter { get; init; } = new();

    /// <summary>Where it is described, file, line and column; null where it is not.</summary>
    public string? Place { get; init; }
}

/// <summary>A matrix of a network, by name.</summary>
/// <param name="Model">Name of the network.</param>
/// <param name="Matrix">Name of the parameter; null where <see cref="TransferProposal"/> chooses it.</param>
public sealed record TransferEnd(string Model, string? Matrix = null)
{
    /// <summary>Says that the rank is the usual one for the matrix.</summary>
    public const int UsualRank = -1;

    /// <summary>Whether <see cref="TransferProposal"/> chose the matrix.</summary>
    public bool IsProposed { get; init; }

    /// <summary>The rows that are meant, from the first up to, without, the last; null for all.</summary>
    public (int From, int To)? Rows { get; init; }

    /// <summary>How the kernel of a convolution is seen as a matrix.</summary>
    public ConvolutionLayout Layout { get; init; }

    /// <summary>0 for the matrix itself, else the rank of the product that it becomes while it trains.</summary>
    public int Rank { get; init; }

    /// <summary>What the factors of a rank above 0 begin with.</summary>
    public FactorStart Start { get; init; }

    /// <summary>What the product is divided by the rank and multiplied by; 0 for the rank.</summary>
    public double Alpha { get; init; }

    /// <summary>For people: <c>resnet:fc.weight</c>.</summary>
    public override string ToString() => Matrix is null ? Model : $"{Model}:{Matrix}{(Rows is var (from, to) ? $"[{from}..{to}]" : "")}{(Rank > 0 ? $" at rank {Rank}" : "")}";
}

/// <summary>What generates a target matrix from itself and its sources, and how it learns.</summary>
public sealed record AdapterDescription
{
    /// <summary>The network that generates.</summary>
    public ParameterAdapter Adapter { get; init; } = new LowRankAdapter();

    /// <summary>What its parameters are updated by.</summary>
    public AdapterRule Rule { get; init; }

    /// <summary>How they follow from that.</summary>
    public UpdateRule Optimizer { get; init; } = new AdamW(WeightDecay: 0.01);

    /// <summary>Largest norm of their gradient; null for no limit.</summary>
    public double? ClipNorm { get; init; } = UsualClipNorm;

    /// <summary>Their learning rate, which the schedule's factor multiplies.</summary>
    public double Rate { get; init; } = 1e-3;

    /// <summary>How that goes, over the target's epochs.</summary>
    public Schedule Schedule { get; init; } = new CosineRate();

    /// <summary>How much of what a transfer itself changed is added to what the adapter learns from; null for what is usual with it.</summary>
    public double? Damping { get; init; }

    /// <summary>How many of the target's own steps a transfer may go; null for what is usual with the adapter.</summary>
    public double? TrustRegion { get; init; }

    /// <summary>Whether what is written has gone through the adapter's dropout.</summary>
    public bool WritesDropout { get; init; } = true;

    internal const double UsualClipNorm = 50;
}
