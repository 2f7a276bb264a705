namespace Amalgam.Merging.Recipes;

/// <summary>A place in a recipe; prints as <c>file.yml:12:5</c>, or as the option that the recipe was made from, whose lines nobody has seen.</summary>
/// <param name="File">The file's name as it was given, or an option such as <c>--method</c>.</param>
/// <param name="Line">From 1 on.</param>
/// <param name="Column">From 1 on.</param>
public readonly record struct RecipePosition(string File, int Line, int Column)
{
    /// <summary>The error whose message begins with this place.</summary>
    public MergeException Refuse(string message) => new($"{this}: {message}");

    /// <summary>Does something for this place: its errors begin with the place.</summary>
    public T Locate<T>(Func<T> what)
    {
        try
        {
            return what();
        }
        catch (MergeException e)
        {
            throw new MergeException($"{this}: {e.Message}", e);
        }
    }

    public override string ToString() => File.StartsWith("--", StringComparison.Ordinal) ? File : $"{File}:{Line}:{Column}";
}
