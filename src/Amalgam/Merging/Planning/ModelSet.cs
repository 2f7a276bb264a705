using Amalgam.Checkpoints;
using Amalgam.Merging.Recipes;

namespace Amalgam.Merging.Planning;

/// <summary>The models of a recipe, each opened once.</summary>
/// <param name="folder">The recipe's folder; relative paths are looked up in the current folder first, then here.</param>
/// <param name="earlier">Results of earlier documents, by name; owned by the caller.</param>
/// <param name="aligned">Files that take the place of models; null for none.</param>
internal sealed class ModelSet(string folder, IReadOnlyDictionary<string, Checkpoint> earlier, IReadOnlyDictionary<ModelReference, string>? aligned = null) : IDisposable
{
    private readonly Dictionary<ModelReference, PlannedModel> _models = [];
    private readonly List<Checkpoint> _opened = [];

    /// <summary>All models, in the order in which they were first asked for.</summary>
    public IEnumerable<PlannedModel> All => _models.Values.OrderBy(m => m.Number);

    /// <summary>Opens a model, or returns it if it is open.</summary>
    /// <exception cref="MergeException">It is not there, or asks for something that Amalgam does not do.</exception>
    public PlannedModel Open(ModelReference reference)
    {
        if (_models.TryGetValue(reference, out PlannedModel? model)) return model;
        Checkpoint checkpoint;
        if (aligned is null && reference is { Revision: null, Lora: null } && earlier.TryGetValue(reference.Path, out Checkpoint? result))
        {
            checkpoint = result;
        }
        else
        {
            string path = aligned?[reference] ?? PathOf(reference);
            if (_models.Values.FirstOrDefault(m => _opened.Contains(m.Checkpoint) && CheckpointOutput.FullPath(m.Checkpoint.Path) == CheckpointOutput.FullPath(path)) is { } same) return same;
            checkpoint = Checkpoint.Open(path);
            _opened.Add(checkpoint);
        }

        model = new(_models.Count, reference.Text, checkpoint);
        _models.Add(reference, model);
        return model;
    }

    public void Dispose()
    {
        foreach (Checkpoint checkpoint in _opened) checkpoint.Dispose();
    }

    private string PathOf(ModelReference reference)
    {
        if (Locate(reference.Text) is { } literal) return literal;
        if (reference.Lora is not null) throw Refuse(reference, $"asks for the LoRA adapter '{reference.Lora.Text}'; Amalgam does not apply adapters yet: merge it into its model first and name the result");
        if (reference.Revision is not null) throw Refuse(reference, $"asks for revision '{reference.Revision}'; Amalgam does not download: fetch that revision and name its folder");
        if (Locate(reference.Path) is { } path) return path;
        bool isHub = reference.Path.Count(c => c == '/') == 1 && !reference.Path.StartsWith('.') && !reference.Path.StartsWith('/');
        throw Refuse(reference, isHub
            ? "does not exist here; if it is the id of a model on a hub: Amalgam does not download, so fetch it and name its folder"
            : $"does not exist{(Path.IsPathRooted(reference.Path) ? "" : $", neither in the current folder nor in {folder}")}");
    }

    private string? Locate(string path)
    {
        foreach (string candidate in (string[])[path, Path.Combine(folder, path)])
            if (File.Exists(candidate) || Directory.Exists(candidate)) return candidate;
        return null;
    }

    private static MergeException Refuse(ModelReference reference, string why) =>
        reference.Position.Line > 0 ? reference.Position.Refuse($"model '{reference.Text}' {why}") : new($"model '{reference.Text}' {why}");
}
