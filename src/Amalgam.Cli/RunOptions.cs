using System.CommandLine;
using Amalgam.Numerics;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary>What every verb is asked that trains into the folder of a run.</summary>
internal sealed class RunOptions
{
    private readonly Option<bool> _resume = new("--resume") { Description = "Go on with what an interrupted run left" };
    private readonly Option<bool> _overwrite = new("--overwrite") { Description = "Replace what another run left in the folder" };
    private readonly Option<long?> _seed = NumberOption.Whole("--seed", "Draws first weights, the order of the samples, augmentation and dropout, over every seed that the description says; which samples are held out stays as it is");
    private readonly Option<int?> _threads = CountOption.Create("--threads", "Number of threads; the result does not depend on it", "-j");
    private readonly Option<bool> _quiet = new("--quiet", "-q") { Description = "No progress and no lines of epochs; notes and warnings stay" };

    /// <param name="verb">The verb, with its own options; these follow them.</param>
    public RunOptions(Verb verb)
    {
        foreach (Option option in (ReadOnlySpan<Option>)[_resume, _overwrite, _seed, _threads, _quiet]) verb.Add(option);
        verb.Validators.Add(result =>
        {
            if (result.GetValue(_resume) && result.GetValue(_overwrite)) result.AddError("--resume and --overwrite exclude each other");
        });
    }

    /// <summary>The folder of what a run leaves behind, as an option.</summary>
    public static Option<string?> Folder() => new("--output", "-o") { Description = "Folder of what the run leaves behind, over what the description says" };

    /// <summary>The folder that is meant.</summary>
    /// <param name="named">What the command line says.</param>
    /// <param name="described">What the description says.</param>
    /// <exception cref="InvalidDataException">Neither names one.</exception>
    public static string FolderOf(string? named, string? described) =>
        named ?? described ?? throw new InvalidDataException("name a folder for what the run leaves behind: --output, or output in the description");

    /// <summary>The seed that counts in the place of those that the description says; null for theirs.</summary>
    public long? Seed(ParseResult parse) => parse.GetValue(_seed);

    /// <summary>A description with the seed that is asked for.</summary>
    public RunDescription Seeded(ParseResult parse, RunDescription run) => Seed(parse) is { } seed ? run with { Seed = seed } : run;

    /// <summary>Limits the threads to what was asked for.</summary>
    public CoreLimit Limit(ParseResult parse) => Cores.Limit(parse.GetValue(_threads) ?? Environment.ProcessorCount);

    /// <summary>Whether to go on with what is there.</summary>
    public bool Resume(ParseResult parse) => parse.GetValue(_resume);

    /// <summary>Says that a run begins which was asked to go on: a mistyped folder is seen at once.</summary>
    /// <param name="parse">The command line.</param>
    /// <param name="folder">Where it was to go on.</param>
    /// <param name="resumed">Whether it does.</param>
    public void SayWhetherResumed(ParseResult parse, string folder, bool resumed)
    {
        if (Resume(parse) && !resumed) parse.InvocationConfiguration.Error.WriteLine($"nothing to go on with in {Printable.Line(folder)}, the run begins");
    }

    /// <summary>Whether to replace what is there.</summary>
    public bool Overwrite(ParseResult parse) => parse.GetValue(_overwrite);

    /// <summary>Whether no progress and no lines of epochs are wanted; notes and warnings are, and the figures at the end.</summary>
    public bool Quiet(ParseResult parse) => parse.GetValue(_quiet);
}
