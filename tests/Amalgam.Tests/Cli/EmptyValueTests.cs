using System.CommandLine;
using Amalgam.Cli;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Cli;

/// <summary>An empty text, which an unset variable of the shell leaves, is refused by every verb before any work.</summary>
public class EmptyValueTests
{
    /// <summary>Every verb, with an option of it that takes a text; the empty text comes first of all that is wrong with the line.</summary>
    public static TheoryData<string, string> Options
    {
        get
        {
            TheoryData<string, string> rows = [];
            void Add(Command verb, string words)
            {
                foreach (Option option in verb.Options.Where(option => option.ValueType == typeof(string) && option.Arity.MinimumNumberOfValues > 0)) rows.Add(words, option.Name);
                foreach (Command under in verb.Subcommands) Add(under, $"{words} {under.Name}".Trim());
            }

            Add(Program.Create(), "");
            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Options))]
    public async Task Is_refused_as_an_option(string words, string option)
    {
        await Refuses($"{option}: expected a value, found an empty text; see amalgam {words} --help", [.. words.Split(' '), option, ""]);
        await Refuses($"{option}: expected a value, found an empty text", [.. words.Split(' '), option, " "]);
    }

    /// <summary>Without quotes such a variable leaves nothing, and what follows would be the name of a folder.</summary>
    [Theory]
    [MemberData(nameof(Options))]
    public async Task Another_option_is_no_value(string words, string option)
    {
        await Refuses($"{option}: expected a value, found the option --help; see amalgam {words} --help", [.. words.Split(' '), option, "--help"]);
        await Refuses($"{option}: expected a value, found the option -h", [.. words.Split(' '), option, "-h"]);
    }

    [Theory]
    [InlineData("transfer")]
    [InlineData("distill")]
    [InlineData("train")]
    [InlineData("inspect")]
    public async Task Is_refused_as_an_argument(string verb)
    {
        var (code, _, error) = await Run(verb, "");
        Assert.Equal(2, code);
        Assert.Matches($"^error: <[a-z]+>: expected a value, found an empty text; see amalgam {verb} --help\n$", error);
    }

    [Theory]
    [InlineData("output: ''", "run.yml:5:9: expected a folder, found ''")]
    [InlineData("distill: {method: kd, teachers: ''}", "expected a trained network, or a list of them, found ''")]
    public async Task Is_refused_in_a_description(string line, string phrase)
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["run.yml"], $"data: glyphs\nmodel: {{name: mlp, hidden: [4]}}\nlr: 0.1\nepochs: 1\n{line}\n");
        await Refuses(phrase, "train", folder["run.yml"]);
    }
}
