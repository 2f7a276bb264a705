using System.Collections.Immutable;
using System.CommandLine;
using Amalgam.Numerics;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary>The options of commands that put trained networks together and measure what comes of it.</summary>
internal sealed class NetworkOptions
{
    /// <summary>Samples to measure on where nothing asks for another number.</summary>
    public const int UsualTestSamples = 2000;

    private readonly Option<string?> _report = new("--report") { Description = "Write a page about the match to this .html file", HelpName = "file" };
    private readonly Option<bool> _evaluate = new("--evaluate") { Description = "Measure the networks, their average and what they become on test data; --report does so where the data has labels" };
    private readonly Option<int?> _testSamples = CountOption.Create("--test-samples", $"Samples to measure on [default: {UsualTestSamples}]");
    private readonly DataOptions _data = new();
    private readonly Option<bool> _overwrite = new("--overwrite") { Description = "Replace what is at the output" };
    private readonly Option<int?> _threads = CountOption.Create("--threads", "Number of threads; the result does not depend on it", "-j");
    private readonly Option<bool> _json = new("--json") { Description = "Print JSON" };
    private readonly Option<bool> _quiet = new("--quiet", "-q") { Description = "No progress and no notes" };

    /// <summary>Groups of classes that are also measured among themselves.</summary>
    public Option<string?> Tasks { get; } = new("--tasks") { Description = "Groups of classes, each also measured among itself: 0,1,2,6,9/3,4,5,7,8", HelpName = "groups" };

    /// <summary>Vectors of classes.</summary>
    public Option<string?> Vectors { get; } = new("--class-vectors") { Description = "For networks that give embeddings: a checkpoint with a vector for each class", HelpName = "checkpoint" };

    /// <summary>Statistics of the merged network.</summary>
    public Option<string?> Reset { get; } = WordOption.Create("--reset", "Statistics of the merged network: auto (the default), none, batchnorm (estimate them anew) or repair", AlignmentDescription.Resets.Words);

    /// <summary>All of them.</summary>
    public IEnumerable<Option> All => [_report, _evaluate, _testSamples, Tasks, Vectors, Reset, _overwrite, _threads, _json, _quiet, .. _data.All];

    public bool IsQuiet(ParseResult parse) => parse.GetValue(_quiet);

    public bool IsJson(ParseResult parse) => parse.GetValue(_json);

    public bool Overwrites(ParseResult parse) => parse.GetValue(_overwrite);

    /// <summary>Where the page goes; null for none.</summary>
    public string? Report(ParseResult parse) => parse.GetValue(_report);

    /// <summary>Most samples to measure on.</summary>
    public int TestSamples(ParseResult parse) => parse.GetValue(_testSamples) ?? UsualTestSamples;

    /// <summary>Threads of the command.</summary>
    public CoreLimit Threads(ParseResult parse) => Cores.Limit(parse.GetValue(_threads) ?? Environment.ProcessorCount);

    /// <summary>Groups of classes.</summary>
    public ImmutableArray<ImmutableArray<int>> TasksOf(ParseResult parse) => [.. EvalCommand.Tasks(parse.GetValue(Tasks)).Select(task => task.ToImmutableArray())];

    /// <summary>The data, by an option or as the first of the networks that is a run says it; null where nothing names it.</summary>
    public DataDescription? Data(ParseResult parse, string[] paths) => _data.Find(parse, paths, paths.Select(RunFolder.Find).FirstOrDefault(run => run is not null));

    /// <summary>What a user should know of the data, where networks are looked at on that of the first of several runs; null for nothing.</summary>
    /// <exception cref="InvalidDataException">The runs learned from data of different kinds, and nothing names one.</exception>
    public string? DataNote(ParseResult parse, string[] paths) => _data.IsNamed(parse) ? null : RunsData.Check(paths, withPixels: !_data.NamesPixels(parse));

    /// <summary>Refuses what is said of measuring where nothing is measured.</summary>
    public void CheckMeasuring(ParseResult parse)
    {
        if (parse.GetValue(_evaluate) || Report(parse) is not null) return;
        if (((Option[])[Tasks, _testSamples]).FirstOrDefault(option => parse.GetResult(option) is { Implicit: false }) is { } idle) throw new InvalidDataException($"{idle.Name} is about measuring, which --evaluate and --report do");
    }

    /// <summary>Whether networks are to be measured.</summary>
    /// <exception cref="InvalidDataException">It is asked for, and there is no data for it.</exception>
    public bool Measures(ParseResult parse, GivenNetworks networks)
    {
        bool evaluates = parse.GetValue(_evaluate), measures = (evaluates || Report(parse) is not null) && networks.CanMeasure;
        return measures || !evaluates ? measures : throw new InvalidDataException("--evaluate needs --data with labels");
    }

    /// <summary>Refuses names of files, before anything is opened, that would take the place of others.</summary>
    /// <param name="parse">The command line.</param>
    /// <param name="models">The networks.</param>
    /// <param name="target">Where what comes of them goes; null for nowhere.</param>
    /// <param name="beside">Another file that is read; null for none.</param>
    /// <returns>All files that are read.</returns>
    public string[] CheckFiles(ParseResult parse, string[] models, string? target, string? beside = null)
    {
        if (Report(parse) is { } page && !page.EndsWith(".html", StringComparison.OrdinalIgnoreCase)) throw new InvalidDataException($"--report: {page} is to be a page, name it .html");
        string[] others = [.. new[] { beside, parse.GetValue(Vectors), _data.FileOf(parse) }.OfType<string>()], read = [.. models, .. others];
        if (Report(parse) is { } report) OutputFile.Check("--report", report, read, Overwrites(parse));
        if (target is null) return read;
        OutputFile.CheckApart("--output", target, others);
        OutputPlace.Check(target);
        return read;
    }
}
