using System.Collections.Immutable;
using System.Text;

namespace Amalgam.Zoo.Report;

/// <summary>
/// A page for people: one file that needs no other, no network and no script, light or dark as the reader's screen is, and printable. The same parts give the
/// same bytes.
/// </summary>
/// <param name="Title">Its title.</param>
/// <param name="Parts">What it says, in order.</param>
public sealed record HtmlReport(string Title, params ImmutableArray<ReportPart> Parts)
{
    /// <summary>A line under the title: where it comes from; may be empty.</summary>
    public string Origin { get; init; } = "";

    /// <summary>The page: HTML 5 that is well-formed XML too.</summary>
    public string Render()
    {
        Markup html = new();
        html.Open("html", ("lang", "en")).Line().Open("head").Line()
            .Empty("meta", ("charset", "utf-8")).Line()
            .Empty("meta", ("name", "viewport"), ("content", "width=device-width, initial-scale=1")).Line()
            .Element("title", Title).Line()
            .Open("style").Raw(StyleSheet.Text).Close().Line()
            .Close().Line()
            .Open("body").Line().Open("header").Element("h1", Title);
        if (Origin != "") html.Element("p", Origin, ("class", "quiet"));
        html.Close().Line().Open("main").Line();
        foreach (ReportPart part in Parts)
        {
            part.Write(html);
            html.Line();
        }

        html.Close().Line().Close().Line().Close().Line();
        return $"<!DOCTYPE html>\n{html}";
    }

    /// <summary>Whether a file begins as such a page does.</summary>
    /// <param name="path">The file.</param>
    public static bool IsOne(string path)
    {
        string page = new HtmlReport("").Render(), head = page[..page.IndexOf("<title>", StringComparison.Ordinal)];
        Span<char> begin = stackalloc char[head.Length];
        using StreamReader file = new(path);
        return begin[..file.ReadBlock(begin)].SequenceEqual(head);
    }

    /// <summary>Writes the page; a file of that name is replaced when the new one is complete.</summary>
    /// <param name="path">The file, in a folder that exists.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Save(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        string partial = path + ".partial";
        try
        {
            File.WriteAllText(partial, Render(), new UTF8Encoding(false));
            File.Move(partial, path, overwrite: true);
        }
        finally
        {
            File.Delete(partial);
        }
    }
}
