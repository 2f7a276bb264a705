using System.Collections.Immutable;
using System.Text;

namespace Amalgam.Merging.Recipes;

/// <summary>Reads recipe files: YAML as mergekit's users write it, one document or several, strictly.</summary>
public static class RecipeFile
{
    private const int LargestMiB = 16;
    private const int MostDocuments = 1000;

    /// <summary>Reads the recipes of a file.</summary>
    /// <exception cref="MergeException">It cannot be read, or is not a recipe.</exception>
    public static ImmutableArray<Recipe> Read(string path) => Parse(ReadText(path), path);

    /// <summary>Reads the text of a recipe file, once, so that it may be a pipe.</summary>
    /// <exception cref="MergeException">It cannot be read, or is no text of a recipe's size.</exception>
    internal static string ReadText(string path)
    {
        if (Directory.Exists(path)) throw new MergeException($"{path} is a folder, expected a YAML file");
        try
        {
            long length = new FileInfo(path).Length;
            if (length > LargestMiB << 20) throw new MergeException($"{path}: a recipe has at most {LargestMiB} MiB, found {length} bytes");
            using var reader = new StreamReader(path, new UTF8Encoding(false, throwOnInvalidBytes: true));
            char[] text = new char[4096];
            int count = 0;
            for (int read; (read = reader.Read(text, count, text.Length - count)) > 0;)
            {
                count += read;
                if (count > LargestMiB << 20) throw new MergeException($"{path}: a recipe has at most {LargestMiB} MiB, found more");
                if (count == text.Length) Array.Resize(ref text, 2 * count);
            }

            return new(text, 0, count);
        }
        catch (DecoderFallbackException e)
        {
            throw new MergeException($"{path}: a recipe is UTF-8 text, found other bytes: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MergeException($"{path}: the recipe cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Reads the text of a description that must be there.</summary>
    /// <exception cref="MergeException">It cannot be read, or is no text of a recipe's size.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    internal static string ReadFile(string path) => Path.Exists(path) ? ReadText(path) : throw new FileNotFoundException($"{path} does not exist", path);

    /// <summary>Reads the recipes of a text.</summary>
    /// <param name="text">YAML, one or more documents.</param>
    /// <param name="file">The name to use in messages.</param>
    /// <exception cref="MergeException">It is not a recipe.</exception>
    public static ImmutableArray<Recipe> Parse(string text, string file)
    {
        ImmutableArray<RecipeNode> documents = Documents(text, file);
        var begin = new RecipePosition(file, 1, 1);
        if (documents.IsEmpty) throw begin.Refuse("expected a recipe, found nothing");
        if (documents.Length > MostDocuments) throw begin.Refuse($"a recipe has at most {MostDocuments} documents, found {documents.Length}");

        ImmutableArray<Recipe> recipes = [.. documents.Select(RecipeReader.Read)];
        Dictionary<string, Recipe> named = [];
        foreach (Recipe recipe in recipes)
        {
            if (recipe.Name is { } name && !named.TryAdd(name, recipe))
                throw recipe.Position.Refuse($"two documents have the name {Nearest.Quote(name)}, the other begins at line {named[name].Position.Line}");
        }

        return recipes;
    }

    /// <summary>The one value of a text that is not a whole recipe.</summary>
    internal static RecipeNode Single(string text, string file)
    {
        ImmutableArray<RecipeNode> documents = Documents(text, file);
        return documents.Length == 1 ? documents[0]
            : throw new RecipePosition(file, 1, 1).Refuse(documents.IsEmpty ? "there is nothing here but comments or white space" : $"expected one document, found {documents.Length}, with --- between them");
    }

    /// <summary>A character that YAML does not allow would end the text early, or stand in a name unseen.</summary>
    private static ImmutableArray<RecipeNode> Documents(string text, string file)
    {
        if (text.Length > LargestMiB << 20) throw new MergeException($"{file}: a recipe has at most {LargestMiB} MiB, found {text.Length} characters");
        int line = 1, begin = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\n') (line, begin) = (line + 1, i + 1);
            else if (char.IsControl(text[i]) && text[i] is not ('\t' or '\r' or '\u0085'))
                throw new RecipePosition(file, line, i - begin + 1).Refuse($"a control character (U+{(int)text[i]:X4}) is not allowed here");
        }

        return RecipeYaml.Documents(text, file);
    }
}
