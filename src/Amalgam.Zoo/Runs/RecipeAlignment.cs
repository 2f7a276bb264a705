using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Merging;
using Amalgam.Merging.Planning;
using Amalgam.Merging.Recipes;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Runs;

/// <summary>Does what a recipe's section <c>align</c> says: what merging itself cannot, as it knows of no networks and no data.</summary>
public static class RecipeAlignment
{
    /// <summary>The file that says where the units went.</summary>
    public const string Permutations = "permutations.json";

    private const string Complete = "complete";

    /// <summary>Reads a recipe's section without opening anything, so that mistakes in it show before work begins.</summary>
    /// <exception cref="MergeException">The section is not right, or cannot be with the recipe's method.</exception>
    public static void Check(Recipe recipe)
    {
        if (recipe.Align is { } align) Check(recipe, AlignmentDescription.Read(align));
    }

    /// <summary>What would be aligned, in a sentence.</summary>
    /// <param name="plan">A plan whose recipe has a section <c>align</c>, of models that are there.</param>
    /// <exception cref="InvalidDataException">A file is not what it claims to be, or a model does not say what it is.</exception>
    /// <exception cref="GraphException">The models are of different architectures.</exception>
    public static string Summary(MergePlan plan)
    {
        if (plan.Recipe.BalancePosition is not null) return $"brings the balanced models into one order by {AlignmentDescription.Read(plan.Recipe.Align!.Value).Text}";
        NetworkAlignment alignment = Open(plan, null, out int[] order, CancellationToken.None);
        UnitGroup[] free = [.. alignment.Siblings.Groups.Groups.Where(g => !g.IsPinned)];
        string data = alignment.Data is { Train: { } train } ? $", on {ActivationStatistics.Calibration(train, alignment.Options).Count:N0} samples of {train.Name}" : "";
        string others = string.Join(", ", order.Skip(1).Select(number => plan.Models[number].Label));
        return $"{(alignment.Options.Matching == UnitMatching.Zip ? $"zips {plan.Models[order[0]].Label} and {others}" : $"brings {others} into the order of {plan.Models[order[0]].Label}")} by {alignment.Description.Text}{data}: "
            + $"{free.Sum(g => g.Classes.Where(c => c.Pinned is null).Sum(c => c.Units)):N0} units in {free.Length} groups{(alignment.CanReset ? ", and sets statistics of the merged network anew" : "")}";
    }

    /// <summary>Aligns the models of a plan.</summary>
    /// <param name="plan">A plan whose recipe has a section <c>align</c>.</param>
    /// <param name="folder">Where the aligned models go. What an interrupted run of the same plan left complete there is kept.</param>
    /// <param name="done">Hears of the matching, before the merge; null for nobody.</param>
    /// <param name="progress">Hears how far the matching is.</param>
    /// <param name="cancel">Stops between operations.</param>
    /// <exception cref="InvalidDataException">A file is not what it claims to be, or a model does not say what it is.</exception>
    /// <exception cref="GraphException">The models are of different architectures, or the data does not fit them.</exception>
    public static AlignedModels Align(MergePlan plan, string folder, Action<NetworkAlignment>? done = null, IProgress<AlignmentProgress>? progress = null, CancellationToken cancel = default)
    {
        string permutations = Path.Combine(folder, Permutations), mark = Path.Combine(folder, Complete);
        string fingerprint = plan.Fingerprint($"{plan.Recipe.Align!.Value.Yaml}", 0, 0);
        bool isThere = File.Exists(mark) && File.ReadAllText(mark) == fingerprint;
        NetworkAlignment alignment = Open(plan, isThere ? permutations : null, out int[] order, cancel);
        alignment.Match(progress, cancel);
        done?.Invoke(alignment);
        Directory.CreateDirectory(folder);
        if (!isThere) PermutationFile.Write(alignment.Result.Maps, alignment.Names, permutations);
        string[] paths = [.. plan.Models.Select(m => m.Checkpoint.Path)];
        for (int i = alignment.MovesFirst ? 0 : 1; i < order.Length; i++)
        {
            cancel.ThrowIfCancellationRequested();
            ParentModel model = alignment.Models[i];
            string path = Path.Combine(folder, NetworkFile.NameLike(model, $"model-{order[i] + 1}"));
            if (!isThere) NetworkFile.SaveLike(alignment.Moved(i), model, path, overwrite: true);
            paths[order[i]] = path;
        }

        File.WriteAllText(mark, fingerprint);
        return new([.. paths], alignment.Notes) { AreShares = !alignment.Result.Maps.ArePermutations, Reset = alignment.CanReset ? merged => Reset(alignment, merged, cancel) : null };
    }

    /// <summary>The values that differ in the merged network once its statistics are set anew.</summary>
    private static Dictionary<string, Tensor> Reset(NetworkAlignment alignment, string merged, CancellationToken cancel)
    {
        Graph given = alignment.Read(merged), network = NetworkAlignment.With(given, given.Parameters.ToDictionary(p => p.Key, p => p.Value.Value!.Copy(), StringComparer.Ordinal));
        alignment.Reset(network, alignment.Result.Maps, cancel);
        return network.Parameters.Where(p => !p.Value.Value!.Span.SequenceEqual(given.Parameters[p.Key].Value!.Span)).ToDictionary(p => p.Key, p => p.Value.Value!, StringComparer.Ordinal);
    }

    /// <summary>Opens the networks of the very files that a plan reads; the base first where there is one, as the others' differences from it are to be merged.</summary>
    private static NetworkAlignment Open(MergePlan plan, string? permutations, out int[] order, CancellationToken cancel)
    {
        AlignmentDescription how = AlignmentDescription.Read(plan.Recipe.Align!.Value);
        Check(plan.Recipe, how);
        if (permutations is not null) how = how with { Permutations = permutations };
        int first = plan.Recipe.BaseModel is { } origin ? plan.NumberOf(origin) : plan.NumberOf(plan.Recipe.Models[0].Model);
        int[] numbers = [first, .. Enumerable.Range(0, plan.Models.Length).Where(number => number != first)];
        order = numbers;
        return NetworkAlignment.Open([.. numbers.Select(number => plan.Models[number].Checkpoint.Path)], how, (i, data) => Open(plan.Models[numbers[i]], how.Model, data), cancel);
    }

    private static ParentModel Open(PlannedModel model, ModelDescription? architecture, Dataset? data) => Named("align", () => ParentModel.Open(model, architecture, NetworkAlignment.AnyBatch, data));

    /// <summary>Who runs a recipe names an architecture in it, not by an option.</summary>
    internal static ParentModel Named(string section, Func<ParentModel> open)
    {
        try
        {
            return open();
        }
        catch (InvalidDataException e) when (e.Message.Contains(ModelLoader.NameIt, StringComparison.Ordinal))
        {
            throw new InvalidDataException(e.Message.Replace(ModelLoader.NameIt, $"name it by the key 'model' of the section {section}", StringComparison.Ordinal), e);
        }
    }

    private static void Check(Recipe recipe, AlignmentDescription how)
    {
        if (how.NeedsData && how.Data is null)
            throw recipe.AlignPosition!.Value.Refuse($"align: {how.Method.Name} looks at what units compute and needs 'data', which is missing; weights, weight_zip and rebasin need none");
        if (how.Options.Matching == UnitMatching.Zip && recipe.BaseModel is not null && MergeMethod.Find(recipe.Method) is { Base: BaseRole.Origin or BaseRole.OptionalOrigin })
            throw recipe.AlignPosition!.Value.Refuse($"align: {recipe.Method} takes differences from a base, and zipped models have none: a unit of the base may lie in another merged unit than theirs; use matching: align");
    }
}
