using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Amalgam.Graphs;
using Amalgam.Merging;
using Amalgam.Merging.Recipes;
using Amalgam.Training;

namespace Amalgam.Cli;

/// <summary>The <c>amalgam</c> command.</summary>
internal static class Program
{
    private const int Bug = 1, UserError = 2, Interrupted = 130;

    /// <summary>How long a verb may take, after Ctrl-C, to remove what it has half-written.</summary>
    private static readonly TimeSpan CleanUpTime = TimeSpan.FromMinutes(1);

    public static Task<int> Main(string[] args) => Run(args, Console.Out, Console.Error);

    /// <summary>The root command with every verb, in the order in which help shows them.</summary>
    public static RootCommand Create()
    {
        RootCommand root = new("Makes one neural network out of several.")
        {
            MergeCommand.Create(),
            SpliceCommand.Create(),
            AlignCommand.Create(),
            FuseCommand.Create(),
            InspectCommand.Create(),
            DiffCommand.Create(),
            ConvertCommand.Create(),
            MethodsCommand.Create(),
            TrainCommand.Create(),
            DistillCommand.Create(),
            TransferCommand.Create(),
            EvalCommand.Create(),
            RunCommand.Create(),
            ShowCommand.Create(),
            UnitsCommand.Create(),
            LayersCommand.Create(),
            LandscapeCommand.Create(),
            DataCommand.Create(),
            DemoCommand.Create(),
            ReproduceCommand.Create(),
            CompletionCommand.Create(),
        };
        root.HelpName = "amalgam";
        root.Options.Remove(root.Options.OfType<HelpOption>().Single());
        root.Options.Add(new HelpOption("--help", "-h")
        {
            Action = new HelpWithExamples(
            [
                "amalgam demo                          # see it work: trains, merges, tests",
                "amalgam merge -m linear a.safetensors b.safetensors -o ab.safetensors",
                "amalgam inspect model.safetensors     # what is in it",
                "amalgam methods ties                  # how a merge method works",
                "amalgam diff model-a model-b          # how far two models are apart",
            ]),
        });
        return root;
    }

    /// <summary>Runs one command line.</summary>
    /// <returns>The exit code: 0, 1 for a bug, 2 for a mistake of the user, 130 after Ctrl-C.</returns>
    public static async Task<int> Run(string[] args, TextWriter output, TextWriter error)
    {
        try
        {
            ParseResult parse = Create().Parse(args.Length == 0 ? ["--help"] : args);
            if (UsageError(parse) is { } wrong) return Fail(error, wrong);
            return await parse.InvokeAsync(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = CleanUpTime, Output = output, Error = error });
        }
        catch (Exception e)
        {
            return Report(error, e is AggregateException { InnerExceptions: [var first, ..] } ? first : e);
        }
    }

    private static int Report(TextWriter error, Exception e)
    {
        switch (e)
        {
            case OperationCanceledException:
                error.WriteLine("interrupted");
                return Interrupted;
            case MergeException or GraphException or TrainingException or InvalidDataException or IOException or UnauthorizedAccessException:
                return Fail(error, string.Join(Environment.NewLine, e.Message.Split('\n').Select(Printable.Line)));
            default:
                error.WriteLine($"This is a bug in amalgam:{Environment.NewLine}{e}");
                return Bug;
        }
    }

    private static int Fail(TextWriter error, string message)
    {
        error.WriteLine($"error: {message}");
        return UserError;
    }

    /// <summary>What is wrong with a command line, in a sentence, and where to read on; null when nothing is.</summary>
    private static string? UsageError(ParseResult parse)
    {
        Command verb = parse.CommandResult.Command;
        string? wrong = UnknownOption(parse, verb) ?? MissingValue(parse, verb) ?? (parse.Action is ParseErrorAction || (parse.Action is HelpWithExamples && verb.Subcommands.Count > 0 && parse.UnmatchedTokens.Count > 0) ? WhatIsWrong(parse, verb) : null);
        return wrong is null ? null : $"{wrong}; see {FullName(verb)} --help";
    }

    /// <summary>The words that call a command.</summary>
    private static string FullName(Command verb) => verb is not RootCommand && verb.Parents.OfType<Command>().FirstOrDefault() is { } parent ? $"{FullName(parent)} {verb.Name}" : "amalgam";

    /// <summary>What an unset variable of the shell leaves: an empty text where it was quoted, the next option where it was not. No verb has a use for either, and neither names a file.</summary>
    private static string? MissingValue(ParseResult parse, Command verb)
    {
        if (parse.Action is SynchronousCommandLineAction and not ParseErrorAction) return null;
        HashSet<string> options = [.. verb.Options.Concat(parse.RootCommandResult.Command.Options).SelectMany(option => option.Aliases.Append(option.Name))];
        foreach (SymbolResult part in parse.CommandResult.Children)
        {
            string? name = part switch { OptionResult of => of.Option.Name, ArgumentResult of => $"<{of.Argument.Name}>", _ => null };
            if (name is null) continue;
            if (part.Tokens.Any(token => string.IsNullOrWhiteSpace(token.Value))) return $"{name}: expected a value, found an empty text";
            if (part is OptionResult && part.Tokens.FirstOrDefault(token => options.Contains(token.Value)) is { } next) return $"{name}: expected a value, found the option {next.Value}";
        }

        return null;
    }

    /// <summary>The parser takes a mistyped option for an argument; people do not name files so.</summary>
    private static string? UnknownOption(ParseResult parse, Command verb)
    {
        if (parse.Action is SynchronousCommandLineAction and not ParseErrorAction || parse.Tokens.Any(t => t.Type == TokenType.DoubleDash)) return null;
        string? option = parse.CommandResult.Tokens.Select(t => t.Value).Concat(parse.UnmatchedTokens).FirstOrDefault(t => t.Length > 1 && t[0] == '-');
        return option is null ? null : $"unknown option {Nearest.Quote(option)}{Nearest.Hint(option, verb.Options.Select(o => o.Name))}";
    }

    private static string WhatIsWrong(ParseResult parse, Command verb)
    {
        if (parse.UnmatchedTokens.Count == 0) return Printable.Line(string.Join(' ', parse.Errors[0].Message.TrimEnd('.').Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
        string token = parse.UnmatchedTokens[0];
        Command? deeper = verb.Subcommands.SelectMany(c => c.Subcommands).FirstOrDefault(c => c.Name == token);
        return verb.Subcommands.Count > 0
            ? $"unknown command {Nearest.Quote(token)}{(deeper is not null ? $" (did you mean '{FullName(deeper)}'?)" : Nearest.Hint(token, verb.Subcommands.Select(c => c.Name)))}"
            : $"unexpected argument {Nearest.Quote(token)}";
    }
}
