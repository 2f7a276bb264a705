using System.Collections.Immutable;
using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Merging;
using Amalgam.Merging.Planning;
using Amalgam.Merging.Recipes;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Runs;

/// <summary>Does what sections <c>balance</c> of a recipe say: what merging itself cannot, as it knows of no networks and no data.</summary>
/// <param name="cancel">Stops between operations.</param>
public sealed class RecipeFusion(CancellationToken cancel = default)
{
    private readonly Dictionary<RecipePosition, NetworkFusion> _fusions = [];

    /// <summary>Hears how far looking at networks is; null for nobody.</summary>
    public IProgress<AlignmentProgress>? Progress { get; set; }

    /// <summary>Hears of networks whose units were brought together; null for nobody.</summary>
    public Action<NetworkFusion>? Done { get; set; }

    /// <summary>Reads a recipe's section without opening anything, so that mistakes in it show before work begins.</summary>
    /// <exception cref="MergeException">The section is not right, or cannot be with the rest of the recipe.</exception>
    public static void Check(Recipe recipe)
    {
        if (recipe.Balance is not null) _ = Read(recipe);
    }

    /// <summary>The networks of a document, once it is planned.</summary>
    public NetworkFusion Of(Recipe recipe) => _fusions[recipe.BalancePosition!.Value];

    /// <summary>What becomes of the models of a document: their layers are matched and balanced, so that their structure is known. Their units are brought together when they are written.</summary>
    /// <param name="recipe">A document with a section <c>balance</c>.</param>
    /// <param name="models">Its models.</param>
    /// <exception cref="InvalidDataException">A file is not what it claims to be, or a model does not say what it is.</exception>
    /// <exception cref="GraphException">The models' layers do not correspond, or the data does not fit.</exception>
    public BalancedModels Balance(Recipe recipe, ImmutableArray<PlannedModel> models)
    {
        FusionDescription how = Read(recipe);
        if (how.Models.Length > 1 && how.Models.Length != models.Length) throw recipe.BalancePosition!.Value.Refuse($"balance: there are {how.Models.Length} architectures for {models.Length} models; name one for all, or one for each in their order");
        NetworkFusion fusion = NetworkFusion.Open([.. models.Select(m => m.Checkpoint.Path)], how, (i, data) => Open(models[i], how.ModelOf(i), data));
        fusion.Balance(Progress, cancel);
        _fusions[recipe.BalancePosition!.Value] = fusion;
        if (how.Match.Units is not null && fusion.Widths is { } widths) throw recipe.BalancePosition!.Value.Refuse(recipe.AlignPosition is null
            ? $"balance: {widths}; {how.Match.Name} matches unit by unit and leaves widths as they are: write match: ot"
            : $"balance: {widths}; a section align matches unit by unit: write match: ot, which transports between widths, or leave align out");
        FusedForm form = fusion.Form;
        return new(form.Tensors, form.IsOnnx, folder => Write(recipe, fusion, folder), fusion.Notes);
    }

    /// <summary>What would be done, in a sentence.</summary>
    public string Summary(Recipe recipe)
    {
        NetworkFusion fusion = Of(recipe);
        string reference = fusion.Names[fusion.Reference];
        string[] others = [.. fusion.Names.Where((_, i) => i != fusion.Reference)];
        int added = fusion.Pairs.Sum(pair => LayerPair.Of(pair.Layers).Count(layer => layer.A is null || layer.B is null));
        string layers = added == 0 ? "all have one number of layers" : $"{added} layer{(added == 1 ? " is" : "s are")} {(fusion.Description.Balance.Gate is null ? "added" : "merged away")}";
        string units = fusion.Description.Match.Units is null ? $"the units of {string.Join(", ", others)} are transported onto those of {reference} by {fusion.Description.Match.Name}" : $"units are matched by {fusion.Description.Match.Name}";
        string reset = recipe.AlignPosition is null && fusion.CanReset ? ", and statistics of the merged network are set anew" : "";
        return $"layers are matched by {FusionWords.Measures.Of(fusion.Description.Layers.Measure)}, {layers}; {units}{reset}";
    }

    private AlignedModels Write(Recipe recipe, NetworkFusion fusion, string folder)
    {
        fusion.Match(Progress, cancel);
        Done?.Invoke(fusion);
        Directory.CreateDirectory(folder);
        string[] paths = [.. fusion.Names.Select((_, i) => Path.Combine(folder, fusion.Form.NameOf($"model-{i + 1}")))];
        for (int i = 0; i < paths.Length; i++)
        {
            cancel.ThrowIfCancellationRequested();
            fusion.Form.SaveLike(fusion.Moved(i), paths[i]);
        }

        // Where units are aligned next, that is what sets statistics anew.
        bool resets = recipe.AlignPosition is null && fusion.CanReset;
        return new([.. paths], []) { Reset = resets ? merged => fusion.Reset(merged, cancel) : null };
    }

    private static FusionDescription Read(Recipe recipe)
    {
        FusionDescription how = FusionDescription.Read(recipe.Balance!.Value, FusionMatch.Find(recipe.AlignPosition is null ? "ot" : "none")!);
        RecipePosition at = recipe.BalancePosition!.Value;
        if (how.Match.Zips) throw at.Refuse($"balance: {how.Match.Name} merges units, which a section align does; leave match out and write align: {{method: {how.Match.Name}}}");
        if (how.Data is null && (how.ComparesActivations || how.Balance.Gate is not null)) throw at.Refuse($"balance: {(how.Balance.Gate is null ? how.Match.Name : how.Balance.Name)} looks at what units compute and needs 'data', which is missing; ground: weights with layers: width and method: add need none");
        return how with { Reference = how.Reference ?? recipe.BaseModel?.Path, Reset = how.Reset == StatisticsReset.Auto && recipe.AlignPosition is not null ? StatisticsReset.None : how.Reset };
    }

    /// <summary>Who runs a recipe names an architecture in it, not by an option.</summary>
    private static ParentModel Open(PlannedModel model, ModelDescription? architecture, Dataset? data) => RecipeAlignment.Named("balance", () => ParentModel.Open(model, architecture, GivenNetworks.AnyBatch, data));
}
