using System.Collections.Immutable;
using Amalgam.Checkpoints;
using Amalgam.Merging.Recipes;

namespace Amalgam.Merging.Planning;

/// <summary>Turns a recipe into a plan, and refuses, all at once, what cannot be done.</summary>
internal sealed class Planner
{
    private const int MostErrors = 12;

    private readonly Recipe _recipe;
    private readonly ModelSet _models;
    private readonly MethodEntry _entry;
    private readonly TensorDecision _decision;
    private readonly List<(string Tensor, string Message)> _errors = [];
    private readonly List<string> _notes = [];
    private int? _layers;

    private Planner(Recipe recipe, ModelSet models)
    {
        (_recipe, _models) = (recipe, models);
        _entry = MergeMethod.Find(recipe.Method)
            ?? throw recipe.MethodPosition.Refuse(TrainingRules.Unknown(recipe.Method));
        _decision = new(recipe, _entry, _notes);
    }

    /// <summary>Plans one document.</summary>
    /// <param name="recipe">The document.</param>
    /// <param name="models">Opens its models; they must stay open as long as the plan is used.</param>
    /// <exception cref="MergeException">It cannot be done; the message lists every reason that was found.</exception>
    public static MergePlan Plan(Recipe recipe, ModelSet models) => new Planner(recipe, models).Plan();

    private MergePlan Plan()
    {
        CheckParameters();
        foreach (ModelReference reference in _recipe.References) _models.Open(reference);
        // The network that trains is the first model's, so what it does not learn is its own, also where there is a base.
        PlannedModel donor = _models.Open(_recipe.Train is not null ? (TrainingRules.SourcesOf(_recipe).FirstOrDefault() ?? _recipe.Models[0]).Model : _recipe.BaseModel ?? _recipe.References.First());
        CheckFeatures(donor);
        CheckAlignment();

        var tensors = ImmutableArray.CreateBuilder<PlannedTensor>();
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (OutputTensor output in Outputs().OrderBy(o => o.Name, NaturalOrder.Comparer))
        {
            if (!names.Add(output.Name)) continue;
            try
            {
                if (_decision.Decide(output) is { } tensor) tensors.Add(tensor);
            }
            catch (MergeException e)
            {
                _errors.Add((output.Name, e.Message));
            }
        }

        if (_errors.Count > 0) throw Errors();
        if (_recipe.Train is not null) TrainingRules.CheckAlike(_recipe, tensors);
        if (tensors.Count == 0) throw _recipe.Position.Refuse("the recipe gives no tensors: its models are empty, or its patterns leave everything out");
        string lender = donor.Checkpoint.Path;
        if (_layers is { } layers && Directory.Exists(lender) && donor.Checkpoint.Storages.All(s => s is not PendingStorage) && SideFiles.NoteOnLayers(lender, layers) is { } note) _notes.Add(note);
        return new(_recipe, tensors.ToImmutable(), [.. _models.All], donor, _layers, [.. _models.All.SelectMany(m => m.Checkpoint.Notes.Select(n => $"{m.Label}: {n}")), .. _notes]);
    }

    /// <summary>All errors; what is wrong with many tensors in the same way is said once, with the first of them.</summary>
    private MergeException Errors()
    {
        string[] reasons =
        [
            .. _errors.GroupBy(e => e.Message.Replace($"'{e.Tensor}'", "", StringComparison.Ordinal))
                .Select(g => g.First().Message + (g.Count() > 1 ? $" (and {g.Count() - 1} more tensor{(g.Count() > 2 ? "s" : "")} like this)" : "")),
        ];
        if (reasons.Length == 1) return _recipe.MethodPosition.Refuse(reasons[0]);
        string more = reasons.Length > MostErrors ? $"\n  and {reasons.Length - MostErrors} more" : "";
        return _recipe.MethodPosition.Refuse($"{reasons.Length} reasons why this merge cannot be done:\n  {string.Join("\n  ", reasons.Take(MostErrors))}{more}");
    }

    private void CheckParameters()
    {
        ImmutableArray<MethodParameter> known = _entry.AllParameters;
        _recipe.Parameters.Check(_entry.Name, known, perModelLevel: false);
        foreach (RecipeModule module in _recipe.Modules) module.Parameters.Check(_entry.Name, known, perModelLevel: false);
        foreach (RecipeSlice slice in _recipe.Slices.Concat(_recipe.Modules.SelectMany(m => m.Slices)))
        {
            slice.Parameters.Check(_entry.Name, known, perModelLevel: false);
            foreach (RecipeSource source in slice.Sources) source.Parameters.Check(_entry.Name, known, perModelLevel: true);
        }

        foreach (RecipeSource source in _recipe.Models.Concat(_recipe.Modules.SelectMany(m => m.Models))) source.Parameters.Check(_entry.Name, known, perModelLevel: true);
        TrainingRules.Check(_recipe, _entry);
    }

    /// <summary>Matching units takes whole networks, two or more.</summary>
    private void CheckAlignment()
    {
        if (_recipe.AlignPosition is not { } at) return;
        if (_recipe.Models.IsEmpty) throw at.Refuse("align: whole networks are aligned, so name them under models; slices and modules are merged without");
        if (_models.All.Count() < 2) throw at.Refuse($"align: there is nothing to align {_recipe.Models[0].Model.Text} with; name two models or more");
    }

    /// <summary>A tokenizer that is to be taken from the base or united needs no work where all models have the same one; anything else is refused.</summary>
    private void CheckFeatures(PlannedModel donor)
    {
        foreach (RecipeFeature feature in _recipe.Features)
        {
            if (feature.Name == "tokenizer_source" && SideFiles.HaveSameTokenizer(_models.All.Select(m => m.Checkpoint.Path)))
            {
                _notes.Add($"tokenizer_source: all models have the same tokenizer, which is copied from {donor.Label}");
                continue;
            }

            throw feature.Position.Refuse(feature.Name switch
            {
                "tokenizer_source" or "tokenizer" => $"{feature.Name} asks for tokenizers to be merged, which Amalgam does not do yet (it copies the base's); remove the key where all models have one vocabulary",
                "chat_template" => "chat_template asks for the template to be rewritten, which Amalgam does not do yet (it copies the base's); remove the key",
                _ => $"{feature.Name} is not done by Amalgam; remove the key",
            });
        }
    }

    private IEnumerable<OutputTensor> Outputs()
    {
        if (_recipe.Modules.IsEmpty) return OutputsOf(_recipe.Models, _recipe.Slices, null, _ => true);

        string[] prefixes = [.. _recipe.Modules.Select(m => m.Name).Where(n => n != "default").Select(n => n + ".")];
        bool Covers(RecipeModule module, string name) => module.Name == "default"
            ? !prefixes.Any(p => name.StartsWith(p, StringComparison.Ordinal))
            : name.StartsWith(module.Name + ".", StringComparison.Ordinal);
        string[] names = [.. _models.All.SelectMany(m => m.Checkpoint.Tensors).Select(t => t.Name).Distinct(StringComparer.Ordinal)];
        foreach (RecipeModule module in _recipe.Modules)
        {
            if (names.Any(n => Covers(module, n))) continue;
            throw module.Position.Refuse($"no tensor belongs to module '{module.Name}': a module's name is how its tensors' names begin (there are {string.Join(", ", names.Select(n => n.Split('.')[0]).Distinct().Order().Take(8))}), or default for the rest");
        }

        string? left = names.FirstOrDefault(n => !_recipe.Modules.Any(m => Covers(m, n)));
        if (left is not null) throw _recipe.Position.Refuse($"tensor '{left}' belongs to none of the modules {string.Join(", ", _recipe.Modules.Select(m => m.Name))}; add a module default for the rest");
        return _recipe.Modules.SelectMany(m => OutputsOf(m.Models, m.Slices, m, n => Covers(m, n)));
    }

    private IEnumerable<OutputTensor> OutputsOf(ImmutableArray<RecipeSource> models, ImmutableArray<RecipeSlice> slices, RecipeModule? module, Func<string, bool> covers)
    {
        ImmutableArray<ParameterBlock> outer = module is null ? [_recipe.Parameters] : [module.Parameters, _recipe.Parameters];
        if (slices.IsEmpty)
        {
            RecipeSlice whole = new(models, null, ParameterBlock.Empty, models[0].Position);
            return OutputNames.OfWhole(Resolve(whole, outer), covers);
        }

        ImmutableArray<ResolvedSlice> resolved = [.. slices.Select(s => Resolve(s, [s.Parameters, .. outer]))];
        OutputTensor[] outputs = slices[0].Position.Locate(() => OutputNames.OfSlices(resolved, covers).ToArray());

        // Only now is it known that the models have these layers, and so that their number is no absurd one.
        if (module is null) _layers = resolved.Sum(s => s.Layers);
        else _notes.Add($"module {module.Name} has {resolved.Sum(s => s.Layers)} layers; check its layer count in config.json");
        return outputs;
    }

    /// <summary>Sorts a slice's models by the part that they play, and checks how many there are.</summary>
    private ResolvedSlice Resolve(RecipeSlice slice, ImmutableArray<ParameterBlock> outer)
    {
        ModelReference? baseModel = slice.BaseModel ?? _recipe.BaseModel;
        SliceSource[] sources = [.. slice.Sources.Select(s => new SliceSource(_models.Open(s.Model), s.LayerRange?.First ?? 0, s.Parameters))];
        int layers = slice.Sources[0].LayerRange is { } range ? range.End - range.First : 0;
        SliceSource? listed = baseModel is null ? null : sources.FirstOrDefault(s => s.Model == _models.Open(baseModel));
        SliceSource? origin = listed ?? (baseModel is null ? null : Unlisted(slice, baseModel, sources, layers));

        switch (_entry.Base)
        {
            case BaseRole.Origin or BaseRole.First when origin is null:
                throw _recipe.MethodPosition.Refuse($"{_entry.Name} needs base_model (--base){(_entry.Base == BaseRole.First ? ", one of the two models: the one at t = 0" : ", the model that the others were fine-tuned from")}");
            case BaseRole.Origin or BaseRole.OptionalOrigin when origin is not null:
                sources = [.. sources.Where(s => !IsSame(s, origin))];
                if (_entry is { Base: BaseRole.OptionalOrigin, Most: 2 } && listed is not null)
                    throw slice.Position.Refuse($"{_entry.Name}: the base must be a third model, not one of the two that are merged");
                break;
            case BaseRole.First:
                sources = [origin!, .. sources.Where(s => !IsSame(s, origin!))];
                break;
            case BaseRole.Model when origin is not null && listed is null && sources.Length < _entry.Most && new ParameterLookup(_entry, outer, 0).IsComplete(ParameterBlock.Empty, ""):
                sources = [.. sources, origin];
                _notes.Add($"base_model {origin.Model.Label} is not listed under models and takes part as the last of them, as in mergekit");
                break;
        }

        if (sources.Length < _entry.Least || sources.Length > _entry.Most)
            throw slice.Position.Refuse($"{_entry.Name} merges {_entry.Models} model{(_entry.Most == 1 ? "" : "s")}{(_entry.Base == BaseRole.Origin ? " beside the base" : "")}, found {sources.Length}");
        bool hasOrigin = _entry.Base is BaseRole.Origin or BaseRole.OptionalOrigin;
        return new([.. sources], hasOrigin ? origin : null, _recipe.Train is not null ? sources[0] : origin ?? sources[0], layers, outer);
    }

    /// <summary>The same layers of the same model; a slice may merge a model's layers with others of its own.</summary>
    private static bool IsSame(SliceSource a, SliceSource b) => a.Model == b.Model && a.FirstLayer == b.FirstLayer;

    private SliceSource Unlisted(RecipeSlice slice, ModelReference baseModel, SliceSource[] sources, int layers)
    {
        if (layers > 0 && sources.Any(s => s.FirstLayer != sources[0].FirstLayer))
            throw slice.Position.Refuse($"list base_model {baseModel.Text} under sources with its layer_range: the sources' ranges differ, so its layers cannot be guessed");
        return new(_models.Open(baseModel), sources[0].FirstLayer, ParameterBlock.Empty);
    }
}
