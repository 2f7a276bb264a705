using System.CommandLine;
using System.Text.RegularExpressions;
using Amalgam.Cli;
using Amalgam.Merging;
using Amalgam.Merging.Recipes;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Docs;

public class DocumentTests
{
    private const string FromSource = "dotnet run --project src/Amalgam.Cli -c Release -- ";

    [Fact]
    public void Every_command_line_parses()
    {
        string[] lines = [.. Document.All.SelectMany(CommandLines)];
        Assert.NotEmpty(lines);
        Assert.All(lines, line =>
        {
            ParseResult parse = Program.Create().Parse(Arguments(line));
            Assert.True(parse.Errors.Count + parse.UnmatchedTokens.Count == 0, $"'{line}': {string.Join("; ", parse.Errors.Select(e => e.Message))} {string.Join(' ', parse.UnmatchedTokens)}");
        });
    }

    [Fact]
    public void Every_recipe_is_one()
    {
        var recipes = Document.All.SelectMany(d => d.Blocks("yaml").Where(text => !IsRun(text) && !IsTransfer(text)).SelectMany(text => RecipeFile.Parse(text, d.Path))).ToArray();
        Assert.NotEmpty(recipes);
        foreach (Recipe recipe in recipes)
        {
            MethodEntry method = MergeMethod.Find(recipe.Method)!;
            Assert.NotNull(method);
            recipe.Parameters.Check(method.Name, method.AllParameters, perModelLevel: false);
            foreach (RecipeSource source in recipe.Models) source.Parameters.Check(method.Name, method.AllParameters, perModelLevel: true);
            foreach (RecipeModule module in recipe.Modules) module.Parameters.Check(method.Name, method.AllParameters, perModelLevel: false);
            foreach (RecipeSlice slice in recipe.Slices) slice.Parameters.Check(method.Name, method.AllParameters, perModelLevel: false);
        }
    }

    [Fact]
    public void Every_run_description_is_one()
    {
        string[] texts = [.. Document.All.SelectMany(d => d.Blocks("yaml")).Where(IsRun)];
        Assert.NotEmpty(texts);
        Assert.All(texts, text => RunDescription.Parse(text, "a document"));
    }

    [Fact]
    public void Every_transfer_description_is_one()
    {
        string[] texts = [.. Document.All.SelectMany(d => d.Blocks("yaml")).Where(IsTransfer)];
        Assert.NotEmpty(texts);
        Assert.All(texts, text => TransferDescription.Parse(text, "a document"));
    }

    private static bool IsRun(string text) => Regex.IsMatch(text, "^epochs:", RegexOptions.Multiline) && !IsTransfer(text);

    /// <summary>The models of a recipe are a list.</summary>
    private static bool IsTransfer(string text) => Regex.IsMatch(text, @"^models:\s*[\w{]", RegexOptions.Multiline);

    [Fact]
    public void Every_link_inside_the_repository_leads_somewhere()
    {
        foreach (Document page in Document.All)
        {
            foreach (Match link in Regex.Matches(page.Text, @"\]\((?!https?:)([^)#]+)(?:#([^)]+))?\)"))
            {
                string target = Path.Combine(Document.Root, Path.GetDirectoryName(page.Path)!, link.Groups[1].Value);
                Assert.True(File.Exists(target), $"{page.Path}: {link.Value}");
                if (link.Groups[2].Value is { Length: > 0 } anchor) Assert.Contains(anchor, Anchors(File.ReadAllText(target)));
            }
        }
    }

    /// <summary>What links call a page's headings: small letters, without punctuation, with a hyphen for a blank.</summary>
    private static IEnumerable<string> Anchors(string text) =>
        Regex.Matches(text, "^#+ (.+)$", RegexOptions.Multiline).Select(m => Regex.Replace(m.Groups[1].Value.Trim().ToLowerInvariant(), @"[^\w -]", "").Replace(' ', '-'));

    /// <summary>Lines of shell blocks and code inside sentences that begin with the command; plain words, which name a verb, as a question for its help.</summary>
    private static IEnumerable<string> CommandLines(Document page)
    {
        var ofBlocks = page.Blocks("sh").SelectMany(block => block.Replace("\\\n", " ").Split('\n'));
        var ofSentences = Regex.Matches(page.Text, "`(amalgam [a-z][^`\n]*)`").Select(m => m.Groups[1].Value.All(c => c is ' ' or (>= 'a' and <= 'z')) ? $"{m.Groups[1].Value} --help" : m.Groups[1].Value);
        return ofBlocks.Concat(ofSentences).Select(line => line.StartsWith(FromSource) ? "amalgam " + line[FromSource.Length..] : line).Where(line => line.StartsWith("amalgam "));
    }

    /// <summary>The words after the command, without a comment; quotes keep words together.</summary>
    private static string[] Arguments(string line) =>
        [.. Regex.Matches(Regex.Replace(line["amalgam ".Length..], @"(^|\s)#.*", ""), """'([^']*)'|"([^"]*)"|(\S+)""").Select(m => m.Groups.Values.Skip(1).First(g => g.Success).Value)];
}
