using Amalgam.Graphs;
using Amalgam.Merging;
using Amalgam.Zoo.Demo;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>Merges of a pair without training, by the methods of <c>amalgam merge</c>.</summary>
/// <param name="subject">What the networks learned.</param>
/// <param name="a">Model A.</param>
/// <param name="first">Path of model A.</param>
/// <param name="second">Path of model B.</param>
/// <param name="origin">Path of the first weights that both come from; null when they come from different ones.</param>
/// <param name="folder">Where recipes and merged checkpoints go.</param>
/// <param name="options">How to merge.</param>
internal sealed class Merges(Subject subject, Graph a, string first, string second, string? origin, string folder, MergeOptions options)
{
    private const string Average = "linear", Knowledge = "cki";

    /// <summary>Merges of a pair of a reproduction.</summary>
    public static Merges Of(Subject subject, StaticPair pair, CkiOptions options) => new(
        subject, pair.A, pair.PathOfA, pair.PathOfB, pair.PathOfOrigin, Path.Combine(options.Folder, "merged", subject.Name, pair.Label),
        new() { Seed = pair.Seed, Parallel = new() { CancellationToken = options.Cancel } });

    /// <summary>The methods beside averaging and CKI that fit the pair.</summary>
    public IEnumerable<MethodEntry> Others => DemoMerge.Methods.Where(m => m.Name is not (Average or Knowledge) && (origin is not null || !DemoMerge.NeedsCommonBase(m)));

    /// <summary>Plain averaging of the parameters in a scope, or of all parameters; the others are model A's.</summary>
    public Candidate Averaging(Scope? scope = null) => Of(new(MergeMethod.Find(Average)!), scope, "");

    /// <summary>CKI's closed form in a scope: soft and hard, with the local term and without it.</summary>
    public IEnumerable<Candidate> ClosedForm(Scope scope) =>
        from splice in new[] { "soft", "hard" }
        from local in new[] { "fixed", "none" }
        select Of(new(MergeMethod.Find(Knowledge)!, ("splice", splice), ("local", local)), scope, $"{splice}, local {local}");

    /// <summary>A method with each combination of its alternatives, over each scope and over all parameters.</summary>
    public IEnumerable<Candidate> Alternatives(MethodEntry method)
    {
        foreach (DemoMerge merge in DemoMerge.Of(method))
        {
            Lazy<Graph> merged = new(() => Merge(WithWholeBiases(merge)));
            yield return Candidate.Of(() => merged.Value, $"{merge.Label}, all parameters");
            foreach (Scope scope in subject.Scopes) yield return Candidate.Of(() => Within(scope, merged.Value), $"{merge.Label}, {scope.Name}");
        }
    }

    /// <summary>A bias of one unit has nothing to leave out, so densities are those of matrices.</summary>
    private static DemoMerge WithWholeBiases(DemoMerge merge) =>
        merge with { Parameters = [.. merge.Parameters.Select(p => p.Name == "density" ? (p.Name, $"[{{filter: .bias, value: 1}}, {{value: {p.Value}}}]") : p)] };

    private Candidate Of(DemoMerge merge, Scope? scope, string label) => Candidate.Of(() => scope is null ? Merge(merge) : Within(scope, Merge(merge)), label);

    /// <summary>Model A with the merged values in a scope.</summary>
    private Graph Within(Scope scope, Graph merged) => subject.With(name => (scope.Includes(name) ? merged : a).Parameters[name].Value!);

    private Graph Merge(DemoMerge merge)
    {
        Directory.CreateDirectory(folder);
        string output = Path.Combine(folder, merge.Entry.Name + ".safetensors");
        merge.Merge(Path.Combine(folder, merge.Entry.Name + ".yml"), output, first, second, origin, options with { Output = new(Overwrite: true) });
        return subject.Read(output);
    }
}
