using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Amalgam.Cli;

/// <summary>A command of <c>amalgam</c>, with examples at the end of its help.</summary>
internal sealed class Verb(string name, string description, string[] examples) : Command(name, description)
{
    /// <summary>Command lines, each with a comment where it needs one.</summary>
    public string[] Examples => examples;

    /// <summary>What the verb does; it runs on another thread, so that Ctrl-C can ask it to stop. Exceptions are reported by <see cref="Program"/>.</summary>
    public void Runs(Action<ParseResult, CancellationToken> run) => SetAction((parse, cancel) => Task.Run(() => run(parse, cancel), CancellationToken.None));
}

/// <summary>The usual help, then the examples.</summary>
internal sealed class HelpWithExamples(string[] ofRoot) : SynchronousCommandLineAction
{
    private const int PipedWidth = 120;

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parse)
    {
        TextWriter output = parse.InvocationConfiguration.Output;
        HelpAction help = new() { MaxWidth = Screen.WidthOf(output) ?? PipedWidth };
        help.Invoke(parse);
        string[] examples = parse.CommandResult.Command is Verb verb ? verb.Examples : ofRoot;
        output.WriteLine("Examples:");
        foreach (string example in examples) output.WriteLine($"  {example}");
        return 0;
    }
}
