using System.Collections.Immutable;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Zoo.Runs;

/// <summary>The words of transfer descriptions.</summary>
internal static class TransferWords
{
    public const string Usual = "usual", None = "none";

    public static readonly ImmutableSortedDictionary<string, ConvolutionLayout> Layouts = ImmutableSortedDictionary<string, ConvolutionLayout>.Empty
        .Add("filters", ConvolutionLayout.Filters).Add("loralib", ConvolutionLayout.Loralib);

    public static readonly ImmutableSortedDictionary<string, FactorStart> Starts = ImmutableSortedDictionary<string, FactorStart>.Empty
        .Add("decomposition", FactorStart.Decomposition).Add("fresh", FactorStart.Fresh);

    public static readonly ImmutableSortedDictionary<string, Unfoldings> Unfoldings = ImmutableSortedDictionary<string, Unfoldings>.Empty
        .Add("all", Transfer.MergeNet.Unfoldings.All).Add("rows", Transfer.MergeNet.Unfoldings.Rows);

    public static readonly ImmutableSortedDictionary<string, Mixing> Mixings = ImmutableSortedDictionary<string, Mixing>.Empty.Add("average", Mixing.Average).Add("learned", Mixing.Learned);

    public static readonly ImmutableSortedDictionary<string, AdapterForm> Forms = ImmutableSortedDictionary<string, AdapterForm>.Empty
        .Add("published", AdapterForm.Published).Add("residual", AdapterForm.Residual);

    public static readonly ImmutableSortedDictionary<string, AdapterRule> Rules = ImmutableSortedDictionary<string, AdapterRule>.Empty.Add("chain", AdapterRule.ChainRule).Add("change", AdapterRule.Change);

    /// <summary>The word for a value.</summary>
    public static string Of<T>(ImmutableSortedDictionary<string, T> words, T value) => words.First(word => EqualityComparer<T>.Default.Equals(word.Value, value)).Key;
}
