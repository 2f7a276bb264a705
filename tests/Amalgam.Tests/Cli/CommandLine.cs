using System.Text.RegularExpressions;
using Amalgam.Cli;

namespace Amalgam.Tests.Cli;

/// <summary>Runs command lines of <c>amalgam</c> inside the tests.</summary>
internal static partial class CommandLine
{
    /// <summary>Lets commands find the real data; skips the test where there is none.</summary>
    public static void UseRealData() => Environment.SetEnvironmentVariable("AMALGAM_DATA", RealData.At());

    /// <summary>What a command line wrote, but for how far it had come after every five seconds: a slow machine hears of that where others hear nothing.</summary>
    public static async Task<(int Code, string Output, string Error)> Run(params string[] line)
    {
        using StringWriter output = new(), error = new();
        int code = await Program.Run(line, output, error);
        return (code, output.ToString().ReplaceLineEndings("\n"), Share().Replace(error.ToString().ReplaceLineEndings("\n"), ""));
    }

    public static async Task<string> Succeeds(params string[] line)
    {
        var (code, output, error) = await Run(line);
        Assert.True(code == 0, $"amalgam {string.Join(' ', line)}: {error}");
        return output;
    }

    /// <summary>Asserts that a line is refused, in one sentence that has a phrase.</summary>
    public static async Task Refuses(string phrase, params string[] line)
    {
        var (code, _, error) = await Run(line);
        Assert.True(code == 2, $"amalgam {string.Join(' ', line)} ends with {code}: {error}");
        Assert.StartsWith("error: ", error);
        Assert.Contains(phrase, error);
    }

    [GeneratedRegex(@"^ {0,2}\d{1,3}%  .*\n", RegexOptions.Multiline)]
    private static partial Regex Share();
}
