using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Amalgam.Tests.Docs;

/// <summary>A Markdown file of the repository, whose generated lines are compared with the code, or written where <c>AMALGAM_UPDATE_DOCS</c> is 1.</summary>
internal sealed class Document(string path)
{
    public static readonly string Root = System.IO.Path.GetFullPath(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(ThisFile())!, "..", "..", ".."));

    /// <summary>README, CONTRIBUTING and everything in docs.</summary>
    public static IEnumerable<Document> All =>
        new[] { "README.md", "CONTRIBUTING.md", "CHANGELOG.md" }.Concat(Directory.GetFiles(System.IO.Path.Combine(Root, "docs"), "*.md").Select(f => System.IO.Path.GetRelativePath(Root, f)))
            .Select(p => new Document(p));

    public string Path => path;

    public string Text { get; private set; } = File.ReadAllText(System.IO.Path.Combine(Root, path)).ReplaceLineEndings("\n");

    /// <summary>The bodies of the fenced blocks of a language.</summary>
    public IEnumerable<string> Blocks(string language) => Regex.Matches(Text, $@"^```{language}\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline).Select(m => m.Groups[1].Value);

    /// <summary>The text from a heading, such as <c>## ties</c>, up to the next one of its level or above.</summary>
    public string Section(string heading)
    {
        int start = Text.IndexOf($"\n{heading}\n", StringComparison.Ordinal) + 1;
        Assert.True(start > 0, $"{path} has no heading '{heading}'");
        Match next = new Regex($"\n#{{1,{heading.TakeWhile(c => c == '#').Count()}}} ").Match(Text, start + heading.Length);
        return next.Success ? Text[start..(next.Index + 1)] : Text[start..];
    }

    /// <summary>Asserts that a part of the text is what the code says.</summary>
    /// <param name="within">What the part stands in, which is there once.</param>
    /// <param name="found">The part as it stands.</param>
    /// <param name="expected">What the code says.</param>
    public void Agrees(string within, string found, string expected)
    {
        if (found == expected) return;
        if (Environment.GetEnvironmentVariable("AMALGAM_UPDATE_DOCS") != "1")
            Assert.Fail($"{path} does not say what the code says; run the tests once with AMALGAM_UPDATE_DOCS=1. Found:\n{found}\nexpected:\n{expected}");
        Text = Text.Replace(within, within.Replace(found, expected));
        File.WriteAllText(System.IO.Path.Combine(Root, path), Text);
    }

    /// <summary>The lines of a section's table.</summary>
    public static string TableOf(string section) => Regex.Match(section, @"(^\|.*\n)+", RegexOptions.Multiline).Value;

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
