namespace Amalgam.Merging.Recipes;

/// <summary>
/// A model that a recipe names: <c>path[@revision][+lora[@revision]]</c>. Two references to the same model are equal however they are written.
/// A path that itself contains <c>@</c> or <c>+</c> is split too; <see cref="Text"/> keeps what was written for callers that find such a file.
/// </summary>
public sealed record ModelReference
{
    private const string Expected = "expected path[@revision][+lora[@revision]]; a path with these characters is written as model: {model: {path: ...}}";

    /// <summary>Refers to a model by its parts.</summary>
    public ModelReference(string path, string? revision = null, ModelReference? lora = null)
    {
        (Path, Revision, Lora) = (path, revision, lora);
        Text = path + (revision is null ? "" : $"@{revision}") + (lora is null ? "" : $"+{lora.Text}");
    }

    /// <summary>File, folder, the name of another document of the recipe, or an id on a model hub.</summary>
    public string Path { get; }

    /// <summary>Version on the hub, if one is named.</summary>
    public string? Revision { get; }

    /// <summary>Adapter to apply to the model, if one is named; it has no adapter itself.</summary>
    public ModelReference? Lora { get; }

    /// <summary>The reference as written.</summary>
    public string Text { get; private init; }

    /// <summary>Where it stands in the recipe; no part of equality.</summary>
    public RecipePosition Position { get; internal init; }

    /// <summary>Reads the short form.</summary>
    /// <exception cref="MergeException">More than one <c>+</c>, more than one <c>@</c> in a part, or an empty part.</exception>
    public static ModelReference Parse(string text)
    {
        string[] parts = text.Split('+');
        if (parts.Length > 2) throw new MergeException($"model {Nearest.Quote(text)} has more than one '+', {Expected}");
        (string path, string? revision) = Split(text, parts[0]);
        return new(path, revision, parts.Length == 1 ? null : ParsePart(text, parts[1])) { Text = text };
    }

    public bool Equals(ModelReference? other) =>
        other is not null && Path == other.Path && Revision == other.Revision && Equals(Lora, other.Lora);

    public override int GetHashCode() => HashCode.Combine(Path, Revision, Lora);

    public override string ToString() => Text;


    private static ModelReference ParsePart(string text, string part)
    {
        (string path, string? revision) = Split(text, part);
        return new(path, revision);
    }

    private static (string Path, string? Revision) Split(string text, string part)
    {
        string[] halves = part.Split('@');
        if (halves.Length > 2) throw new MergeException($"model {Nearest.Quote(text)} has more than one '@' in a part, {Expected}");
        if (halves.Any(string.IsNullOrWhiteSpace)) throw new MergeException($"model {Nearest.Quote(text)} has an empty part, {Expected}");
        return (halves[0], halves.Length == 2 ? halves[1] : null);
    }
}
