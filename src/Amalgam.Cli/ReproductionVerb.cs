using System.Collections.Immutable;
using System.CommandLine;
using Amalgam.Numerics;
using Amalgam.Zoo.Experiments;

namespace Amalgam.Cli;

/// <summary>What every verb of <c>amalgam reproduce</c> is asked, and how it runs an experiment.</summary>
/// <param name="usual">The folder unless another is named.</param>
internal sealed class ReproductionVerb(string usual)
{
    private readonly Option<string> _folder = new("--out", "-o")
    {
        Description = "Folder of networks and results; a run goes on with what an earlier one left there",
        HelpName = "dir",
        DefaultValueFactory = _ => usual,
    };

    private readonly Option<bool> _overwrite = new("--overwrite") { Description = "Replace rows and networks of another description that an earlier run left in the folder" };
    private readonly Option<int?> _threads = CountOption.Create("--threads", "Number of threads; the result does not depend on it", "-j");
    private readonly Option<bool> _quiet = new("--quiet", "-q") { Description = "No progress" };

    /// <summary>The options, in the order in which help shows them.</summary>
    public ImmutableArray<Option> All => [_folder, _overwrite, _threads, _quiet];

    /// <summary>Runs an experiment on as many cores as asked for, and shows how far it is.</summary>
    /// <param name="parse">What was asked.</param>
    /// <param name="options">What the verb's own options say.</param>
    /// <param name="run">The experiment.</param>
    /// <param name="cancel">Stops it.</param>
    public TResult Run<TOptions, TResult>(ParseResult parse, TOptions options, Func<TOptions, TResult> run, CancellationToken cancel)
        where TOptions : ReproductionOptions
    {
        using CoreLimit cores = Cores.Limit(parse.GetValue(_threads) ?? Environment.ProcessorCount);
        TextWriter error = parse.InvocationConfiguration.Error;
        bool isQuiet = parse.GetValue(_quiet);
        using Progress progress = new(error, isQuiet);
        ReproductionOptions common = options;
        string folder = parse.GetValue(_folder)!;
        NewFolders made = new(folder);
        try
        {
            return run((TOptions)(common with
            {
                Folder = folder,
                Overwrite = parse.GetValue(_overwrite),
                Cancel = cancel,
                Training = progress,
                Line = line =>
                {
                    if (!isQuiet) progress.Write(error, line);
                },
            }));
        }
        catch
        {
            made.RemoveEmpty();
            throw;
        }
    }
}
