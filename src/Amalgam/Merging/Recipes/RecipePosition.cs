namespace Amalgam.Merging.Recipes;

/// <summary>A place in a recipe; prints as <c>file.yml:12:5</c>.</summary>
/// <param name="File">The file's name as it was given.</param>
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

    public override string ToString() => $"{File}:{Line}:{Column}";
}
