using System.Text.RegularExpressions;

namespace Amalgam.Merging.Recipes;

/// <summary>
/// Says which tensor names are meant. <c>glob:</c> begins a glob (<c>*</c> any run of characters, dots too, <c>?</c> one character, the whole name must match),
/// <c>regex:</c> a regular expression that is searched for; a plain text is a glob or a substring, as its place in the recipe says.
/// </summary>
public sealed class NamePattern
{
    private const int LongestPattern = 1000;
    private const string GlobPrefix = "glob:", RegexPrefix = "regex:";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly string _text;
    private readonly Regex? _regex;
    private readonly bool _glob;

    private NamePattern(string written, string text, bool glob, Regex? regex) => (Text, _text, _glob, _regex) = (written, text, glob, regex);

    /// <summary>The pattern as written.</summary>
    public string Text { get; }

    /// <summary>Reads a pattern.</summary>
    /// <param name="text">The pattern as written.</param>
    /// <param name="plainIsGlob">What a text without prefix is: a glob, or a substring of which <c>*</c> alone matches every name.</param>
    /// <exception cref="MergeException">It is empty, too long or not a regular expression that runs in linear time.</exception>
    public static NamePattern Parse(string text, bool plainIsGlob) => Parse(text, plainIsGlob, Patience);

    /// <summary>The same with the time that a regular expression may take for one name.</summary>
    internal static NamePattern Parse(string text, bool plainIsGlob, TimeSpan patience)
    {
        if (text.Length > LongestPattern) throw new MergeException($"a name pattern has {text.Length} characters, at most {LongestPattern} are read");
        bool glob = text.StartsWith(GlobPrefix, StringComparison.Ordinal), regex = text.StartsWith(RegexPrefix, StringComparison.Ordinal);
        string bare = glob ? text[GlobPrefix.Length..] : regex ? text[RegexPrefix.Length..] : text;
        if (bare.Length == 0) throw new MergeException($"name pattern '{text}' is empty; '*' matches every name");
        return new(text, bare, glob || (!regex && (plainIsGlob || text == "*")), regex ? Compile(bare, patience) : null);
    }

    /// <summary>Whether a tensor of this name is meant.</summary>
    /// <exception cref="MergeException">The regular expression takes more than a second for one name.</exception>
    public bool Matches(string name)
    {
        if (_glob) return MatchesGlob(_text, name);
        if (_regex is null) return name.Contains(_text, StringComparison.Ordinal);
        try
        {
            return _regex.IsMatch(name);
        }
        catch (RegexMatchTimeoutException e)
        {
            throw new MergeException($"pattern {Nearest.Quote(Text)} takes more than {_regex.MatchTimeout.TotalSeconds} s on tensor {Nearest.Quote(name)}: write a simpler one", e);
        }
    }

    public override string ToString() => Text;

    private static Regex Compile(string text, TimeSpan patience)
    {
        try
        {
            return new(text, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, patience);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw new MergeException($"{Nearest.Quote(text)} is not a regular expression that Amalgam runs: {e.Message}", e);
        }
    }

    /// <summary>Walks both texts; on a mismatch the last star takes one more character.</summary>
    private static bool MatchesGlob(string glob, string name)
    {
        int g = 0, n = 0, star = -1, taken = 0;
        while (n < name.Length)
        {
            if (g < glob.Length && glob[g] == '*') (star, taken) = (g++, n);
            else if (g < glob.Length && (glob[g] == '?' || glob[g] == name[n])) (g, n) = (g + 1, n + 1);
            else if (star >= 0) (g, n) = (star + 1, ++taken);
            else return false;
        }

        return glob.AsSpan(g).IndexOfAnyExcept('*') < 0;
    }
}
