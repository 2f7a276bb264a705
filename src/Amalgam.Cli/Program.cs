using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Amalgam.Merging;
using Amalgam.Merging.Recipes;

namespace Amalgam.Cli;

/// <summary>The <c>amalgam</c> command.</summary>
internal static class Program
{
    private const int Done = 0, Bug = 1, UserError = 2, Interrupted = 130;

    /// <summary>How long a verb may take, after Ctrl-C, to remove what it has half-written.</summary>
    private static readonly TimeSpan CleanUpTime = TimeSpan.FromMinutes(1);

    public static Task<int> Main(string[] args) => Run(args, Console.Out, Console.Error);

    /// <summary>The root command with every verb, in the order in which help shows them.</summary>
    public static RootCommand Create()
    {
        RootCommand root = new("Makes one neural network out of several.")
        {
            MergeCommand.Create(),
            InspectCommand.Create(),
            DiffCommand.Create(),
            ConvertCommand.Create(),
            MethodsCommand.Create(),
            DemoCommand.Create(),
            CompletionCommand.Create(),
        };
        root.HelpName = "amalgam";
        root.Options.OfType<HelpOption>().Single().Action = new HelpWithExamples(
        [
            "amalgam demo                          # see it work: trains, merges, tests",
            "amalgam merge -m linear a.safetensors b.safetensors -o ab.safetensors",
            "amalgam inspect model.safetensors     # what is in it",
            "amalgam methods ties                  # how a merge method works",
            "amalgam diff model-a model-b          # how far two models are apart",
        ]);
        return root;
    }

    /// <summary>Runs one command line.</summary>
    /// <returns>The exit code: 0, 1 for a bug, 2 for a mistake of the user, 130 after Ctrl-C.</returns>
    public static async Task<int> Run(string[] args, TextWriter output, TextWriter error)
    {
        try
        {
            ParseResult parse = Create().Parse(args.Length == 0 ? ["--help"] : args);
            if (parse.Action is ParseErrorAction) return Fail(error, UsageError(parse));
            return await parse.InvokeAsync(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = CleanUpTime, Output = output, Error = error });
        }
        catch (OperationCanceledException)
        {
            error.WriteLine("interrupted");
            return Interrupted;
        }
        catch (Exception e) when (e is MergeException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return Fail(error, string.Join(Environment.NewLine, e.Message.Split('\n').Select(Printable.Line)));
        }
        catch (Exception e)
        {
            error.WriteLine($"This is a bug in amalgam:{Environment.NewLine}{e}");
            return Bug;
        }
    }

    private static int Fail(TextWriter error, string message)
    {
        error.WriteLine($"error: {message}");
        return UserError;
    }

    /// <summary>What is wrong with a command line, in a sentence, and where to read on.</summary>
    private static string UsageError(ParseResult parse)
    {
        Command verb = parse.CommandResult.Command;
        string full = verb is RootCommand ? "amalgam" : $"amalgam {verb.Name}";
        return $"{WhatIsWrong(parse, verb)}; see {full} --help";
    }

    private static string WhatIsWrong(ParseResult parse, Command verb)
    {
        if (parse.UnmatchedTokens.Count == 0) return Printable.Line(parse.Errors[0].Message.TrimEnd('.'));
        string token = parse.UnmatchedTokens[0];
        string quoted = Nearest.Quote(token);
        if (token.StartsWith('-')) return $"unknown option {quoted}{Nearest.Hint(token, verb.Options.Select(o => o.Name))}";
        return verb.Subcommands.Count > 0
            ? $"unknown command {quoted}{Nearest.Hint(token, verb.Subcommands.Select(c => c.Name))}"
            : $"unexpected argument {quoted}";
    }
}
